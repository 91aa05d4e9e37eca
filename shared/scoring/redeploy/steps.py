"""One message, one step of a redeploy: take it up, carry it out, send for the next, record it.

In this order, whatever is killed in between leaves a message that brings the step back: the next
one's message is sent before the record says that this one ended. Who arrives too early waits, who
arrives too late is dropped; and a step that was begun too often is undone. The record counts that,
not the message: while our own storage is away, nothing was begun.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from shared.errors import StorageUnavailableError
from shared.scoring.redeploy.carrying_out import Hands
from shared.scoring.redeploy.ending import Ending, has_next
from shared.scoring.redeploy.flow import Limits, aborted, advance, closed, given_up
from shared.scoring.redeploy.narration import tell_step, tell_taken_over
from shared.scoring.redeploy.record import Redeploy, Task
from shared.scoring.redeploy.redeploys import Redeploys, StepQueue
from shared.telemetry import Telemetry
from shared.time_ordered_id import new_id

# Longer than a step may take: while it runs, nobody else is at it.
LEASE: Final = timedelta(seconds=90)
MAX_TRIES: Final = 5
# A message that is so late was lost.
LOST_AFTER: Final = timedelta(minutes=5)
_A_MOMENT: Final = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The use case of scoring_queue."""

    redeploys: Redeploys
    queue: StepQueue
    hands: Hands
    ending: Ending
    telemetry: Telemetry
    now: Callable[[], datetime]
    limits: Limits = field(default_factory=Limits)

    async def work(self, redeploy_id: str, step: int) -> None:
        """Carry out the step that a message asks for.

        Raises what is wrong with our own storage or code: the message then comes back.
        """
        found = await self.redeploys.get(redeploy_id)
        if found is None or found.is_closed or step < found.step:
            return
        taken = await self._take_up(found)
        if taken is None:
            await self._put_off(found)
            return
        await self._work_on(taken)

    async def revive(self) -> int:
        """Ask again for steps whose messages were lost; returns for how many."""
        now = self.now()
        lost = [
            each
            for each in await self.redeploys.list_active()
            if now > each.due_at + LOST_AFTER and not each.is_held(now)
        ]
        for each in lost:
            await self.queue.send(each.redeploy_id, each.step, delay=timedelta(0))
        return len(lost)

    async def _work_on(self, taken: Redeploy) -> None:
        left: Redeploy | None = replace(taken, owner="")
        try:
            await self._hand_on(taken, await self._carry_out(taken))
            left = None
        except StorageUnavailableError:
            # No fault of the step's, so not counted; but that it was begun once stays known.
            left = replace(taken, owner="", tries=max(1, taken.tries - 1))
            raise
        finally:
            # Whoever gets the message next need not wait for a lease that nobody uses.
            if left is not None:
                with suppress(StorageUnavailableError):
                    await self.redeploys.save(left)

    async def _take_up(self, found: Redeploy) -> Redeploy | None:
        now = self.now()
        if found.is_held(now):
            return None
        mine = replace(found, owner=uuid4().hex, lease_until=now + LEASE, tries=found.tries + 1)
        return await self.redeploys.save(mine)

    async def _put_off(self, found: Redeploy) -> None:
        until = found.lease_until or self.now() + LEASE
        delay = max(_A_MOMENT, until - self.now() + _A_MOMENT)
        await self.queue.send(found.redeploy_id, found.step, delay=delay)

    async def _carry_out(self, taken: Redeploy) -> Redeploy:
        is_last_try = taken.tries > MAX_TRIES
        if taken.task is Task.CLOSE:
            await self.ending.end(taken, is_last_try=is_last_try)
            return closed(taken, now=self.now())
        if is_last_try:
            why = f"step {taken.step} ({taken.task}) was begun {MAX_TRIES} times and never ended"
            return self._with_next(given_up(taken, why, now=self.now()))
        return await self._aborted(taken) or await self._advanced(taken)

    async def _aborted(self, taken: Redeploy) -> Redeploy | None:
        if taken.aborted is not None:
            return None
        abort = await self.redeploys.abort_of(taken.redeploy_id)
        return aborted(taken, abort, now=self.now()) if abort else None

    async def _advanced(self, taken: Redeploy) -> Redeploy:
        seen = await self.hands.carry_out(taken)
        return self._with_next(advance(taken, seen, now=self.now(), limits=self.limits))

    def _with_next(self, after: Redeploy) -> Redeploy:
        # Named now, so that a stage that is begun twice is the same one.
        return replace(after, next_id=new_id(self.now())) if has_next(after) else after

    async def _hand_on(self, taken: Redeploy, after: Redeploy) -> None:
        if not after.is_closed:
            delay = max(timedelta(0), after.due_at - self.now())
            await self.queue.send(after.redeploy_id, after.step, delay=delay)
        if await self.redeploys.save(after) is None:
            tell_taken_over(taken)
        elif taken.task is not Task.CLOSE:
            tell_step(self.telemetry, taken, after)
            if after.task is Task.CLOSE:
                # Here and now, so that its service is free when people see the end; the message
                # that was sent for it matters only if this worker is lost.
                await self.work(after.redeploy_id, after.step)
