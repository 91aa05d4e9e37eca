"""Messages about shares: what is sent, what is understood."""

import asyncio
import base64
import json

import pytest
from azure.storage.queue.aio import QueueClient

from local_host.azurite.process import Azurite
from shared.clients.share_queue import ShareMessage, ShareQueueClient
from shared.clients.storage import StorageAccount
from shared.errors import StorageUnavailableError
from tests.support.fake_storage import FakeShareQueue


async def bodies(azurite: Azurite, queue: str) -> list[str]:
    """Every message of a queue, as the service stores it."""
    async with QueueClient.from_connection_string(azurite.connection_string, queue) as reading:
        return [message.content async for message in reading.receive_messages()]


async def test_a_message_is_json_in_base64_in_a_queue_that_was_not_there(
    azurite: Azurite, account: StorageAccount, queue: str
) -> None:
    async with ShareQueueClient(account, queue=queue) as shares:
        await shares.send("01938a3e", "8f4b6a1e")

    (body,) = await bodies(azurite, queue)
    said = json.loads(base64.b64decode(body, validate=True))
    assert said == {"version": 1, "run_id": "01938a3e", "share_id": "8f4b6a1e"}


async def test_a_message_is_plain_where_the_host_expects_that(
    azurite: Azurite, account: StorageAccount, queue: str
) -> None:
    async with ShareQueueClient(account, queue=queue, base64=False) as shares:
        await shares.send("run", "Zürich & <co>")

    (body,) = await bodies(azurite, queue)
    assert ShareMessage.parse(body) == ShareMessage(run_id="run", share_id="Zürich & <co>")


async def test_many_send_at_once_to_a_queue_that_was_not_there(
    azurite: Azurite, account: StorageAccount, queue: str
) -> None:
    async with ShareQueueClient(account, queue=queue) as shares:
        await asyncio.gather(*(shares.send("run", str(number)) for number in range(40)))

    said = [ShareMessage.parse(base64.b64decode(body)) for body in await bodies(azurite, queue)]
    assert {message.share_id for message in said} == {str(number) for number in range(40)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"version": 2, "run_id": "a", "share_id": "b"}',
        '{"version": 1, "run_id": "a"}',
        '{"version": 1, "run_id": "", "share_id": "b"}',
        '{"version": 1, "run_id": "a", "share_id": 7}',
    ],
)
def test_a_message_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of JSON's own words, or of ours
        ShareMessage.parse(text)


async def test_the_fake_remembers_what_was_sent_and_can_be_away() -> None:
    async with FakeShareQueue() as shares:
        await shares.send("run", "one")
        shares.away = True
        with pytest.raises(StorageUnavailableError):
            await shares.send("run", "two")

    assert shares.sent == [("run", "one")]
