"""Azurite as local runs start it: all three services, on free ports, gone afterwards."""

from pathlib import Path

import pytest
from azure.core.exceptions import AzureError, ResourceExistsError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from local_host.azurite.process import Azurite, AzuriteError, running
from tests.conftest import StartAzurite
from tests.support.azurite import kill, without


def test_queues_and_tables_work_with_the_newest_clients(azurite: Azurite) -> None:
    with QueueServiceClient.from_connection_string(azurite.connection_string) as queues:
        queue = queues.create_queue("azurite-works")
        queue.send_message("hello")
        message = queue.receive_message()
    with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        table = tables.create_table("azuriteworks")
        table.create_entity({"PartitionKey": "a", "RowKey": "1"})
        with pytest.raises(ResourceExistsError):
            table.create_entity({"PartitionKey": "a", "RowKey": "1"})

    assert message is not None
    assert (message.content, message.dequeue_count) == ("hello", 1)


def test_two_of_them_share_nothing(azurite: Azurite, start_azurite: StartAzurite) -> None:
    other = start_azurite()

    assert other.queue_endpoint != azurite.queue_endpoint


def test_a_location_keeps_the_data(tmp_path: Path) -> None:
    with (
        running(location=tmp_path) as azurite,
        QueueServiceClient.from_connection_string(azurite.connection_string) as queues,
    ):
        queues.create_queue("kept")

    with (
        running(location=tmp_path) as azurite,
        QueueServiceClient.from_connection_string(azurite.connection_string) as queues,
    ):
        names = [queue.name for queue in queues.list_queues()]

    assert names == ["kept"]


def test_a_location_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.touch()

    with pytest.raises(AzuriteError, match="Azurite did not start"), running(location=occupied):
        pass


@pytest.mark.parametrize("end", ["endpoint", "process"])
def test_a_service_can_be_taken_away(start_azurite: StartAzurite, end: str) -> None:
    azurite = start_azurite()
    string = azurite.connection_string if end == "process" else without(azurite, "Queue")
    if end == "process":
        kill(azurite)

    with (
        QueueServiceClient.from_connection_string(string, retry_total=0) as queues,
        pytest.raises(AzureError),
    ):
        queues.create_queue("anything")
