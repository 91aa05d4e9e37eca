"""The part of scoring services: each by its verdict, worst first, and what the last round could not do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from pydantic import ValidationError

from shared.dashboard.status import (
    WORST_FIRST,
    Frozen,
    Part,
    Severity,
    Status,
    Trouble,
    status_of,
    worst,
)
from shared.dashboard.timers import Timer, TimerSeen, look_at, trouble_of
from shared.notes import SCORING_SEEN
from shared.scoring.judgement import FAILURES, Proven, Verdict
from shared.scoring.proof import proven_by
from shared.scoring.round_sighting import LookedAfter, RoundSighting
from shared.scoring.state import Health, ServiceState

SERVICE_PATH: Final = "/api/scoring/services"
# On the page worst first; people look at the top.
_HEALTHS: Final = (Health.UNHEALTHY, Health.FLAPPING, Health.UNKNOWN, Health.HEALTHY)
# As long as it may take somebody to come to work.
DROPPED: Final = timedelta(days=1)
_MOST_NAMES: Final = 5
_VERDICTS: Final = (*sorted(FAILURES), Verdict.BUSY, Verdict.SLOW, Verdict.HEALTHY)


class ServiceSeen(Frozen):
    """A service, as rounds of checks have left it.

    `status` is unknown for one that is `stale` (not checked in 15 minutes) or never was, whatever it
    was before; ok only where the last look proved right answers (`proven`). `uptime_percent`: of the full hours known within the last 24; None where nothing is
    known, or where it was not read for want of time.
    """

    name: str
    group: str
    kind: str
    owner: str | None
    status: Status
    state: Health
    since: datetime | None
    verdict: Verdict | None
    proven: Proven | None
    text: str | None
    checked_at: datetime | None
    stale: bool
    uptime_percent: float | None
    maintenance_until: datetime | None
    detail: str


class ScoringPart(Part):
    """Scoring services, worst first, as of the last round that was noted."""

    timer: TimerSeen | None = None
    round: RoundSighting | None = None
    services: tuple[ServiceSeen, ...] = ()
    counts: Mapping[Status, int] = {}


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What is recorded of services, by name; `uptimes` in percent of the last 24 hours."""

    states: Mapping[str, ServiceState]
    maintenance: Mapping[str, datetime]
    uptimes: Mapping[str, float | None] = field(default_factory=dict)


def scoring_part(
    timer: Timer, notes: Mapping[str, str], remembered: Remembered, *, at: datetime
) -> ScoringPart:
    """Return how the services are."""
    seen, last = look_at(timer, notes, at=at), round_of(notes)
    services = tuple(_services(last.services if last else (), remembered, at))
    troubles = (
        *_troubles(timer, seen, last, services, at),
        *_of_dropped(last, remembered.states, at),
    )
    return ScoringPart(
        status=worst([status_of(troubles), *_unproven(services)]),
        seen_at=at,
        troubles=troubles,
        timer=seen,
        round=last,
        services=services,
        counts={each: sum(s.status is each for s in services) for each in Status},
    )


def unread_scoring(error: str, *, at: datetime) -> ScoringPart:
    """Return the part where nothing could be read."""
    return ScoringPart(status=Status.UNKNOWN, seen_at=at, error=error)


def round_of(notes: Mapping[str, str]) -> RoundSighting | None:
    """Return the last round that was noted."""
    try:
        return RoundSighting.model_validate_json(notes[SCORING_SEEN])
    except (KeyError, ValidationError):
        return None


def worst_names(
    services: Sequence[LookedAfter], states: Mapping[str, ServiceState], *, at: datetime
) -> Sequence[str]:
    """Return the names of services, worst first."""
    found = Remembered(states=states, maintenance={})
    return [each.name for each in _services(services, found, at)]


def _services(
    services: Sequence[LookedAfter], remembered: Remembered, at: datetime
) -> Sequence[ServiceSeen]:
    return sorted((_service(each, remembered, at) for each in services), key=_rank)


