"""The storage ports, each twice: the client on Azurite, with a table of its own, and the fake."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from shared.clients.cluster_minimums import ClusterMinimumsClient
from shared.clients.exemption_store import ExemptionStoreClient
from shared.clients.maintenance_windows import MaintenanceWindowsClient
from shared.clients.round_log import RoundLogClient
from shared.clients.run_history import RunHistoryClient
from shared.clients.service_records import (
    CheckHistoryClient,
    HourHistoryClient,
    ServiceStatesClient,
)
from shared.clients.stop_claims import StopClaimsClient
from shared.clients.storage import StorageAccount
from tests.support.fake_records import (
    FakeCheckHistory,
    FakeHourHistory,
    FakeMaintenanceWindows,
    FakeRoundLog,
    FakeServiceStates,
)
from tests.support.fake_storage import (
    FakeClusterMinimums,
    FakeExemptionStore,
    FakeRunHistory,
    FakeStopClaims,
)

both = pytest.fixture(params=["azurite", "memory"])


@pytest.fixture
def account(azurite: Azurite) -> StorageAccount:
    return StorageAccount(connection_string=azurite.connection_string)


@pytest.fixture
def table() -> str:
    """A table that nobody has used: it is not there yet."""
    return f"T{uuid4().hex}"


@pytest.fixture
def queue() -> str:
    return f"q-{uuid4().hex}"


@both
async def history(
    request: pytest.FixtureRequest, account: StorageAccount, table: str
) -> AsyncIterator[RunHistoryClient | FakeRunHistory]:
    opened: AbstractAsyncContextManager[RunHistoryClient | FakeRunHistory] = (
        FakeRunHistory() if request.param == "memory" else RunHistoryClient(account, table=table)
    )
    async with opened as ready:
        yield ready


@both
async def claims(
    request: pytest.FixtureRequest, account: StorageAccount, table: str
) -> AsyncIterator[StopClaimsClient | FakeStopClaims]:
    opened: AbstractAsyncContextManager[StopClaimsClient | FakeStopClaims] = (
        FakeStopClaims() if request.param == "memory" else StopClaimsClient(account, table=table)
    )
    async with opened as ready:
        yield ready


@both
async def exemptions(
    request: pytest.FixtureRequest, account: StorageAccount, table: str
) -> AsyncIterator[ExemptionStoreClient | FakeExemptionStore]:
    opened: AbstractAsyncContextManager[ExemptionStoreClient | FakeExemptionStore] = (
        FakeExemptionStore()
        if request.param == "memory"
        else ExemptionStoreClient(account, table=table)
    )
    async with opened as ready:
        yield ready


@both
async def minimums(
    request: pytest.FixtureRequest, account: StorageAccount, table: str
) -> AsyncIterator[ClusterMinimumsClient | FakeClusterMinimums]:
    opened: AbstractAsyncContextManager[ClusterMinimumsClient | FakeClusterMinimums] = (
        FakeClusterMinimums()
        if request.param == "memory"
        else ClusterMinimumsClient(account, table=table)
    )
    async with opened as ready:
        yield ready


@both
async def states(
    request: pytest.FixtureRequest, account: StorageAccount, table: str
) -> AsyncIterator[ServiceStatesClient | FakeServiceStates]:
    opened: AbstractAsyncContextManager[ServiceStatesClient | FakeServiceStates] = (
        FakeServiceStates()
        if request.param == "memory"
        else ServiceStatesClient(account, table=table)
    )
    async with opened as ready:
        yield ready


@both
async def checks(
    request: pytest.FixtureRequest, account: StorageAccount, table: str
) -> AsyncIterator[CheckHistoryClient | FakeCheckHistory]:
    opened: AbstractAsyncContextManager[CheckHistoryClient | FakeCheckHistory] = (
        FakeCheckHistory()
        if request.param == "memory"
        else CheckHistoryClient(account, table=table)
    )
    async with opened as ready:
        yield ready


@both
async def hours(
    request: pytest.FixtureRequest, account: StorageAccount, table: str
) -> AsyncIterator[HourHistoryClient | FakeHourHistory]:
    opened: AbstractAsyncContextManager[HourHistoryClient | FakeHourHistory] = (
        FakeHourHistory() if request.param == "memory" else HourHistoryClient(account, table=table)
    )
    async with opened as ready:
        yield ready


@both
async def windows(
    request: pytest.FixtureRequest, account: StorageAccount, table: str
) -> AsyncIterator[MaintenanceWindowsClient | FakeMaintenanceWindows]:
    opened: AbstractAsyncContextManager[MaintenanceWindowsClient | FakeMaintenanceWindows] = (
        FakeMaintenanceWindows()
        if request.param == "memory"
        else MaintenanceWindowsClient(account, table=table)
    )
    async with opened as ready:
        yield ready


@both
async def rounds(
    request: pytest.FixtureRequest, account: StorageAccount, table: str
) -> AsyncIterator[RoundLogClient | FakeRoundLog]:
    opened: AbstractAsyncContextManager[RoundLogClient | FakeRoundLog] = (
        FakeRoundLog() if request.param == "memory" else RoundLogClient(account, table=table)
    )
    async with opened as ready:
        yield ready
