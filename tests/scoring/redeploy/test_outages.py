"""Redeploys of a good version while something of our own is away: none of it is a reason to undo."""

from datetime import timedelta

import pytest

from shared.errors import AzureRequestError, CredentialError
from shared.scoring.redeploy.record import Abort, Redeploy, State
from tests.support.fake_mover import FakeMover, away
from tests.support.redeploy_stage import RedeployStage
from tests.support.redeploys_to_the_end import (
    CHANGED,
    NEW_IMAGE,
    PUT_BACK,
    assert_all_is_tidy,
    ended,
)

# When something goes away, in seconds after the order, and for how many minutes.
BEGINNINGS = range(1, 131, 10)
LENGTHS = (1, 2.5, 3, 4, 5, 8, 13, 30, 120)


async def with_tables_away(stage: RedeployStage, *, after: timedelta, length: timedelta) -> None:
    """Carry out a redeploy; its tables are away for a while, and the timer sees to what is lost."""
    await stage.run(until=after)
    stage.store.away, over = True, stage.clock + length
    await stage.run(until=length)
    stage.store.away, stage.clock = False, max(stage.clock, over)
    await stage.worker().revive()
    await stage.run()


def slow() -> FakeMover:
    """A platform that is looked at seven times before it says ready."""
    return FakeMover(looks=7)


@pytest.mark.parametrize("minutes", LENGTHS)
async def test_tables_that_are_away_while_queues_work_undo_nothing(minutes: float) -> None:
    for seconds in BEGINNINGS:
        stage = RedeployStage(mover=slow())
        redeploy_id = await stage.opened(order=NEW_IMAGE)

        await with_tables_away(
            stage, after=timedelta(seconds=seconds), length=timedelta(minutes=minutes)
        )

        assert_was_proven(await stage.redeploy(redeploy_id), stage)


@pytest.mark.parametrize("minutes", LENGTHS)
async def test_a_host_that_was_asleep_undoes_nothing(minutes: float) -> None:
    for seconds in BEGINNINGS:
        stage = RedeployStage(mover=slow())
        redeploy_id = await stage.opened(order=NEW_IMAGE)

        await stage.run(until=timedelta(seconds=seconds))
        stage.clock += timedelta(minutes=minutes)
        await stage.run()

        assert_was_proven(await stage.redeploy(redeploy_id), stage)


@pytest.mark.parametrize("failures", [5, 6, 20])
async def test_a_queue_that_takes_no_messages_undoes_nothing(failures: int) -> None:
    for sent in range(1, 14):
        stage = RedeployStage(mover=slow())
        redeploy_id = await stage.opened(order=NEW_IMAGE)

        stage.queue.refuses = range(sent, sent + failures)
        await stage.run()

        assert_was_proven(await stage.redeploy(redeploy_id), stage)


def assert_was_proven(end: Redeploy, stage: RedeployStage) -> None:
    assert end.state is State.SUCCEEDED, end.said
    assert stage.mover.effects == CHANGED
    assert_all_is_tidy(stage)


@pytest.mark.parametrize("call", ["platform_state", "complete"])
async def test_a_platform_that_cannot_be_asked_for_half_an_hour_undoes_nothing(call: str) -> None:
    stage = RedeployStage(mover=FakeMover(looks=2, errors={call: away(35)}))
    began = stage.clock

    end = await ended(stage)

    assert_was_proven(end, stage)
    assert stage.clock - began > timedelta(minutes=30)


async def test_a_vault_that_is_away_while_a_good_version_is_to_be_proven_undoes_nothing() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    stage.credentials.problems["weight"] = "Key Vault did not answer within 5 s"
    stage.credentials.unavailable.add("weight")
    await stage.run(until=timedelta(minutes=40))
    waiting = await stage.redeploy(redeploy_id)
    stage.credentials.problems.clear()

    await stage.run()

    assert (waiting.state, waiting.proofs) == (State.PROVING, ()), "nothing was asked"
    assert "Key Vault did not answer" in waiting.steps[-1].text
    assert_was_proven(await stage.redeploy(redeploy_id), stage)


async def test_who_reaches_neither_a_good_version_nor_its_platform_undoes_nothing() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    await until_proving(stage, redeploy_id)
    answers = stage.prober.services.pop("http://weight.test")
    stage.mover.errors["platform_state"] = away(1000)
    await stage.run(until=timedelta(minutes=40))
    waiting = await stage.redeploy(redeploy_id)
    stage.prober.services["http://weight.test"] = answers
    stage.mover.errors.clear()

    await stage.run()

    assert waiting.state is State.PROVING
    assert "unresolved; 503: busy" in waiting.steps[-1].text
    assert_was_proven(await stage.redeploy(redeploy_id), stage)


async def test_a_version_that_nobody_reaches_is_undone_where_its_platform_answers() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    await until_proving(stage, redeploy_id)
    began = stage.clock
    answers = stage.prober.services.pop("http://weight.test")
    while (await stage.redeploy(redeploy_id)).state is State.PROVING:
        await stage.run(until=timedelta(minutes=1))
    gave_up_after = stage.clock - began
    stage.prober.services["http://weight.test"] = answers

    await stage.run()

    end = await stage.redeploy(redeploy_id)
    assert end.state is State.UNDONE
    assert "not proven in time" in end.said
    assert gave_up_after < timedelta(minutes=15)


async def until_proving(stage: RedeployStage, redeploy_id: str) -> None:
    while (await stage.redeploy(redeploy_id)).state is not State.PROVING:
        await stage.run(until=timedelta(seconds=5))
        stage.clock += timedelta(seconds=1)


@pytest.mark.parametrize(
    "error",
    [
        CredentialError("no token", retryable=True),
        AzureRequestError("not reached (ClientConnectorDNSError)", status=None, retryable=True),
    ],
    ids=["no token", "no network"],
)
async def test_a_bad_version_is_undone_however_long_its_platform_cannot_be_asked(
    error: Exception,
) -> None:
    stage = RedeployStage(mover=FakeMover(wrong=True, errors={"undo": [error] * 40}))

    end = await ended(stage)

    assert end.state is State.UNDONE
    assert stage.mover.effects == PUT_BACK


async def test_an_abort_after_a_change_that_could_not_be_handed_on_puts_the_old_one_back() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    stage.queue.refuses = (4,)
    await stage.run(until=timedelta(seconds=10))
    assert stage.mover.effects == CHANGED
    await stage.store.ask_abort(redeploy_id, Abort(by="ada", at=stage.clock))

    await stage.run()

    assert (await stage.redeploy(redeploy_id)).state is State.ABORTED
    assert stage.mover.effects == PUT_BACK
