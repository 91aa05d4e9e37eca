"""The part of compute: the last tick, what it left on and why, what failed, the last runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote

from pydantic import ValidationError

from shared.compute.history import RunRecord
from shared.compute.report import Result
from shared.compute.run_requests import RunListed, listed
from shared.compute.sighting import Sighting
from shared.dashboard.status import Part, Severity, Status, Trouble, status_of
from shared.dashboard.timers import Timer, TimerSeen, look_at, trouble_of
from shared.notes import COMPUTE_SEEN

RUNS: Final = 20
RUN_PATH: Final = "/api/compute/runs"


class ComputePart(Part):
    """Compute instances, newest run first.

    `last_seen` is what the last tick saw that could read the estate, None if none has been noted.
    """

    timer: TimerSeen | None = None
    last_seen: Sighting | None = None
    runs: tuple[RunListed, ...] = ()


def compute_part(
    timer: Timer, notes: Mapping[str, str], runs: Sequence[RunRecord], *, at: datetime
) -> ComputePart:
    """Return how the nightly work is."""
    seen = look_at(timer, notes, at=at)
    sighting, listed_runs = _sighting(notes), tuple(listed(each) for each in runs)
    troubles = tuple(_troubles(timer, seen, sighting, listed_runs, at))
    return ComputePart(
        status=status_of(troubles),
        seen_at=at,
        troubles=troubles,
        timer=seen,
        last_seen=sighting,
        runs=listed_runs,
    )


def unread_compute(error: str, *, at: datetime) -> ComputePart:
    """Return the part where nothing could be read."""
    return ComputePart(status=Status.UNKNOWN, seen_at=at, error=error)


def _sighting(notes: Mapping[str, str]) -> Sighting | None:
    try:
        return Sighting.model_validate_json(notes[COMPUTE_SEEN])
    except (KeyError, ValidationError):
        return None


def _troubles(
    timer: Timer,
    seen: TimerSeen,
    sighting: Sighting | None,
    runs: Sequence[RunListed],
    at: datetime,
) -> Iterator[Trouble]:
    ticking = trouble_of(timer, seen, at=at)
    if ticking is not None and not _is_told(seen, sighting):
        yield ticking
    if sighting is None:
        yield Trouble(severity=Severity.UNKNOWN, text="What runs is not known: no tick has told.")
    else:
        yield from _seen_troubles(sighting)
    yield from _run_troubles(sighting, runs)


def _is_told(seen: TimerSeen, sighting: Sighting | None) -> bool:
    """Whether a tick failed by what it saw, which is told thing by thing."""
    if seen.began_at is None or sighting is None or seen.overdue or not seen.error:
        return False
    told = sighting.failed or sighting.unread
    return bool(told) and sighting.started_at >= seen.began_at


def _seen_troubles(sighting: Sighting) -> Iterator[Trouble]:
    detail = f"{RUN_PATH}/{sighting.run_id}"
    for machine in sighting.failed:
        owner, outcome = machine.owner or "nobody's", machine.outcome.replace("_", " ")
        yield Trouble(
            # It costs money; whom a service does not answer is worse off.
            severity=Severity.WARNING,
            text=f"{machine.name} ({owner}) was not stopped: {outcome}.",
            reason=machine.detail or None,
            detail=detail,
            since=sighting.ended_at,
        )
    for scope in sighting.unread:
        yield Trouble(
            severity=Severity.CRITICAL,
            text=f"{scope.id.rpartition('/')[2]} could not be read or tended in full.",
            reason=scope.error,
            detail=detail,
            since=sighting.ended_at,
        )


def _run_troubles(sighting: Sighting | None, runs: Sequence[RunListed]) -> Iterator[Trouble]:
    last = next((each for each in runs if each.result is not None), None)
    told = sighting is not None and last is not None and sighting.run_id == last.run_id
    if last is None or last.result is Result.SUCCEEDED or told:
        return
    if sighting is not None and sighting.started_at > last.started_at:
        # A later tick saw the whole estate: what this run left undone is known better from it.
        return
    yield Trouble(
        severity=Severity.CRITICAL,
        text=f"The last run ({last.trigger}) ended {last.result}.",
        reason=last.error,
        detail=f"{RUN_PATH}/{quote(last.run_id)}",
        since=last.ended_at,
    )
