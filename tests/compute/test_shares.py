"""A run in shares: any worker takes one up, each asks once, and the last one closes the run."""

import asyncio

import pytest

from shared.compute.closing import compile_run
from shared.compute.dispatch import Nothing
from shared.compute.order import RunOrder
from shared.compute.report import Outcome, Result, RunReport
from shared.errors import (
    InvalidRequestError,
)
from shared.metrics import Metric
from shared.telemetry import Event
from tests.support.builders import OTHER_SUBSCRIPTION
from tests.support.platform import BOTH, HTTP, TICK, Platform, an_estate, spend


def test_a_run_is_sent_as_one_share_per_subscription_and_reported_whole() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())

        report = await platform.report()

        record = platform.history.runs[report.run_id]
        assert set(record.shares) == BOTH
        assert {i.name: i.outcome for i in report.instances} == {
            "ci-ada": Outcome.STOPPED,
            "ci-bob": Outcome.STOPPED,
        }
        assert (record.result, report.result) == (Result.SUCCEEDED, Result.SUCCEEDED)
        assert await compile_run(platform.history, record) == report

    spend(story())


def test_a_message_that_comes_twice_asks_once_and_closes_once() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate(), workers=2)

        report = await platform.report()

        assert report.counts.stopped == 2
        assert platform.asked == ["ci-ada", "ci-bob"]
        assert platform.finished() == [Result.SUCCEEDED]

    spend(story())


def test_a_tick_that_has_nothing_to_do_leaves_only_a_metric() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate(state="Stopped"))

        ended = await platform.run(occasion=TICK)

        assert isinstance(ended, Nothing)
        assert platform.history.runs == {}
        assert platform.telemetry.events == []
        assert platform.telemetry.total(Metric.COMPUTE_RUN_SECONDS) > 0

    spend(story())


def test_a_tick_that_has_something_to_do_tells_its_start_once() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())

        await platform.report(occasion=TICK)

        assert len(platform.telemetry.named(Event.COMPUTE_RUN_STARTED)) == 1
        assert platform.finished() == [Result.SUCCEEDED]

    spend(story())


def test_an_order_is_cut_to_the_subscriptions_that_it_names_something_in() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())

        ended = await platform.run(RunOrder(instances=["ci-bob"]))

        assert isinstance(ended, RunReport)
        assert platform.asked == ["ci-bob"]
        assert platform.history.runs[ended.run_id].shares == (OTHER_SUBSCRIPTION,)

    spend(story())


def test_an_order_that_names_what_is_not_there_leaves_no_record() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())

        with pytest.raises(InvalidRequestError):
            await platform.run(RunOrder(instances=["ci-zoe"]))

        assert (platform.history.runs, platform.asked) == ({}, [])

    spend(story())


def test_two_runs_at_once_ask_each_machine_once() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        delivering = asyncio.create_task(platform.deliver())

        first, second = await asyncio.gather(
            platform.dispatch.run(RunOrder(), HTTP), platform.dispatch.run(RunOrder(), TICK)
        )

        delivering.cancel()
        assert isinstance(first, RunReport)
        assert isinstance(second, RunReport)
        assert platform.asked == ["ci-ada", "ci-bob"]
        ends = sorted(i.outcome for report in (first, second) for i in report.instances)
        assert ends == [Outcome.ALREADY_STOPPED] * 2 + [Outcome.STOPPED] * 2

    spend(story())
