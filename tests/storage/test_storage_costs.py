"""What a call costs: requests to the storage, and modules to load."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from local_host.azurite.process import Azurite
from shared.clients.maintenance_windows import MaintenanceWindowsClient
from shared.clients.note_store import NoteStoreClient
from shared.clients.redeploy_store import RedeployStoreClient
from shared.clients.run_history import RunHistoryClient
from shared.clients.service_records import CheckHistoryClient, ServiceStatesClient
from shared.clients.stop_claims import (
    CLAIMS_AT_ONCE,
    TRANSACTIONS_OF_A_GROUP,
    StopClaimsClient,
)
from shared.clients.storage import StorageAccount
from shared.compute.recording import RunSummary
from shared.compute.report import Result
from shared.dashboard.compute import RUNS
from shared.scoring.records import Records
from tests.dashboard.stage import Overview
from tests.storage.faulty import FaultyStorage, before_tables, faulty
from tests.storage.runs import a_run, an_open_run
from tests.support.builders import LONG_AGO, NIGHT

SUBSCRIPTION_ID = "/subscriptions/one"
REPOSITORY = Path(__file__).resolve().parents[2]
CLIENTS = ("cluster_minimums", "exemption_store", "run_history", "share_queue", "stop_claims")


@pytest.fixture
async def storage(azurite: Azurite) -> AsyncIterator[FaultyStorage]:
    """The Azurite's tables, each request noted."""
    async with faulty(azurite.table_endpoint) as standing_before:
        yield standing_before


@pytest.fixture
def noted(azurite: Azurite, storage: FaultyStorage) -> StorageAccount:
    return before_tables(azurite, storage)


async def test_a_granted_claim_is_one_request_a_refused_one_two(
    storage: FaultyStorage, noted: StorageAccount, table: str
) -> None:
    async with StopClaimsClient(noted, table=table) as claims:
        await claims.claim("other", LONG_AGO, run_id="run", now=NIGHT)
        storage.requests.clear()

        await claims.claim("ci", LONG_AGO, run_id="run", now=NIGHT)
        assert len(storage.requests) == 1
        await claims.claim("ci", LONG_AGO, run_id="run", now=NIGHT)
        assert len(storage.requests) == 3


async def test_claims_made_at_once_are_one_request_and_one_that_stands_two_more(
    storage: FaultyStorage, noted: StorageAccount, table: str
) -> None:
    async with StopClaimsClient(noted, table=table) as claims:
        await claims.claim(f"{SUBSCRIPTION_ID}/ci-7", LONG_AGO, run_id="another", now=NIGHT)

        requests = {}
        for names in (range(100, 132), range(32)):
            storage.requests.clear()
            await asyncio.gather(
                *(
                    claims.claim(f"{SUBSCRIPTION_ID}/ci-{n}", LONG_AGO, run_id="run", now=NIGHT)
                    for n in names
                )
            )
            requests[names[0]] = [line.split()[0] for line in storage.requests]

    assert requests[100] == ["POST"]
    assert sorted(requests[0]) == ["GET", "POST", "POST"]


async def test_claims_that_all_stand_are_looked_at_after_a_few_tries(
    storage: FaultyStorage, noted: StorageAccount, table: str
) -> None:
    async def claim_all(claims: StopClaimsClient, run_id: str) -> list[bool]:
        made = (
            claims.claim(f"{SUBSCRIPTION_ID}/ci-{n}", LONG_AGO, run_id=run_id, now=NIGHT)
            for n in range(32)
        )
        return [claim.granted for claim in await asyncio.gather(*made)]

    async with StopClaimsClient(noted, table=table) as claims:
        assert all(await claim_all(claims, "first"))
        storage.requests.clear()

        assert not any(await claim_all(claims, "second"))

    assert len(storage.requests) == TRANSACTIONS_OF_A_GROUP + 32


