"""A tick that had nothing to do is forgotten by whoever waits for it, and by nobody else."""

import asyncio
from collections.abc import Mapping

import pytest

from shared.compute.dispatch import Nothing
from shared.compute.order import RunOrder
from shared.compute.report import Result
from shared.errors import StorageUnavailableError
from shared.metrics import Metric
from tests.support.fake_storage import FakeRunHistory
from tests.support.platform import TICK, Platform, an_estate, spend


class Remembering(FakeRunHistory):
    """A history from which nothing can be deleted."""

    async def delete_run(self, _run_id: str) -> None:
        raise StorageUnavailableError("503 ServerBusy")


def a_quiet_estate(history: FakeRunHistory | None = None, *, workers: int = 1) -> Platform:
    return Platform(
        seed=an_estate(state="Stopped"), history=history or FakeRunHistory(), workers=workers
    )


def results(platform: Platform) -> Mapping[str, Result | None]:
    return {run_id: run.result for run_id, run in platform.history.runs.items()}


async def work_all(platform: Platform) -> None:
    await asyncio.gather(*(platform.shares.work(*each) for each in platform.queue.sent))


def test_it_is_measured_once_whoever_closes_it() -> None:
    async def story() -> None:
        platform = a_quiet_estate()
        waiting = asyncio.create_task(platform.dispatch.run(RunOrder(), TICK))
        await asyncio.sleep(0.2)
        await work_all(platform)
        await work_all(platform)

        assert isinstance(await waiting, Nothing)
        assert platform.history.runs == {}
        measured = platform.telemetry.measures
        assert [each.name for each in measured].count(Metric.COMPUTE_RUN_SECONDS) == 1

    spend(story())


def test_one_that_nobody_waits_for_any_more_stays_with_its_result() -> None:
    async def story() -> None:
        platform = a_quiet_estate()
        waiting = asyncio.create_task(platform.dispatch.run(RunOrder(), TICK))
        await asyncio.sleep(0.2)
        waiting.cancel()

        await work_all(platform)

        assert list(results(platform).values()) == [Result.SUCCEEDED]
        assert platform.telemetry.events == []

    spend(story())


def test_one_that_cannot_be_forgotten_is_quiet_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        platform = a_quiet_estate(Remembering())

        assert isinstance(await platform.run(occasion=TICK), Nothing)
        assert list(results(platform).values()) == [Result.SUCCEEDED]
        assert platform.telemetry.events == []

    spend(story())

    assert "could not forget" in caplog.text


def test_one_whose_record_somebody_took_away_looks_for_itself_and_says_so() -> None:
    async def story() -> None:
        platform = a_quiet_estate()
        asyncio.get_running_loop().call_later(0.2, platform.history.runs.clear)

        report = await platform.report(TICK)

        assert (report.result, report.counts.seen) == (Result.SUCCEEDED, 2)
        assert "history" in platform.lost()

    spend(story())
