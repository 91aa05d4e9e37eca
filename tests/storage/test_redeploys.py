"""Redeploys as stored: one at a time per service, changed by version."""

import asyncio
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest
from azure.data.tables.aio import TableClient

from shared.clients.redeploy_store import RedeployStoreClient
from shared.clients.storage import StorageAccount
from shared.scoring.redeploy.record import Abort, Redeploy, State
from shared.scoring.redeploy.redeploys import Redeploys
from tests.support.fake_redeploys import FakeRedeploys
from tests.support.redeploys import A_SNAPSHOT, NOON, a_proof, a_redeploy, after
from tests.support.storage_ports import both

BIG_ANSWER = [{"at": "$", "equals": [f"{number:06}" for number in range(60_000)]}]


redeploys = both(RedeployStoreClient, FakeRedeploys)


async def opened(store: Redeploys, redeploy: Redeploy) -> Redeploy:
    stored = await store.open(redeploy)
    assert stored is not None
    return stored


def ended(redeploy: Redeploy) -> Redeploy:
    return replace(redeploy, state=State.SUCCEEDED, is_closed=True, ended_at=NOON)


async def test_a_redeploy_is_found_as_it_was_stored(redeploys: Redeploys) -> None:
    asked = a_redeploy(snapshot=A_SNAPSHOT, proofs=(a_proof(),), reason="Ärger & 'mehr'")

    stored = await opened(redeploys, asked)

    assert stored == asked
    assert stored.etag
    assert await redeploys.get(asked.redeploy_id) == asked
    assert await redeploys.active("weight") == asked
    assert await redeploys.get("01938a3e-0000-7000-8000-000000000000") is None


async def test_a_service_with_a_large_golden_answer_fits(redeploys: Redeploys) -> None:
    asked = a_redeploy()
    golden = {"name": "big", "path": "/weights", "expect": BIG_ANSWER}
    document = asked.service.model_dump(mode="json") | {"checks": {"golden": [golden]}}
    big = replace(asked, service=type(asked.service).model_validate(document))

    await opened(redeploys, big)

    assert await redeploys.get(asked.redeploy_id) == big


async def test_one_of_two_at_once_holds_a_service(redeploys: Redeploys) -> None:
    made = await asyncio.gather(*(redeploys.open(a_redeploy(at=after(n))) for n in range(6)))

    (winner,) = [each for each in made if each]
    assert await redeploys.active("weight") == winner
    assert await redeploys.open(a_redeploy("other")) is not None
    assert len(await redeploys.list_active()) == 2


async def test_a_closed_one_gives_its_service_free(redeploys: Redeploys) -> None:
    first = await opened(redeploys, a_redeploy())

    closed = await redeploys.save(ended(first))

    assert closed is not None
    assert await redeploys.active("weight") is None
    assert await redeploys.list_active() == []
    assert await redeploys.get(first.redeploy_id) == closed
    assert await redeploys.open(a_redeploy(at=after(1))) is not None


async def test_one_that_is_refused_at_once_is_stored_beside_another(redeploys: Redeploys) -> None:
    first = await opened(redeploys, a_redeploy())
    refused = a_redeploy(at=after(1), state=State.REFUSED, is_closed=True)

    assert await redeploys.open(refused) is not None
    assert await redeploys.active("weight") == first
    assert await redeploys.get(refused.redeploy_id) == refused


async def test_only_the_stored_version_is_replaced(redeploys: Redeploys) -> None:
    first = await opened(redeploys, a_redeploy())

    second = await redeploys.save(replace(first, step=1))

    assert second is not None
    assert second.etag != first.etag
    assert await redeploys.save(replace(first, step=9)) is None
    assert await redeploys.save(ended(first)) is None
    assert await redeploys.active("weight") == second


async def test_one_of_many_replaces_a_version(redeploys: Redeploys) -> None:
    first = await opened(redeploys, a_redeploy())

    saved = await asyncio.gather(*(redeploys.save(replace(first, step=n)) for n in range(1, 7)))

    (winner,) = [each for each in saved if each]
    assert await redeploys.get(first.redeploy_id) == winner


async def test_the_recent_ones_of_a_service_are_listed_oldest_first(redeploys: Redeploys) -> None:
    for minutes in (-90, -30, -10):
        one = await opened(redeploys, a_redeploy(at=after(minutes)))
        await redeploys.save(ended(one))
    await opened(redeploys, a_redeploy("other"))

    recent = await redeploys.list_recent("weight", since=after(-30))

    assert [each.created_at for each in recent] == [after(-30), after(-10)]


async def test_those_of_all_services_are_listed_since_a_moment(redeploys: Redeploys) -> None:
    assert isinstance(redeploys, FakeRedeploys | RedeployStoreClient)
    for name, minutes in (("weight", -90), ("other", -30), ("weight", -10)):
        one = await opened(redeploys, a_redeploy(name, at=after(minutes)))
        await redeploys.save(ended(one))

    found = await redeploys.list_since(after(-30))

    assert [each.service.name for each in found] == ["other", "weight"]


async def test_the_first_abort_stays(redeploys: Redeploys) -> None:
    one = await opened(redeploys, a_redeploy())
    assert await redeploys.abort_of(one.redeploy_id) is None

    for by in ("ada", "bob"):
        await redeploys.ask_abort(one.redeploy_id, Abort(by=by, at=NOON))

    assert await redeploys.abort_of(one.redeploy_id) == Abort(by="ada", at=NOON)
    # The flag is no change of the record: the step that is at work can still end.
    assert await redeploys.save(replace(one, step=1)) is not None


async def test_old_ones_are_forgotten_unless_they_go_on(redeploys: Redeploys) -> None:
    old = await opened(redeploys, a_redeploy(at=after(-900)))
    await redeploys.save(ended(old))
    going_on = await opened(redeploys, a_redeploy("other", at=after(-900)))
    young = await opened(redeploys, a_redeploy())

    assert await redeploys.prune(before=NOON - timedelta(hours=1)) == 1

    assert await redeploys.get(old.redeploy_id) is None
    assert await redeploys.get(going_on.redeploy_id) == going_on
    assert await redeploys.get(young.redeploy_id) == young


async def test_a_record_that_cannot_be_read_hides_no_other_and_is_named(
    account: StorageAccount, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with RedeployStoreClient(account, table=table) as store:
        broken = await opened(store, a_redeploy())
        other = await opened(store, a_redeploy("other"))
        await spoil(account, table, broken.redeploy_id)

        assert await store.list_active() == [other]
        assert await store.list_since(NOON - timedelta(hours=1)) == [other]

    assert f"redeploy {broken.redeploy_id} cannot be read" in caplog.text


async def spoil(account: StorageAccount, table: str, redeploy_id: str) -> None:
    """Let its document be one of no version that this one knows."""
    document = zlib.compress(b'{"written_by": "a later version"}')
    row = {"PartitionKey": "redeploy", "RowKey": f"id~{redeploy_id}", "Document00": document}
    async with TableClient.from_connection_string(account.connection_string, table) as client:
        await client.upsert_entity(row, mode="merge")
