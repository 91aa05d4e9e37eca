"""Open a redeploy: hold its service, record what is asked, and ask for the first step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.errors import StorageUnavailableError
from shared.scoring.examination import Subject
from shared.scoring.redeploy.gate import Allowance, grounds_at_the_door
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Ground, Redeploy, Refusal, State, Task, Trigger
from shared.scoring.redeploy.redeploys import Redeploys, StepQueue
from shared.scoring.redeploy.surroundings import Surroundings
from shared.time_ordered_id import new_id

# What a caller is better told at once: it holds no more after a while.
AT_ONCE: Final = frozenset({Ground.COOLDOWN, Ground.BUDGET_SPENT})
_AT_ONCE: Final = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class InProgress:
    """The service has another redeploy."""

    other: Redeploy


@dataclass(frozen=True, kw_only=True)
class TooOften:
    """The service was redeployed often enough for now."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """Who or what begins a redeploy. `asked_by` is empty where nobody was authenticated."""

    trigger: Trigger
    asked_by: str = ""
    previous_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Opens redeploys, whatever begins them."""

    redeploys: Redeploys
    queue: StepQueue
    surroundings: Surroundings
    now: Callable[[], datetime]
    allowance: Allowance

    async def open(
        self, subject: Subject, order: RedeployOrder, occasion: Occasion
    ) -> Redeploy | InProgress | TooOften:
        """Open one; what else speaks against it is found, and recorded, by its gate.

        Raises StorageUnavailableError.
        """
        asked = new_redeploy(subject, order, occasion, now=self.now())
        other = await self.redeploys.active(subject.service.name)
        if other is not None:
            return InProgress(other=other)
        refusals = await self._too_often(asked)
        if refusals:
            return TooOften(refusals=refusals)
        opened = await self.redeploys.open(asked)
        if opened is None:
            return await self._overtaken(asked)
        await self.send_first(opened)
        return opened

    async def send_first(self, opened: Redeploy) -> None:
        """Ask for the first step; an opened one that nobody is asked for gives its service free."""
        try:
            await self.queue.send(opened.redeploy_id, opened.step, delay=_AT_ONCE)
        except StorageUnavailableError:
            await self.redeploys.save(_given_back(opened, now=self.now()))
            raise

    async def _too_often(self, asked: Redeploy) -> tuple[Refusal, ...]:
        seen = await self.surroundings.of(asked, now=asked.created_at)
        found = grounds_at_the_door(asked, seen, allowance=self.allowance)
        return tuple(each for each in found if each.ground in AT_ONCE)

    async def _overtaken(self, asked: Redeploy) -> InProgress:
        other = await self.redeploys.active(asked.service.name)
        if other is None:
            raise StorageUnavailableError(
                "another redeploy of the service has just ended: ask again"
            )
        return InProgress(other=other)


def new_redeploy(
    subject: Subject, order: RedeployOrder, occasion: Occasion, *, now: datetime
) -> Redeploy:
    """Return what is asked, as its record begins."""
    return Redeploy(
        redeploy_id=new_id(now),
        service=subject.service,
        url=subject.url,
        change=order.change,
        reason=order.reason,
        created_at=now,
        trigger=occasion.trigger,
        dry_run=order.dry_run,
        asked_by=occasion.asked_by,
        stages=order.stages,
        previous_id=occasion.previous_id,
        task_since=now,
        due_at=now,
    )


def refused_at_once(redeploy: Redeploy, refusal: Refusal, *, now: datetime) -> Redeploy:
    """Return it as it ends that never held its service."""
    return replace(
        redeploy,
        state=State.REFUSED,
        task=Task.CLOSE,
        refusals=(refusal,),
        said=f"{refusal.text}; nothing was changed",
        ended_at=now,
        is_closed=True,
    )


def _given_back(opened: Redeploy, *, now: datetime) -> Redeploy:
    text = "the queue of steps could not be reached"
    return refused_at_once(opened, Refusal(ground=Ground.GAVE_UP, text=text), now=now)
