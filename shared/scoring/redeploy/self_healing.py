"""Look after services between rounds: heal those that ask for it, restart those whose time it is.

Level-triggered: each tick decides anew by what is recorded, so that a tick that is missed, or that
comes twice, does no harm. What speaks against it is weighed before anything is queued.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.scoring.examination import Subject
from shared.scoring.redeploy.gate import grounds_at_the_door
from shared.scoring.redeploy.healing import Cause, cause_to_redeploy
from shared.scoring.redeploy.narration import tell_gave_up
from shared.scoring.redeploy.opening import Occasion, Opening, new_redeploy, refused_at_once
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Ground, Redeploy, Refusal, Trigger
from shared.scoring.service import SelfHeal
from shared.scoring.state import ServiceState
from shared.telemetry import Telemetry

# Far enough to know what ran before the last change of image.
_MEMORY: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class SelfHealing:
    """The use case of redeploy_timer, for services that the app may redeploy by itself."""

    opening: Opening
    telemetry: Telemetry
    now: Callable[[], datetime]

    async def care(self, subjects: Sequence[Subject]) -> Sequence[Redeploy]:
        """Begin what is due; returns what was begun. Raises StorageUnavailableError."""
        asking = [each for each in subjects if may_be_touched(each)]
        if not asking:
            return ()
        states = await self.opening.surroundings.records.states.load()
        begun = [
            await self._care_for(each, states.get(each.service.name, ServiceState()))
            for each in asking
        ]
        return [each for each in begun if each is not None]

    async def _care_for(self, subject: Subject, state: ServiceState) -> Redeploy | None:
        now, name = self.now(), subject.service.name
        # Its past can only speak against it, and is not read of all those that are well.
        if cause_to_redeploy(subject.service, state, (), now=now) is None:
            return None
        recent = await self.opening.redeploys.list_recent(name, since=now - _MEMORY)
        cause = cause_to_redeploy(subject.service, state, recent, now=now)
        if cause is None or any(not each.is_closed for each in recent):
            return None
        order, occasion = _order(cause), Occasion(trigger=cause.trigger)
        asked = new_redeploy(subject, order, occasion, now=now)
        seen = await self.opening.surroundings.of(asked, now=now)
        refusals = grounds_at_the_door(asked, seen, allowance=self.opening.allowance)
        if refusals:
            await self._told_once(asked, refusals, recent, state)
            return None
        opened = await self.opening.open(subject, order, occasion)
        return opened if isinstance(opened, Redeploy) else None

    async def _told_once(
        self,
        asked: Redeploy,
        refusals: Sequence[Refusal],
        recent: Sequence[Redeploy],
        state: ServiceState,
    ) -> None:
        """Record and tell that healing has come to its end; all else will pass, and is not told."""
        spent = next((each for each in refusals if each.ground is Ground.BUDGET_SPENT), None)
        if spent is None or asked.trigger is not Trigger.HEALING or _has_given_up(recent):
            return
        refused = refused_at_once(asked, spent, now=self.now())
        await self.opening.redeploys.open(refused)
        tell_gave_up(self.telemetry, refused, state)


def may_be_touched(subject: Subject) -> bool:
    """Whether its team lets the app redeploy it by itself."""
    service = subject.service
    return service.self_heal is not SelfHeal.OFF or service.restart_schedule is not None


def _order(cause: Cause) -> RedeployOrder:
    return RedeployOrder(change=cause.change, reason=cause.reason)


def _has_given_up(recent: Sequence[Redeploy]) -> bool:
    """Whether that was told since it was last redeployed, whatever was asked in vain meanwhile."""
    for each in reversed(recent):
        if each.may_have_touched:
            return False
        spent = any(refusal.ground is Ground.BUDGET_SPENT for refusal in each.refusals)
        if spent and each.trigger is Trigger.HEALING:
            return True
    return False
