"""Which services the app redeploys by itself: those that a restart can mend, and those it is time for. Pure.

Never one that is busy, slow, not signed in to, with a bad certificate or declared wrongly: no restart
mends that. How often is the gate's business, as for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.scoring.evidence import Evidence
from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.record import Redeploy, State, Trigger
from shared.scoring.restarts import last_restart_time
from shared.scoring.service import SelfHeal, Service
from shared.scoring.state import Health, Mark, ServiceState
from shared.shortening import shortened

# What was seen longer ago says nothing about now.
_FRESH: Final = timedelta(minutes=20)
# A timed restart that could not begin by then waits for its next time.
_ON_TIME: Final = timedelta(hours=1)
_MOST_CHARACTERS: Final = 500
_DOWN: Final = frozenset(
    {
        Evidence.REFUSED,
        Evidence.CONNECT_TIMED_OUT,
        Evidence.CUT,
        Evidence.ERROR_EVERYWHERE,
        Evidence.NO_REPLICAS,
        Evidence.NOT_RUNNING,
        Evidence.HUNG,
    }
)
_WRONG: Final = frozenset(
    {Evidence.GOLDEN_DIFFERS, Evidence.ERROR_IN_ANSWER, Evidence.ERROR_STATUS}
)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why the app would redeploy a service, and what it would change."""

    trigger: Trigger
    change: Change
    reason: str


def cause_to_redeploy(
    service: Service, state: ServiceState, recent: Sequence[Redeploy], *, now: datetime
) -> Cause | None:
    """Return why to redeploy a service now; None: it is to be left alone.

    `recent`: its redeploys of the last days, oldest first.
    """
    heals = service.self_heal is not SelfHeal.OFF
    if heals and _is_mendable(state, now) and _was_seen_since(state, recent):
        return Cause(
            trigger=Trigger.HEALING,
            change=_remedy(service, state, recent),
            reason=shortened(f"{state.verdict}: {state.text}", _MOST_CHARACTERS),
        )
    return _timed(service, recent, now)


def _is_mendable(state: ServiceState, now: datetime) -> bool:
    fresh = state.checked_at is not None and now - state.checked_at < _FRESH
    if not fresh or state.health is not Health.UNHEALTHY or state.flapping:
        return False
    # What never answered right is no fault of the process that answers.
    was_right = any(each.mark is Mark.GOOD for each in state.rounds)
    return state.evidence in _DOWN or (state.evidence in _WRONG and was_right)


def _was_seen_since(state: ServiceState, recent: Sequence[Redeploy]) -> bool:
    """Whether it was checked since its last redeploy ended: what was seen before is past."""
    ends = [each.ended_at or each.created_at for each in recent if each.may_have_touched]
    return state.checked_at is not None and all(end < state.checked_at for end in ends)


def _remedy(service: Service, state: ServiceState, recent: Sequence[Redeploy]) -> Change:
    restart = Change(kind=ChangeKind.RESTART)
    if service.self_heal is SelfHeal.RESTART or not _was_restarted(state, recent):
        return restart
    # The restart did not help: what ran before the last change of image did.
    changes = [
        each
        for each in recent
        if each.change.kind is ChangeKind.IMAGE and each.state is State.SUCCEEDED
    ]
    before = changes[-1].snapshot if changes else None
    if before is None or before.digest is None:
        return restart
    name = before.image.partition("@")[0]
    return Change(kind=ChangeKind.IMAGE, target=f"{name}@{before.digest}")


def _was_restarted(state: ServiceState, recent: Sequence[Redeploy]) -> bool:
    since = state.since
    return any(
        each.trigger is Trigger.HEALING
        and each.state not in {State.REFUSED, State.ABORTED}
        and (since is None or each.created_at >= since)
        for each in recent
    )


def _timed(service: Service, recent: Sequence[Redeploy], now: datetime) -> Cause | None:
    if service.restart_schedule is None:
        return None
    due = last_restart_time(service.restart_schedule, now=now)
    # One of its own that was refused is not tried again; a dry run by hand restarted nothing.
    done = (each for each in recent if each.may_have_touched or each.trigger is Trigger.SCHEDULE)
    if now - due > _ON_TIME or any(each.created_at >= due for each in done):
        return None
    return Cause(
        trigger=Trigger.SCHEDULE,
        change=Change(kind=ChangeKind.RESTART),
        reason=f"restart_schedule: {service.restart_schedule}",
    )
