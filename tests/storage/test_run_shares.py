"""Shares of a run: taken up, finished once, the last one known as such."""

import asyncio
import os

import pytest

from shared.compute.history import RunHistory, ShareRecord, ShareState
from tests.storage.runs import a_run, an_open_run

MEGABYTE = 1024 * 1024


async def the_share(history: RunHistory, run_id: str) -> ShareRecord:
    (share,) = await history.list_shares(run_id)
    return share


async def test_shares_start_queued_each_with_its_order(history: RunHistory) -> None:
    run = a_run("one", "two")

    await history.open_run(run, orders={"one": '{"instances": ["ci-ada"]}'})

    queued = await history.list_shares(run.run_id)
    assert [(share.share_id, share.state, share.begun) for share in queued] == [
        ("one", ShareState.QUEUED, 0),
        ("two", ShareState.QUEUED, 0),
    ]
    assert [share.order for share in queued] == ['{"instances": ["ci-ada"]}', ""]


async def test_a_share_that_was_left_running_is_taken_up_again(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one")

    first = await history.begin_share(run_id, "one")
    second = await history.begin_share(run_id, "one")

    assert first is not None
    assert second is not None
    assert (first.begun, second.begun) == (1, 2)
    assert second == await the_share(history, run_id)
    assert second.state is ShareState.RUNNING


async def test_workers_that_take_up_a_share_at_once_are_all_counted(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one")

    begun = await asyncio.gather(*(history.begin_share(run_id, "one") for _ in range(8)))

    assert sorted(share.begun for share in begun if share) == list(range(1, 9))


async def test_neither_a_finished_nor_an_unknown_share_is_taken_up(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one")
    await history.finish_share(run_id, "one", found=b"")

    assert await history.begin_share(run_id, "one") is None
    assert await history.begin_share(run_id, "other") is None


async def test_progress_is_seen_and_replaced(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one")

    await history.save_progress(run_id, "one", os.urandom(200_000).hex())
    await history.save_progress(run_id, "one", '{"seen": 3}')
    await history.save_progress(run_id, "other", "nobody's")

    assert (await the_share(history, run_id)).progress == '{"seen": 3}'


async def test_a_share_that_failed_says_why(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one")

    assert await history.finish_share(run_id, "one", found=b"", error="five tries in vain")

    failed = await the_share(history, run_id)
    assert (failed.state, failed.error) == (ShareState.FAILED, "five tries in vain")


@pytest.mark.parametrize(
    "found",
    [b"", b"{}", os.urandom(64 * 1024), os.urandom(3 * MEGABYTE), b"[]" * 5 * MEGABYTE],
    ids=["nothing", "little", "a property", "several entities", "ten megabytes of text"],
)
async def test_what_a_share_found_comes_back_whole(history: RunHistory, found: bytes) -> None:
    run_id = await an_open_run(history, "one", "two")

    await history.finish_share(run_id, "one", found=found)

    assert await history.read_found(run_id) == {"one": found}


async def test_the_last_of_many_shares_is_told_so(history: RunHistory) -> None:
    shares = tuple(f"subscription-{number}" for number in range(20))
    run_id = await an_open_run(history, *shares)

    told = await asyncio.gather(
        *(history.finish_share(run_id, share, found=share.encode()) for share in shares)
    )

    assert sum(told) == 1
    run = await history.get_run(run_id)
    assert run is not None
    assert not run.open_shares
    assert await history.read_found(run_id) == {share: share.encode() for share in shares}


async def test_of_many_who_finish_the_same_share_one_is_told(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one")

    told = await asyncio.gather(
        *(history.finish_share(run_id, "one", found=bytes([n])) for n in range(20))
    )

    assert sum(told) == 1
    assert len((await history.read_found(run_id))["one"]) == 1


async def test_nobody_is_told_while_a_share_is_open(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one", "two")
    await history.begin_share(run_id, "two")

    assert not await history.finish_share(run_id, "one", found=b"")
    assert not await history.finish_share(run_id, "one", found=b"")
    run = await history.get_run(run_id)
    assert run is not None
    assert run.open_shares == {"two"}


async def test_finishing_a_finished_share_again_changes_nothing(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one")
    assert await history.finish_share(run_id, "one", found=b"first")

    assert not await history.finish_share(run_id, "one", found=b"second", error="poisoned")

    assert (await the_share(history, run_id)).state is ShareState.DONE
    assert await history.read_found(run_id) == {"one": b"first"}


async def test_an_unknown_share_cannot_be_finished(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one")

    assert not await history.finish_share(run_id, "other", found=b"")
    assert not await history.read_found(run_id)


async def test_share_ids_may_hold_what_keys_must_not(history: RunHistory) -> None:
    odd = "/subscriptions/a\\b#c?d'é\t"
    run_id = await an_open_run(history, odd)

    begun = await history.begin_share(run_id, odd)

    assert begun is not None
    assert begun.share_id == odd
    assert await history.finish_share(run_id, odd, found=b"1")
    assert await history.read_found(run_id) == {odd: b"1"}
