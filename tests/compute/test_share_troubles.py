"""What becomes of a run whose shares, workers or storage are lost."""

import asyncio
from datetime import timedelta

import pytest

from shared.compute.answers import carry_out_scheduled
from shared.compute.closing import OVERDUE_AFTER, close_overdue, compile_run
from shared.compute.dispatch import LONGEST_ANSWER, LONGEST_TICK, GoesOn
from shared.compute.order import RunOrder
from shared.compute.report import Outcome, Result, RunReport, WorkspaceResult
from shared.errors import (
    AzureRequestError,
    CredentialError,
    NothingEnumeratedError,
    OpsError,
    RunNotSucceededError,
)
from shared.telemetry import Event
from tests.storage.runs import a_run
from tests.support.builders import NIGHT, OTHER_SUBSCRIPTION, SUBSCRIPTION
from tests.support.fake_storage import FakeShareQueue
from tests.support.platform import BOTH, HTTP, TICK, Platform, an_estate, spend

NO_VAULT = CredentialError("aml-ops-client-secret: Key Vault answered 503", retryable=True)
FORBIDDEN = AzureRequestError("403 AuthorizationFailed", status=403, code="AuthorizationFailed")
BUSY = AzureRequestError("503 ServerBusy", status=503, code="ServerBusy", retryable=True)


SILENCE = 60.0


class SilentQueue(FakeShareQueue):
    """A queue whose service takes its time to fail."""

    async def send(self, run_id: str, share_id: str) -> None:
        await asyncio.sleep(SILENCE if self.away else 0)
        await super().send(run_id, share_id)


def test_a_share_whose_worker_was_lost_is_taken_up_without_a_second_request() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        await platform.lose_worker(run_id, SUBSCRIPTION)

        await asyncio.gather(*(platform.shares.work(run_id, share) for share in BOTH))

        report = await compile_run(platform.history, platform.history.runs[run_id])
        assert report is not None
        assert [i.outcome for i in report.instances] == [Outcome.STOPPED] * 2
        assert [(i.state_before, i.decision, i.reason) for i in report.instances] == (
            [("Running", "stop", "running")] * 2
        )
        assert platform.asked == ["ci-ada", "ci-bob"]

    spend(story())


@pytest.mark.parametrize("later", [3, 100], ids=["stopping", "stopped"])
def test_a_tick_that_lost_the_worker_that_asked_is_told_and_kept(later: float) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        waiting = asyncio.create_task(platform.dispatch.run(RunOrder(), TICK))
        await asyncio.sleep(2)
        lost = [asyncio.create_task(platform.shares.work(*each)) for each in platform.queue.sent]
        await asyncio.sleep(3)
        for worker in lost:
            worker.cancel()
        await asyncio.sleep(later)

        await asyncio.gather(*(platform.shares.work(*each) for each in platform.queue.sent))

        report = await waiting
        assert isinstance(report, RunReport)
        assert {i.name: i.outcome for i in report.instances} == {
            "ci-ada": Outcome.STOPPED,
            "ci-bob": Outcome.STOPPED,
        }
        assert platform.finished() == [Result.SUCCEEDED]
        assert len(platform.telemetry.named(Event.COMPUTE_RUN_STARTED)) == 1
        ended = platform.telemetry.named(Event.COMPUTE_INSTANCE_OUTCOME)
        assert [said["reason"] for said in ended] == ["running"] * 2

    spend(story())


def test_a_tick_that_lost_a_worker_is_kept_although_its_successor_found_nothing_to_do() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate(state="Stopped"))
        waiting = asyncio.create_task(platform.dispatch.run(RunOrder(), TICK))
        await asyncio.sleep(2)
        await platform.history.begin_share(*platform.queue.sent[0])

        await asyncio.gather(*(platform.shares.work(*each) for each in platform.queue.sent))

        assert isinstance(await waiting, RunReport)
        assert platform.finished() == [Result.SUCCEEDED]

    spend(story())


def test_a_share_that_was_given_up_reads_as_unreadable_and_closes_the_run() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        await platform.shares.work(run_id, SUBSCRIPTION)

        await platform.shares.give_up(run_id, OTHER_SUBSCRIPTION)

        record = platform.history.runs[run_id]
        report = await compile_run(platform.history, record)
        assert record.result is Result.PARTIAL
        assert report is not None
        unread = [w for w in report.workspaces if w.result is WorkspaceResult.UNREADABLE]
        assert [w.id for w in unread] == [f"/subscriptions/{OTHER_SUBSCRIPTION}"]

    spend(story())


