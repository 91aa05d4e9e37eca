"""What the history keeps of runs."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from os import urandom

import pytest

from shared.compute.history import RunHistory, ShareState
from shared.compute.report import Result
from tests.storage.runs import LATER, a_run, an_open_run
from tests.support.builders import NIGHT, SUBSCRIPTION

MINUTE = timedelta(minutes=1)


async def test_a_run_is_found_as_it_was_recorded(history: RunHistory) -> None:
    run = a_run(order='{"instances": ["ci-åda"]}', reason="cost'week")

    await history.open_run(run, orders={})

    assert await history.get_run(run.run_id) == run


@pytest.mark.parametrize(
    "run_id", ["", "night", "../runs", "0' or '1' eq '1", "01938a3e-7d15-7000-8000-0123456789ab"]
)
async def test_what_is_no_run_is_not_found(history: RunHistory, run_id: str) -> None:
    await an_open_run(history)

    assert await history.get_run(run_id) is None
    assert not await history.list_shares(run_id)
    assert await history.begin_share(run_id, SUBSCRIPTION) is None
    assert not await history.close_run(run_id, result=Result.FAILED, summary="")


async def test_a_history_that_was_never_written_is_empty(history: RunHistory) -> None:
    assert not (await history.list_runs()).runs
    assert not await history.list_overdue(now=LATER)
    assert await history.prune(started_before=LATER) == 0


async def test_a_run_needs_an_id_that_sorts_by_time(history: RunHistory) -> None:
    random = replace(a_run(), run_id="5aff9c04-9f13-4da9-8b5e-3f1d2c4b6a70")

    with pytest.raises(ValueError, match="UUIDv7"):
        await history.open_run(random, orders={})


async def test_recording_a_run_again_changes_nothing(history: RunHistory) -> None:
    run = a_run()
    await history.open_run(run, orders={})
    await history.begin_share(run.run_id, SUBSCRIPTION)

    await history.open_run(run, orders={SUBSCRIPTION: "again"})

    shares = {share.share_id: share for share in await history.list_shares(run.run_id)}
    assert shares[SUBSCRIPTION].state is ShareState.RUNNING
    assert shares[SUBSCRIPTION].order == ""


async def test_a_run_of_more_shares_than_one_transaction_takes_is_recorded(
    history: RunHistory,
) -> None:
    subscriptions = tuple(f"subscription-{number:03}" for number in range(250))
    run = a_run(*subscriptions)

    await history.open_run(run, orders=dict.fromkeys(subscriptions, "x" * 20_000))

    stored = await history.get_run(run.run_id)
    assert stored == run
    shares = await history.list_shares(run.run_id)
    assert [share.share_id for share in shares] == list(subscriptions)
    assert {len(share.order) for share in shares} == {20_000}


async def test_an_order_longer_than_a_property_comes_back_whole(history: RunHistory) -> None:
    run = a_run(order=urandom(200_000).hex(), reason="ä" * 60_000)

    await history.open_run(run, orders={})

    assert await history.get_run(run.run_id) == run


async def test_one_of_many_closes_a_run(history: RunHistory) -> None:
    run_id = await an_open_run(history)

    told = await asyncio.gather(
        *(
            history.close_run(run_id, result=result, summary=result.value)
            for result in (Result.PARTIAL, Result.FAILED, Result.SUCCEEDED)
        )
    )

    assert sorted(told) == [False, False, True]
    closed = await history.get_run(run_id)
    assert closed is not None
    assert closed.is_closed
    assert closed.summary == closed.result


async def test_a_closed_run_still_says_which_shares_never_ended(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one", "two")
    await history.finish_share(run_id, "one", found=b"")

    await history.close_run(run_id, result=Result.FAILED, summary="")

    closed = await history.get_run(run_id)
    assert closed is not None
    assert closed.open_shares == {"two"}


async def test_only_open_runs_past_their_deadline_are_overdue(history: RunHistory) -> None:
    overdue = await an_open_run(history)
    closed = await an_open_run(history)
    await an_open_run(history, started_at=LATER)
    await history.close_run(closed, result=Result.SUCCEEDED, summary="")

    found = await history.list_overdue(now=NIGHT + timedelta(minutes=30))

    assert [run.run_id for run in found] == [overdue]
    assert found[0].open_shares == frozenset(found[0].shares)


async def test_a_deleted_run_leaves_nothing(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one", "two")
    kept = await an_open_run(history, "one")
    await history.finish_share(run_id, "one", found=b"found")

    await history.delete_run(run_id)

    assert await history.get_run(run_id) is None
    assert not await history.list_shares(run_id)
    assert not await history.read_found(run_id)
    assert not await history.finish_share(run_id, "two", found=b"late")
    assert [run.run_id for run in await history.list_overdue(now=LATER)] == [kept]
    await history.delete_run(run_id)


async def test_old_runs_are_forgotten(history: RunHistory) -> None:
    for number in range(5):
        await an_open_run(history, "one", started_at=NIGHT + number * MINUTE)

    forgotten = await history.prune(started_before=NIGHT + 3 * MINUTE)

    assert forgotten == 3
    left = (await history.list_runs()).runs
    assert [run.started_at for run in left] == [NIGHT + 4 * MINUTE, NIGHT + 3 * MINUTE]
