"""Whichever answer of the storage is lost on its way: what was done is known to be done, once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from local_host.azurite.process import Azurite
from shared.clients.exemption_store import ExemptionStoreClient
from shared.clients.run_history import RunHistoryClient
from shared.clients.share_queue import ShareQueueClient
from shared.clients.stop_claims import StopClaimsClient
from shared.clients.storage import StorageAccount
from shared.compute.history import ShareState
from shared.compute.report import Result
from shared.errors import StorageUnavailableError
from tests.storage.faulty import Effect, FaultyStorage, before_tables, faulty
from tests.storage.runs import a_run, an_open_run
from tests.storage.test_exemption_store import an_exemption
from tests.support.builders import LONG_AGO, NIGHT

FORWARD, LOSE_ANSWER = Effect.FORWARD, Effect.LOSE_ANSWER


@pytest.fixture
async def storage(azurite: Azurite) -> AsyncIterator[FaultyStorage]:
    async with faulty(azurite.table_endpoint) as standing_before:
        yield standing_before


@pytest.fixture
def beyond(azurite: Azurite, storage: FaultyStorage) -> StorageAccount:
    """The Azurite's account, its tables behind the faulty storage."""
    return before_tables(azurite, storage)


def lose(storage: FaultyStorage, *, request: int) -> None:
    """Lose the answer to one of the next requests, counted from 0."""
    storage.fates = [*[FORWARD] * request, LOSE_ANSWER, FORWARD]


async def test_a_granted_claim_is_known_as_granted(
    storage: FaultyStorage, beyond: StorageAccount, table: str
) -> None:
    async with StopClaimsClient(beyond, table=table) as claims:
        await claims.claim("other", None, run_id="run", now=NIGHT)
        lose(storage, request=0)
        held = await claims.claim("ci", LONG_AGO, run_id="first", now=NIGHT)
        lose(storage, request=0)
        taken = await claims.take_over("ci", LONG_AGO, held=held, run_id="second", now=NIGHT)

        assert held.granted
        assert taken.granted
        assert not (await claims.claim("ci", LONG_AGO, run_id="second", now=NIGHT)).granted
        lose(storage, request=0)
        assert await claims.release("ci", held=taken)
        assert (await claims.claim("ci", LONG_AGO, run_id="third", now=NIGHT)).granted


async def test_claims_that_were_granted_together_are_known_as_granted(
    storage: FaultyStorage, beyond: StorageAccount, table: str
) -> None:
    async with StopClaimsClient(beyond, table=table) as claims:
        await claims.claim("other", None, run_id="run", now=NIGHT)
        lose(storage, request=0)

        ids = [f"/subscriptions/one/ci-{number}" for number in range(8)]
        held = await asyncio.gather(
            *(claims.claim(each, LONG_AGO, run_id="first", now=NIGHT) for each in ids)
        )

        assert [claim.granted for claim in held] == [True] * 8
        for instance_id, claim in zip(ids, held, strict=True):
            assert await claims.release(instance_id, held=claim)


async def test_an_exemption_that_was_stored_is_known_as_stored(
    storage: FaultyStorage, beyond: StorageAccount, table: str
) -> None:
    async with ExemptionStoreClient(beyond, table=table) as exemptions:
        await exemptions.create(an_exemption("other"))
        lose(storage, request=0)
        first = await exemptions.create(an_exemption())
        assert first is not None
        lose(storage, request=1)
        second = await exemptions.replace(replace(first, reason="more"), etag=first.etag)

        assert second is not None
        assert await exemptions.get("thesis") == second
        lose(storage, request=1)
        assert await exemptions.delete("thesis", etag=second.etag)


async def test_a_run_is_recorded_once(
    storage: FaultyStorage, beyond: StorageAccount, table: str
) -> None:
    async with RunHistoryClient(beyond, table=table) as history:
        await an_open_run(history, "other")
        for lost in range(2):
            run = a_run("one")
            lose(storage, request=lost)
            await history.open_run(run, orders={})

            assert await history.get_run(run.run_id) == run


@pytest.mark.parametrize("lost", range(7))
async def test_the_last_finisher_is_told_whichever_answer_is_lost(
    storage: FaultyStorage, beyond: StorageAccount, table: str, lost: int
) -> None:
    async with RunHistoryClient(beyond, table=table) as history:
        run_id = await an_open_run(history, "one")
        before = len(storage.requests)
        lose(storage, request=lost)

        told = await history.finish_share(run_id, "one", found=b"found")

        assert told
        assert len(storage.requests) - before >= 6
        assert await history.read_found(run_id) == {"one": b"found"}
        assert not await history.finish_share(run_id, "one", found=b"again")


async def test_a_finisher_that_got_no_answer_at_all_asks_again_and_is_told(
    storage: FaultyStorage, beyond: StorageAccount, table: str
) -> None:
    hasty = replace(beyond, call_seconds=1.0)
    async with RunHistoryClient(hasty, table=table) as history:
        run_id = await an_open_run(history, "one")
        for heard in range(4):
            storage.fates = [*[FORWARD] * heard, LOSE_ANSWER]
            with pytest.raises(StorageUnavailableError):
                await history.finish_share(run_id, "one", found=b"found")
        storage.fates = [FORWARD]

        assert await history.finish_share(run_id, "one", found=b"found")
        assert not await history.finish_share(run_id, "one", found=b"found")


async def test_who_finds_a_finished_share_of_a_dead_finisher_is_told(
    azurite: Azurite, storage: FaultyStorage, beyond: StorageAccount, table: str
) -> None:
    async with RunHistoryClient(replace(beyond, call_seconds=0.5), table=table) as dying:
        run_id = await an_open_run(dying, "one")
        # Its share is finished: the third request; it never hears whether another one is open.
        storage.fates = [*[FORWARD] * 3, Effect.CUT]
        with pytest.raises(StorageUnavailableError):
            await dying.finish_share(run_id, "one", found=b"found")

    sound = StorageAccount(connection_string=azurite.connection_string)
    async with RunHistoryClient(sound, table=table) as history:
        (share,) = await history.list_shares(run_id)
        assert share.state is ShareState.DONE
        assert await history.finish_share(run_id, "one", found=b"", error="poisoned")
        assert await history.read_found(run_id) == {"one": b"found"}


@pytest.mark.parametrize("lost", range(3))
async def test_who_closed_a_run_is_told_so(
    storage: FaultyStorage, beyond: StorageAccount, table: str, lost: int
) -> None:
    async with RunHistoryClient(beyond, table=table) as history:
        run_id = await an_open_run(history, "one")
        lose(storage, request=lost)

        assert await history.close_run(run_id, result=Result.SUCCEEDED, summary="{}")
        assert not await history.close_run(run_id, result=Result.FAILED, summary="")
        assert not await history.list_overdue(now=NIGHT.replace(year=2030))


async def test_a_message_may_be_sent_twice_but_is_not_lost(azurite: Azurite, queue: str) -> None:
    from azure.storage.queue.aio import QueueClient

    async with faulty(azurite.queue_endpoint) as storage:
        text = azurite.connection_string.replace(azurite.queue_endpoint, storage.url)
        async with ShareQueueClient(StorageAccount(connection_string=text), queue=queue) as shares:
            await shares.send("run", "one")
            lose(storage, request=0)
            await shares.send("run", "two")

    async with QueueClient.from_connection_string(azurite.connection_string, queue) as reading:
        assert len(await reading.peek_messages(max_messages=32)) == 3