def test_a_share_that_cannot_sign_in_comes_back_and_asks_each_machine_once() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        await platform.shares.work(run_id, SUBSCRIPTION)
        platform.fail(OTHER_SUBSCRIPTION, NO_VAULT)

        with pytest.raises(CredentialError):
            await platform.shares.work(run_id, OTHER_SUBSCRIPTION)
        platform.azure.failures.clear()
        await platform.shares.work(run_id, OTHER_SUBSCRIPTION)

        assert platform.finished() == [Result.SUCCEEDED]
        assert platform.asked == ["ci-ada", "ci-bob"]
        assert platform.telemetry.named(Event.COMPUTE_WORKSPACE_UNREADABLE) == []

    spend(story())


def test_a_share_that_was_given_up_says_why_its_last_try_failed() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        await platform.shares.work(run_id, SUBSCRIPTION)
        platform.fail(OTHER_SUBSCRIPTION, NO_VAULT)
        with pytest.raises(CredentialError):
            await platform.shares.work(run_id, OTHER_SUBSCRIPTION)

        await platform.shares.give_up(run_id, OTHER_SUBSCRIPTION)

        (told,) = platform.telemetry.named(Event.COMPUTE_WORKSPACE_UNREADABLE)
        assert str(NO_VAULT) in str(told["error"])
        assert told["scope_id"] == f"/subscriptions/{OTHER_SUBSCRIPTION}"
        assert platform.finished() == [Result.PARTIAL]

    spend(story())


def test_a_share_that_nobody_could_bring_back_reads_as_unreadable() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        platform.queue.away = True
        platform.fail(OTHER_SUBSCRIPTION, NO_VAULT)

        report = await platform.report()

        assert report.result is Result.PARTIAL
        assert platform.asked == ["ci-ada"]

    spend(story())


@pytest.mark.parametrize(
    ("why", "retryable"), [(FORBIDDEN, False), (BUSY, True)], ids=["for good", "for now"]
)
def test_a_run_that_could_read_nothing_says_whether_it_may_later(
    why: OpsError,
    retryable: bool,  # noqa: FBT001  # a case
) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        for subscription in BOTH:
            platform.fail(subscription, why)

        with pytest.raises(NothingEnumeratedError) as raised:
            await platform.run()

        assert raised.value.retryable is retryable
        assert platform.finished() == [Result.FAILED]

    spend(story())


@pytest.mark.parametrize("narrowed", [RunOrder(), RunOrder(instances=["ci-ada"])])
def test_subscriptions_that_could_not_be_listed_are_not_asked_for_again(narrowed: RunOrder) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        platform.azure.hanging.add("/subscriptions")
        platform.azure.failures["/subscriptions"] = BUSY

        with pytest.raises(NothingEnumeratedError, match="listed: 503 ServerBusy"):
            await platform.run(narrowed)

        assert platform.azure.calls == ["list_subscriptions /subscriptions"]
        (failed,) = platform.telemetry.named(Event.COMPUTE_RUN_FINISHED)
        (run,) = platform.history.runs.values()
        assert (failed["result"], run.result) == (Result.FAILED, Result.FAILED)
        assert "503 ServerBusy" in str(failed["error"])

    spend(story())


def test_what_two_workers_of_a_share_tell_is_told_apart_by_the_attempt() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate(), workers=2)

        await platform.report()

        told = [
            (said["share_id"], said["attempt"], said["instance"])
            for said in platform.telemetry.named(Event.COMPUTE_INSTANCE_OUTCOME)
        ]
        assert len(told) == len(set(told))
        assert {attempt for _, attempt, _ in told} == {1, 2}

    spend(story())


@pytest.mark.parametrize("done", [0, 1], ids=["none finished", "one finished"])
def test_a_tick_closes_an_overdue_run_with_what_was_found(done: int) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        for share in [SUBSCRIPTION][:done]:
            await platform.shares.work(run_id, share)
        late = platform.history.runs[run_id].deadline + OVERDUE_AFTER + timedelta(seconds=1)

        await close_overdue(platform.history, platform.telemetry, now=late)

        expected = Result.PARTIAL if done else Result.FAILED
        assert platform.history.runs[run_id].result is expected
        assert platform.finished() == [expected]

    spend(story())


def test_a_share_of_a_closed_run_asks_for_nothing() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        late = platform.history.runs[run_id].deadline + OVERDUE_AFTER + timedelta(seconds=1)
        await close_overdue(platform.history, platform.telemetry, now=late)

        await platform.shares.work(run_id, SUBSCRIPTION)

        assert platform.asked == []

    spend(story())


