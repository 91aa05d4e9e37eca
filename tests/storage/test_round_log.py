"""How the last rounds of health checks went, as stored."""

from dataclasses import replace
from datetime import timedelta

from shared.clients.round_log import RoundLogClient
from shared.clients.service_records import ServiceStatesClient
from shared.clients.storage import StorageAccount
from shared.clients.table import Table
from shared.scoring.round_log import LastRounds, RoundLog
from shared.scoring.state import ServiceState
from tests.support.builders import NIGHT

FAILED = LastRounds(
    ended_at=NIGHT, result="failed", failed_at=NIGHT, error="Größe: no service could be reached"
)
GOOD = replace(
    FAILED, ended_at=NIGHT + timedelta(minutes=5), result="succeeded", succeeded_at=NIGHT
)


async def test_it_is_found_as_it_was_stored_last(rounds: RoundLog) -> None:
    assert await rounds.get() is None

    await rounds.put(FAILED)
    assert await rounds.get() == FAILED

    await rounds.put(GOOD)
    assert await rounds.get() == GOOD


async def test_it_is_no_state_of_a_service_though_it_lies_beside_them(
    account: StorageAccount, table: str
) -> None:
    async with (
        RoundLogClient(account, table=table) as rounds,
        ServiceStatesClient(account, table=table) as states,
    ):
        await rounds.put(GOOD)
        await states.save({"weight": ServiceState(text="well")})

        assert await states.load() == {"weight": ServiceState(text="well")}
        assert await rounds.get() == GOOD


async def test_one_that_cannot_be_read_counts_as_unknown(
    account: StorageAccount, table: str
) -> None:
    async with RoundLogClient(account, table=table) as rounds:
        odd = Table(account, table)
        await odd.put({"PartitionKey": "rounds", "RowKey": "last", "Result": "succeeded"})
        await odd.close()

        assert await rounds.get() is None
