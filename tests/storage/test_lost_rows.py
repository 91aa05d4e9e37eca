"""Rows that somebody deleted: what is left can still be read, and a run still be closed."""

from collections.abc import AsyncIterator

import pytest

from shared.clients import run_rows as rows
from shared.clients.run_history import RunHistoryClient
from shared.clients.storage import StorageAccount
from shared.clients.table import Table
from shared.compute.report import Result
from tests.storage.runs import an_open_run


@pytest.fixture
async def stored(account: StorageAccount, table: str) -> AsyncIterator[Table]:
    """The rows of the history."""
    opened = Table(account, table)
    yield opened
    await opened.close()


async def test_a_run_that_is_no_longer_among_the_open_ones_is_closed_by_one_of_many(
    account: StorageAccount, table: str, stored: Table
) -> None:
    async with RunHistoryClient(account, table=table) as history:
        run_id = await an_open_run(history, "one")
        await stored.delete(rows.PARTITION, f"{rows.OPEN}{rows.inverted(run_id)}")

        told = [
            await history.close_run(run_id, result=Result.PARTIAL, summary="{}") for _ in range(2)
        ]

        run = await history.get_run(run_id)
    assert told == [True, False]
    assert run is not None
    assert run.result is Result.PARTIAL


async def test_what_a_share_found_is_nothing_once_a_part_of_it_is_gone(
    account: StorageAccount, table: str, stored: Table
) -> None:
    async with RunHistoryClient(account, table=table) as history:
        run_id = await an_open_run(history, "one", "two")
        for share in ("one", "two"):
            await history.finish_share(run_id, share, found=share.encode())
        partition = rows.found_partition(rows.inverted(run_id))
        found = await stored.list("PartitionKey eq @found", found=partition)
        await stored.delete(partition, found[0]["RowKey"])

        left = await history.read_found(run_id)

    lost = [share for share, what in left.items() if not what]
    (kept,) = left.keys() - lost
    assert left[kept] == kept.encode()