async def test_claims_in_many_subscriptions_take_turns_and_do_not_all_create_the_table(
    storage: FaultyStorage, noted: StorageAccount, table: str
) -> None:
    async with StopClaimsClient(noted, table=table) as claims:
        granted = await asyncio.gather(
            *(
                claims.claim(f"/subscriptions/{n % 16}/ci-{n}", LONG_AGO, run_id="run", now=NIGHT)
                for n in range(32)
            )
        )

    creations = [
        line for line in storage.requests if line.startswith("POST /devstoreaccount1/Tables ")
    ]
    assert all(claim.granted for claim in granted)
    assert 1 <= len(creations) <= CLAIMS_AT_ONCE
    assert len(storage.requests) <= 16 + 2 * CLAIMS_AT_ONCE


async def test_overdue_runs_are_looked_for_among_the_open_ones_only(
    storage: FaultyStorage, noted: StorageAccount, table: str
) -> None:
    async with RunHistoryClient(noted, table=table) as history:
        for number in range(3):
            run_id = await an_open_run(history, started_at=NIGHT + timedelta(hours=number))
            await history.close_run(run_id, result=Result.SUCCEEDED, summary="")
        storage.requests.clear()

        assert not await history.list_overdue(now=NIGHT + timedelta(days=1))

    (request,) = (unquote(line.replace("+", " ")) for line in storage.requests)
    assert "RowKey ge 'open:' and RowKey lt 'open;' and Deadline lt datetime'" in request


async def test_a_closed_run_is_found_by_its_key(
    storage: FaultyStorage, noted: StorageAccount, table: str
) -> None:
    async with RunHistoryClient(noted, table=table) as history:
        run_id = await an_open_run(history, "one")
        await history.finish_share(run_id, "one", found=b"")
        storage.requests.clear()

        await history.get_run(run_id)

    (request,) = storage.requests
    assert f"{table}(PartitionKey='compute',RowKey='run:" in unquote(request)


async def test_a_page_of_closed_runs_is_one_request(
    storage: FaultyStorage, noted: StorageAccount, table: str
) -> None:
    async with RunHistoryClient(noted, table=table) as history:
        for number in range(5):
            run_id = await an_open_run(history, "one", started_at=NIGHT + timedelta(hours=number))
            await history.finish_share(run_id, "one", found=b"x" * 10_000)
        storage.requests.clear()

        page = await history.list_runs(page_size=3, started_from=NIGHT)

    assert len(page.runs) == 3
    assert len(storage.requests) == 1


def test_importing_the_clients_loads_no_sdk() -> None:
    program = "import sys\n" + "".join(f"import shared.clients.{name}\n" for name in CLIENTS)
    program += "print(*(name for name in sys.modules if name.startswith(('azure', 'aiohttp'))))"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == ""


async def test_a_summary_is_eight_requests_to_tables_however_many_runs_there_are(
    storage: FaultyStorage, noted: StorageAccount, stack: AsyncExitStack
) -> None:
    enter = stack.enter_async_context
    notes, history = await enter(NoteStoreClient(noted)), await enter(RunHistoryClient(noted))
    for number in range(RUNS + 5):
        run = a_run("one", started_at=NIGHT + timedelta(hours=number))
        await history.open_run(run, orders={})
        await history.finish_share(run.run_id, "one", found=b"")
        told = RunSummary(ended_at=NIGHT, error="for want of anything else").model_dump_json()
        await history.close_run(run.run_id, result=Result.FAILED, summary=told)
    overview = Overview()
    requests = replace(
        overview.requests,
        notes=notes,
        history=history,
        records=Records(
            states=await enter(ServiceStatesClient(noted)),
            history=await enter(CheckHistoryClient(noted)),
            maintenance=await enter(MaintenanceWindowsClient(noted)),
        ),
        redeploys=await enter(RedeployStoreClient(noted)),
        health=replace(overview.health, notes=notes),
    )
    await requests.summarise()
    storage.requests.clear()

    seen = await requests.summarise()

    assert len(seen.compute.runs) == RUNS
    assert len(storage.requests) == 8


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Holds the clients of a test open."""
    async with AsyncExitStack() as opened:
        yield opened