@pytest.mark.parametrize("away", ["history", "queue"])
def test_storage_that_is_away_is_told_and_everything_is_stopped_all_the_same(away: str) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        getattr(platform, away).away = True

        report = await platform.report()

        assert report.counts.stopped == 2
        assert platform.asked == ["ci-ada", "ci-bob"]
        assert len(platform.lost()) == 1

    spend(story())


def test_a_queue_that_is_away_is_waited_for_once_and_not_once_for_each_subscription() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate(), queue=SilentQueue(away=True))

        report = await platform.report()

        assert report.counts.stopped == 2
        assert report.instances[0].seen_at < NIGHT + timedelta(seconds=2 * SILENCE)
        assert len(platform.lost()) == 1

    spend(story())


def test_a_history_that_goes_away_in_mid_run_stops_nobody_from_stopping() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        loop = asyncio.get_running_loop()
        loop.call_later(2, setattr, platform.history, "away", True)  # noqa: FBT003  # setattr's own

        ended = await platform.dispatch.run(RunOrder(), HTTP)

        assert isinstance(ended, RunReport)
        assert ended.counts.stopped == 2
        assert platform.lost() == ["history"]

    spend(story())


def test_a_tick_that_loses_its_history_in_mid_run_tells_its_start_and_its_end_once() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        loop = asyncio.get_running_loop()
        loop.call_later(4, setattr, platform.history, "away", True)  # noqa: FBT003  # setattr's own

        await platform.run(occasion=TICK)

        assert len(platform.telemetry.named(Event.COMPUTE_RUN_STARTED)) == 1
        assert len(platform.finished()) == 1
        assert platform.asked == ["ci-ada", "ci-bob"]

    spend(story())


@pytest.mark.parametrize(
    "order", [RunOrder(workspaces=["mlw-churn"]), RunOrder(instances=["ci-ada"])]
)
@pytest.mark.parametrize("heals", [False, True], ids=["for good", "for a while"])
def test_a_bare_name_is_not_known_to_be_all_while_a_subscription_could_not_be_read(
    order: RunOrder, *, heals: bool
) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        platform.fail(OTHER_SUBSCRIPTION, FORBIDDEN)
        begun = await platform.dispatch.run(order, HTTP, respond_async=True)
        assert isinstance(begun, GoesOn)

        if heals:
            platform.azure.failures.clear()
        await asyncio.gather(*(platform.shares.work(*each) for each in platform.queue.sent))

        report = await compile_run(platform.history, platform.history.runs[begun.run_id])
        assert report is not None
        unread = [s.id for s in report.workspaces if s.result is WorkspaceResult.UNREADABLE]
        assert (report.result, unread) == (
            Result.PARTIAL,
            [f"/subscriptions/{OTHER_SUBSCRIPTION}"],
        )
        assert platform.asked == ["ci-ada"]

    spend(story())


def test_a_run_that_no_worker_takes_up_goes_on_past_the_wait() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())

        ended = await platform.dispatch.run(RunOrder(deadline_seconds=20), HTTP)

        assert ended == GoesOn(run_id=next(iter(platform.history.runs)), asked_for=False)

    spend(story())


def test_a_tick_whose_run_goes_on_past_the_wait_fails() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())

        with pytest.raises(RunNotSucceededError, match="had not ended in time"):
            await carry_out_scheduled(platform.dispatch, seconds=1500, past_due=False)

        waited = platform.now() - NIGHT
        assert waited <= LONGEST_TICK + timedelta(seconds=2)

    spend(story())


def test_a_tick_that_could_read_nothing_still_closes_an_overdue_run() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        overdue = a_run(started_at=NIGHT - timedelta(hours=1))
        await platform.history.open_run(overdue, orders={})
        platform.azure.failures["/subscriptions"] = NO_VAULT

        with pytest.raises(NothingEnumeratedError):
            await platform.run(occasion=TICK)

        assert platform.history.runs[overdue.run_id].result is Result.FAILED

    spend(story())


@pytest.mark.parametrize(
    ("respond_async", "seconds"), [(False, 188), (True, 200)], ids=["waits", "goes away"]
)
def test_who_waits_is_answered_before_the_platform_hangs_up(
    respond_async: bool,  # noqa: FBT001  # a case
    seconds: int,
) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())

        ended = await platform.dispatch.run(RunOrder(), HTTP, respond_async=respond_async)

        (run,) = platform.history.runs.values()
        assert isinstance(ended, GoesOn)
        assert run.deadline - run.started_at == timedelta(seconds=seconds)
        assert platform.now() - NIGHT <= LONGEST_ANSWER + timedelta(seconds=2)

    spend(story())
