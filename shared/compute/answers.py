"""Carry out a run for a caller: an HTTP request gets an answer, a timer fails or does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol

from shared.compute.dispatch import Dispatch, GoesOn, Nothing
from shared.compute.order import RunOrder
from shared.compute.report import Result, RunReport, Trigger
from shared.compute.run import Occasion
from shared.compute.shutdown import Shutdown
from shared.errors import RunNotSucceededError
from shared.replies import Reply, json_reply


async def carry_out(
    shutdown: Shutdown, order: RunOrder, *, planned_for: datetime | None = None
) -> Reply:
    """Run and answer with the report: 200 if it succeeded, 207 if it names what did not."""
    report = await shutdown.run(order, Occasion(trigger=Trigger.HTTP, planned_for=planned_for))
    return _report(report)


async def carry_out_now(
    runner: Dispatch | Shutdown, order: RunOrder, *, respond_async: bool
) -> Reply:
    """Run as the caller orders: spread where that can be, but for a plan, which is made here."""
    if isinstance(runner, Dispatch) and not order.dry_run:
        return await carry_out_spread(runner, order, respond_async=respond_async)
    return await carry_out(runner.shutdown if isinstance(runner, Dispatch) else runner, order)


async def carry_out_spread(dispatch: Dispatch, order: RunOrder, *, respond_async: bool) -> Reply:
    """Run over the platform's workers; 202 and where to look for a run that goes on."""
    occasion = Occasion(trigger=Trigger.HTTP)
    ended = await dispatch.run(order, occasion, respond_async=respond_async)
    if isinstance(ended, RunReport):
        return _report(ended)
    if isinstance(ended, Nothing):
        # Only a tick that had nothing to do leaves none.
        raise RunNotSucceededError("the run left no report")
    return _accepted(ended)


class Runner(Protocol):
    """Carries out runs: in this worker alone, or spread over many."""

    async def run(self, order: RunOrder, occasion: Occasion) -> RunReport | GoesOn | Nothing:
        """Carry out one run."""


async def carry_out_scheduled(
    runner: Runner, *, seconds: float, past_due: bool, scheduled_at: datetime | None = None
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
    ended = await runner.run(RunOrder(respect_schedule=True), occasion)
    if isinstance(ended, GoesOn):
        raise RunNotSucceededError(f"run {ended.run_id} had not ended in time")
    if isinstance(ended, RunReport) and ended.result is not Result.SUCCEEDED:
        raise RunNotSucceededError(ended.summary)


def _report(report: RunReport) -> Reply:
    succeeded = report.result is Result.SUCCEEDED
    status = HTTPStatus.OK if succeeded else HTTPStatus.MULTI_STATUS
    return json_reply(report.model_dump_json(), status=status)


def _accepted(run: GoesOn) -> Reply:
    headers = {"Location": f"/api/compute/runs/{run.run_id}"}
    if run.asked_for:
        headers["Preference-Applied"] = "respond-async"
    body = f'{{"run_id":"{run.run_id}"}}'
    return json_reply(body, status=HTTPStatus.ACCEPTED, headers=headers)
