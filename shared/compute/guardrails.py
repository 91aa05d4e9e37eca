"""Audit Azure ML's own guard rails: what should stop an instance and cannot, what undoes our stop.

Pure. Source: MicrosoftDocs/azure-ai-docs, how-to-create-compute-instance.md, unless noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from pydantic import BaseModel, ConfigDict

from shared.compute.instance import Compute, InstanceState
from shared.compute.native_settings import NativeSchedule
from shared.compute.native_times import UnknownTimesError, fires_between
from shared.compute.rulebook import Rulebook

# What runs on every instance and counts as idle when nobody uses it.
BUILT_IN_APPLICATIONS = frozenset(
    {"jupyter", "jupyter lab", "jupyterlab", "terminal", "vs code", "vs code (web)", "notebook"}
)
LONGEST_IDLE = timedelta(days=3)
MAX_SCHEDULES = 4
HORIZON = timedelta(days=14)
# Whoever starts a machine more often than that within them is found out by fewer.
MAX_STARTS = 500
GONE = frozenset({InstanceState.DELETING, InstanceState.CREATE_FAILED})


class GuardRail(StrEnum):
    """What is wrong with a guard rail."""

    IDLE_SHUTDOWN_MISSING = "idle_shutdown_missing"
    IDLE_TIME_UNREADABLE = "idle_time_unreadable"
    IDLE_TIME_TOO_LONG = "idle_time_too_long"
    APPLICATION_PREVENTS_IDLE = "application_prevents_idle"
    IDENTITY_MAY_PREVENT_IDLE = "identity_may_prevent_idle"
    START_OUTSIDE_WINDOW = "start_outside_window"
    START_TIMES_UNKNOWN = "start_times_unknown"
    SCHEDULES_EXHAUSTED = "schedules_exhausted"


class Finding(BaseModel):
    """One hole in an instance's guard rails: which, in words, and what would mend it.

    `certain` is False where it depends on what cannot be seen from here.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    owner: str
    guardrail: GuardRail
    certain: bool
    text: str
    suggestion: str


_SUGGESTIONS = {
    GuardRail.IDLE_SHUTDOWN_MISSING: "POST /api/compute/guardrails/idle-shutdown sets one.",
    GuardRail.IDLE_TIME_UNREADABLE: "POST /api/compute/guardrails/idle-shutdown sets a good one.",
    GuardRail.IDLE_TIME_TOO_LONG: "POST /api/compute/guardrails/idle-shutdown sets a shorter one.",
    GuardRail.APPLICATION_PREVENTS_IDLE: "Rely on its uptime and not on idle shutdown, "
    "or remove the application.",
    GuardRail.IDENTITY_MAY_PREVENT_IDLE: "Make sure that the identity is Contributor on the "
    "workspace.",
    GuardRail.START_OUTSIDE_WINDOW: "Delete or move the schedule in the studio, or give the "
    "instance (or its workspace) an uptime that covers it.",
    GuardRail.START_TIMES_UNKNOWN: "Look at the schedule in the studio.",
    GuardRail.SCHEDULES_EXHAUSTED: "Delete schedules that are not needed.",
}


def audit(computes: Sequence[Compute], *, book: Rulebook, at: datetime) -> tuple[Finding, ...]:
    """Return every finding about the instances of a list, instance by instance.

    Start schedules are followed for 14 days from `at`, by the rules that hold then.
    """
    instances = [c for c in computes if c.is_instance and c.state not in GONE]
    return tuple(
        Finding(
            id=compute.id,
            name=compute.name,
            owner=compute.owner,
            guardrail=guardrail,
            certain=guardrail
            not in {GuardRail.IDENTITY_MAY_PREVENT_IDLE, GuardRail.START_TIMES_UNKNOWN},
            text=text,
            suggestion=_SUGGESTIONS[guardrail],
        )
        for compute in instances
        for guardrail, text in _holes(compute, book, at)
    )


def _holes(compute: Compute, book: Rulebook, at: datetime) -> Iterator[tuple[GuardRail, str]]:
    # While it is being created, Azure shows none of its settings.
    if compute.state is None or compute.state == InstanceState.CREATING:
        return
    yield from _idle_holes(compute)
    rails = compute.guard_rails
    for schedule in rails.schedules:
        if schedule.enabled and schedule.action.lower() == "start":
            yield from _start_holes(schedule, compute, book, at)
    if (count := len(rails.schedules)) >= MAX_SCHEDULES:
        said = f"It has {count} native schedules; Azure ML takes {MAX_SCHEDULES}, so none fits in."
        yield GuardRail.SCHEDULES_EXHAUSTED, said


def _idle_holes(compute: Compute) -> Iterator[tuple[GuardRail, str]]:
    rails = compute.guard_rails
    if not rails.idle_time:
        yield GuardRail.IDLE_SHUTDOWN_MISSING, "It has no idle shutdown."
        return
    if rails.idle_after is None:
        said = f"Its idle time '{rails.idle_time[:40]}' is no ISO 8601 duration."
        yield GuardRail.IDLE_TIME_UNREADABLE, said
    elif rails.idle_after >= LONGEST_IDLE:
        said = f"It stops after {rails.idle_time} of idling only, the longest that Azure takes."
        yield GuardRail.IDLE_TIME_TOO_LONG, said
    if custom := _custom_applications(compute):
        said = f"With {', '.join(custom)} running it never counts as idle."
        yield GuardRail.APPLICATION_PREVENTS_IDLE, said
    if rails.identity:
        said = f"It has a managed identity ({rails.identity}): if that is not Contributor on the "
        yield (
            GuardRail.IDENTITY_MAY_PREVENT_IDLE,
            f"{said}workspace, it is never stopped for idling.",
        )


def _custom_applications(compute: Compute) -> list[str]:
    rails = compute.guard_rails
    named = {n[:60]: None for n in (*rails.custom_services, *rails.applications)}
    return [name for name in named if name.strip().lower() not in BUILT_IN_APPLICATIONS]


def _start_holes(
    schedule: NativeSchedule, compute: Compute, book: Rulebook, at: datetime
) -> Iterator[tuple[GuardRail, str]]:
    try:
        for moment in islice(fires_between(schedule, at, at + HORIZON), MAX_STARTS):
            if not book.rule(compute, at=moment).keeps_up(moment):
                where = f"{moment:%a %Y-%m-%d %H:%M} {schedule.time_zone}"
                said = f"A native schedule starts it outside its window, next on {where}."
                yield GuardRail.START_OUTSIDE_WINDOW, said
                return
    except UnknownTimesError as error:
        said = f"A native schedule starts it, and when cannot be said: {error}."
        yield GuardRail.START_TIMES_UNKNOWN, said
