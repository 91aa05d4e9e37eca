"""The storage ports, each twice: the client on Azurite, with a table of its own, and the fake."""

from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from shared.clients.cluster_minimums import ClusterMinimumsClient
from shared.clients.exemption_store import ExemptionStoreClient
from shared.clients.maintenance_windows import MaintenanceWindowsClient
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
    FakeServiceStates,
)
from tests.support.fake_storage import (
    FakeClusterMinimums,
    FakeExemptionStore,
    FakeRunHistory,
    FakeStopClaims,
)
from tests.support.storage_ports import both


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


history = both(RunHistoryClient, FakeRunHistory)
claims = both(StopClaimsClient, FakeStopClaims)
exemptions = both(ExemptionStoreClient, FakeExemptionStore)
minimums = both(ClusterMinimumsClient, FakeClusterMinimums)
states = both(ServiceStatesClient, FakeServiceStates)
checks = both(CheckHistoryClient, FakeCheckHistory)
hours = both(HourHistoryClient, FakeHourHistory)
windows = both(MaintenanceWindowsClient, FakeMaintenanceWindows)