def _service(service: LookedAfter, remembered: Remembered, at: datetime) -> ServiceSeen:
    state = remembered.states.get(service.name, ServiceState())
    return ServiceSeen(
        name=service.name,
        group=service.group,
        kind=service.kind,
        owner=service.owner,
        status=_status(state, at),
        state=state.standing,
        since=state.since,
        verdict=state.verdict,
        proven=proven_by(state.evidence) if state.verdict else None,
        text=state.text or None,
        checked_at=state.checked_at,
        stale=state.is_stale(at),
        uptime_percent=remembered.uptimes.get(service.name),
        maintenance_until=remembered.maintenance.get(service.name),
        detail=f"{SERVICE_PATH}/{quote(service.name)}",
    )


def _status(state: ServiceState, at: datetime) -> Status:
    if state.checked_at is None or state.is_stale(at) or state.standing is Health.UNKNOWN:
        return Status.UNKNOWN
    if state.standing is not Health.HEALTHY or state.verdict in FAILURES:
        return Status.TROUBLE
    is_right = proven_by(state.evidence) is Proven.RIGHT_ANSWERS
    return Status.OK if is_right else Status.UNPROVEN


def _rank(service: ServiceSeen) -> tuple[bool, int, int, int, str]:
    verdict = _VERDICTS.index(service.verdict) if service.verdict else 0
    return (
        service.maintenance_until is not None,
        WORST_FIRST.index(service.status),
        _HEALTHS.index(service.state),
        verdict,
        service.name,
    )


def _troubles(
    timer: Timer,
    seen: TimerSeen,
    last: RoundSighting | None,
    services: Sequence[ServiceSeen],
    at: datetime,
) -> Iterator[Trouble]:
    ticking = trouble_of(timer, seen, at=at)
    if ticking is not None:
        yield ticking
    if last is None:
        text = "Which services there are is not known: no round of checks has told."
        yield Trouble(severity=Severity.UNKNOWN, text=text)
    for service in services:
        # Whoever put it into maintenance knows.
        if service.maintenance_until is None and service.status in {Status.TROUBLE, Status.UNKNOWN}:
            yield _of_service(service)


def _unproven(services: Sequence[ServiceSeen]) -> Iterator[Status]:
    for each in services:
        if each.maintenance_until is None and each.status is Status.UNPROVEN:
            yield each.status


def _of_service(service: ServiceSeen) -> Trouble:
    if service.status is Status.UNKNOWN:
        return Trouble(
            severity=Severity.UNKNOWN,
            text=f"How {service.name} is: {_why_unknown(service)}.",
            reason=service.text,
            detail=service.detail,
            since=service.checked_at,
        )
    unhealthy = service.state is Health.UNHEALTHY
    return Trouble(
        severity=Severity.CRITICAL if unhealthy else Severity.WARNING,
        text=f"{service.name} {_what_is_wrong(service)}.",
        reason=service.text,
        detail=service.detail,
        since=service.since if unhealthy else service.checked_at,
    )


def _why_unknown(service: ServiceSeen) -> str:
    return "it was not checked in the last 15 minutes" if service.stale else "not known yet"


def _what_is_wrong(service: ServiceSeen) -> str:
    if service.state is Health.HEALTHY:
        return f"failed its last check: {service.verdict}"
    if service.verdict in FAILURES:
        return f"is {service.state}: {service.verdict}"
    return f"is still called {service.state}: its last check said {service.verdict}"


def _of_dropped(
    last: RoundSighting | None, states: Mapping[str, ServiceState], at: datetime
) -> Iterator[Trouble]:
    """Tell of services that were looked after within a day, and are named no more: by mistake, maybe."""
    if last is None:
        return
    named = {each.name for each in last.services}
    looks = {name: each.checked_at for name, each in states.items() if name not in named}
    dropped = {
        name: seen
        for name, seen in looks.items()
        if seen is not None and at - DROPPED < seen < last.started_at
    }
    if dropped:
        shown = ", ".join(sorted(dropped)[:_MOST_NAMES])
        more = f" and {len(dropped) - _MOST_NAMES} more" if len(dropped) > _MOST_NAMES else ""
        yield Trouble(
            severity=Severity.UNKNOWN,
            text=f"No longer looked after: {shown}{more}.",
            reason="Checked within the last day, and now named neither by the file nor by Azure.",
            detail=SERVICE_PATH,
            since=max(dropped.values()),
        )
