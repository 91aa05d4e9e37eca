"""End a redeploy whose state is final: end its maintenance, begin the next stage, and tell it.

All of it can be done again: a crash in between repeats it, and nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.errors import ServiceFileError
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

    async def end(self, redeploy: Redeploy, *, is_last_try: bool = False) -> None:
        """Do all of it. Raises StorageUnavailableError or ServiceFileError: it is done again then.

        `is_last_try`: a next stage whose service still cannot be looked up is refused, for else
        the service of this one would never be free again.
        """
        window = await self.maintenance.get(redeploy.service.name)
        if window and window.opened_by == window_owner(redeploy):
            await self.maintenance.delete(redeploy.service.name)
        if redeploy.next_id:
            await self._begin_next(redeploy, is_last_try=is_last_try)
        tell_end(self.telemetry, redeploy)

    async def _begin_next(self, done: Redeploy, *, is_last_try: bool) -> None:
        following = await self._next_stage(done, is_last_try=is_last_try)
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

    async def _next_stage(self, done: Redeploy, *, is_last_try: bool) -> Redeploy:
        name, *later = done.stages
        subject, refusal = await self._looked_up(name, is_last_try=is_last_try)
        order = RedeployOrder(change=done.change, reason=done.reason, stages=tuple(later))
        occasion = Occasion(
            trigger=Trigger.PROMOTION, asked_by=done.asked_by, previous_id=done.redeploy_id
        )
        # Without the service there is nobody to move: the stage is recorded under the last one.
        known = subject or done.subject
        following = replace(
            new_redeploy(known, order, occasion, now=self.now()), redeploy_id=done.next_id
        )
        return refused_at_once(following, refusal, now=self.now()) if refusal else following

    async def _looked_up(
        self, name: str, *, is_last_try: bool
    ) -> tuple[Subject | None, Refusal | None]:
        """Return a stage's service, or why the stage is refused."""
        try:
            subject = await self.find(name)
        except ServiceFileError as error:
            if not is_last_try:
                raise
            text = f"{name} could not be looked up: {error}"[:500]
            return None, Refusal(ground=Ground.GAVE_UP, text=text)
        if subject is not None:
            return subject, None
        text = f"there is no service {name} any more"
        return None, Refusal(ground=Ground.SERVICE_GONE, text=text)


def has_next(redeploy: Redeploy) -> bool:
    """Whether a proven redeploy leads to a next stage; a dry run has proven nothing."""
    return redeploy.state is State.SUCCEEDED and bool(redeploy.stages) and not redeploy.dry_run
