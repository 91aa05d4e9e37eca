"""End a redeploy whose state is final: end its maintenance, begin the next stage, and tell it.

All of it can be done again: a crash in between repeats it, and nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.scoring.examination import Subject
from shared.scoring.records import MaintenanceWindows
from shared.scoring.redeploy.carrying_out import window_owner
from shared.scoring.redeploy.narration import tell_end
from shared.scoring.redeploy.opening import Occasion, Opening, new_redeploy, refused_at_once
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Ground, Redeploy, Refusal, State, Trigger
from shared.telemetry import Telemetry


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What is done once a redeploy has ended. `find` returns a service by name, None: nobody's."""

    opening: Opening
    maintenance: MaintenanceWindows
    find: Callable[[str], Awaitable[Subject | None]]
    telemetry: Telemetry
    now: Callable[[], datetime]

    async def end(self, redeploy: Redeploy) -> None:
        """Do all of it. Raises StorageUnavailableError: it is done again then."""
        window = await self.maintenance.get(redeploy.service.name)
        if window and window.opened_by == window_owner(redeploy):
            await self.maintenance.delete(redeploy.service.name)
        if redeploy.next_id:
            await self._begin_next(redeploy)
        tell_end(self.telemetry, redeploy)

    async def _begin_next(self, done: Redeploy) -> None:
        following = await self._next_stage(done)
        opened = await self.opening.redeploys.open(following)
        if opened is None:
            await self._resume_or_refuse(following)
        elif opened.is_closed:
            tell_end(self.telemetry, opened)
        else:
            await self.opening.queue.send(opened.redeploy_id, opened.step, delay=timedelta(0))

    async def _resume_or_refuse(self, following: Redeploy) -> None:
        stored = await self.opening.redeploys.get(following.redeploy_id)
        if stored is not None:
            # Begun before a crash: asked for again, in case its message was never sent.
            await self.opening.queue.send(stored.redeploy_id, stored.step, delay=timedelta(0))
            return
        refusal = Refusal(ground=Ground.IN_PROGRESS, text="the service has another redeploy")
        refused = refused_at_once(following, refusal, now=self.now())
        await self.opening.redeploys.open(refused)
        tell_end(self.telemetry, refused)

    async def _next_stage(self, done: Redeploy) -> Redeploy:
        name, *later = done.stages
        subject = await self.find(name)
        order = RedeployOrder(change=done.change, reason=done.reason, stages=tuple(later))
        occasion = Occasion(
            trigger=Trigger.PROMOTION, asked_by=done.asked_by, previous_id=done.redeploy_id
        )
        # Without the service there is nobody to move: the stage is recorded under the last one.
        known = subject or done.subject
        following = replace(
            new_redeploy(known, order, occasion, now=self.now()), redeploy_id=done.next_id
        )
        if subject is not None:
            return following
        refusal = Refusal(ground=Ground.SERVICE_GONE, text=f"there is no service {name} any more")
        return refused_at_once(following, refusal, now=self.now())


def has_next(redeploy: Redeploy) -> bool:
    """Whether a proven redeploy leads to a next stage; a dry run has proven nothing."""
    return redeploy.state is State.SUCCEEDED and bool(redeploy.stages) and not redeploy.dry_run
