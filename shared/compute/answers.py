"""Carry out a run for a caller: an HTTP request gets an answer, a timer fails or does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from shared.compute.order import RunOrder
from shared.compute.report import Result, Trigger
from shared.compute.run import Occasion
from shared.compute.shutdown import Shutdown
from shared.errors import RunNotSucceededError
from shared.replies import Reply, json_reply


async def carry_out(
    shutdown: Shutdown, order: RunOrder, *, planned_for: datetime | None = None
) -> Reply:
    """Run and answer with the report: 200 if it succeeded, 207 if it names what did not."""
    report = await shutdown.run(order, Occasion(trigger=Trigger.HTTP, planned_for=planned_for))
    succeeded = report.result is Result.SUCCEEDED
    status = HTTPStatus.OK if succeeded else HTTPStatus.MULTI_STATUS
    return json_reply(report.model_dump_json(), status=status)


async def carry_out_scheduled(
    shutdown: Shutdown, *, seconds: float, past_due: bool, scheduled_at: datetime | None = None
) -> None:
    """Run over the whole estate; raises RunNotSucceededError unless all came to a good end.

    A tick is level-triggered: past due or on time, it decides by what it sees now.
    """
    occasion = Occasion(
        trigger=Trigger.TIMER,
        time_limit=timedelta(seconds=seconds),
        past_due=past_due,
        scheduled_at=scheduled_at,
    )
    report = await shutdown.run(RunOrder(respect_schedule=True), occasion)
    if report.result is not Result.SUCCEEDED:
        raise RunNotSucceededError(report.summary)
