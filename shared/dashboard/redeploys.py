"""The part of redeploys: those that go on, and those that ended within a day. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.dashboard.status import Frozen, Part, Severity, Status, Trouble, status_of
from shared.scoring.redeploy.record import Redeploy, State
from shared.scoring.redeploy.report import location_of

RECENT: Final = timedelta(hours=24)
SHOWN: Final = 50
# The longest that a step may wait is minutes; one that was not brought back by then needs somebody.
STUCK_AFTER: Final = timedelta(minutes=30)
_ENDED_BADLY: Final = {
    State.UNDO_FAILED: Severity.CRITICAL,
    State.UNDONE: Severity.WARNING,
}


class RedeploysOfAll(Protocol):
    """Records of redeploys, of all services. Raises StorageUnavailableError."""

    async def list_active(self) -> Sequence[Redeploy]:
        """List all that are not closed."""

    async def list_since(self, since: datetime) -> Sequence[Redeploy]:
        """List those queued since a moment, oldest first."""


class RedeploySeen(Frozen):
    """A redeploy. `last_step_at` is when it was last seen to move; None before its first step."""

    redeploy_id: str
    service: str
    state: State
    done: bool
    text: str
    change: str
    trigger: str
    reason: str
    created_at: datetime
    last_step_at: datetime | None
    ended_at: datetime | None
    dry_run: bool
    detail: str


class RedeploysPart(Part):
    """Redeploys, those that go on first, then the last that ended; newest first."""

    in_progress: tuple[RedeploySeen, ...] = ()
    ended: tuple[RedeploySeen, ...] = ()


def redeploys_part(
    active: Sequence[Redeploy], recent: Sequence[Redeploy], *, at: datetime
) -> RedeploysPart:
    """Return how redeploys are. The same may be among both."""
    found = {each.redeploy_id: each for each in (*recent, *active)}
    newest = [_seen(each) for _, each in sorted(found.items(), reverse=True)]
    in_progress = tuple(each for each in newest if not each.done)
    ended = tuple(each for each in newest if each.done)[:SHOWN]
    troubles = tuple(_troubles(in_progress, ended, at))
    return RedeploysPart(
        status=status_of(troubles),
        seen_at=at,
        troubles=troubles,
        in_progress=in_progress,
        ended=ended,
    )


def unread_redeploys(error: str, *, at: datetime) -> RedeploysPart:
    """Return the part where nothing could be read."""
    return RedeploysPart(status=Status.UNKNOWN, seen_at=at, error=error)


def _seen(redeploy: Redeploy) -> RedeploySeen:
    last = redeploy.steps[-1] if redeploy.steps else None
    return RedeploySeen(
        redeploy_id=redeploy.redeploy_id,
        service=redeploy.service.name,
        state=redeploy.state,
        done=redeploy.is_closed,
        text=redeploy.said or (last.text if last else ""),
        change=redeploy.change.kind,
        trigger=redeploy.trigger,
        reason=redeploy.reason,
        created_at=redeploy.created_at,
        last_step_at=(last.last_at or last.at) if last else None,
        ended_at=redeploy.ended_at,
        dry_run=redeploy.dry_run,
        detail=location_of(redeploy),
    )


def _troubles(
    in_progress: Sequence[RedeploySeen], ended: Sequence[RedeploySeen], at: datetime
) -> Iterator[Trouble]:
    for each in in_progress:
        moved_at = each.last_step_at or each.created_at
        if at - moved_at > STUCK_AFTER:
            text = f"The redeploy of {each.service} is {each.state} and does not move."
            yield _trouble(each, Severity.CRITICAL, text, since=moved_at)
    later: set[str] = set()
    for each in ended:
        severity = _ENDED_BADLY.get(each.state)
        # A later one that succeeded has mended it.
        if severity and each.service not in later:
            text = f"The redeploy of {each.service} ended {each.state}."
            yield _trouble(each, severity, text, since=each.ended_at)
        if each.state is State.SUCCEEDED and not each.dry_run:
            later.add(each.service)


def _trouble(
    each: RedeploySeen, severity: Severity, text: str, *, since: datetime | None
) -> Trouble:
    return Trouble(
        severity=severity,
        text=text.replace("_", " "),
        reason=each.text or None,
        detail=each.detail,
        since=since,
    )
