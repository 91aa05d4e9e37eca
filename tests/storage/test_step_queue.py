"""Messages about steps: what is sent, when it is seen, what is understood."""

import asyncio
import base64
import json
from datetime import timedelta

import pytest
from azure.storage.queue.aio import QueueClient

from local_host.azurite.process import Azurite
from shared.clients.queue_lengths import QueueLengthsClient
from shared.clients.step_queue import StepMessage, StepQueueClient
from shared.clients.storage import StorageAccount
from tests.support.fake_redeploys import FakeStepQueue

SOON = timedelta(seconds=1)
PATIENCE_SECONDS = 20


async def first_body(azurite: Azurite, queue: str) -> str:
    """Wait for a message to be seen."""
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        QueueClient.from_connection_string(azurite.connection_string, queue) as reading,
    ):
        while True:
            async for message in reading.receive_messages():
                return str(message.content)
            await asyncio.sleep(0.2)


async def test_a_message_is_unseen_until_it_is_due(
    azurite: Azurite, account: StorageAccount, queue: str
) -> None:
    async with StepQueueClient(account, queue=queue) as steps:
        await steps.send("01938a3e", 7, delay=timedelta(hours=1))
        async with QueueClient.from_connection_string(azurite.connection_string, queue) as reading:
            unseen = [each async for each in reading.receive_messages()]
        await steps.send("01938a3e", 8, delay=SOON)

    body = await first_body(azurite, queue)

    assert unseen == []
    assert json.loads(base64.b64decode(body, validate=True)) == {
        "version": 1,
        "redeploy_id": "01938a3e",
        "step": 8,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2, "redeploy_id": "a", "step": 1}',
        '{"version": 1, "redeploy_id": "a"}',
        '{"version": 1, "redeploy_id": "", "step": 1}',
        '{"version": 1, "redeploy_id": "a", "step": -1}',
        '{"version": 1, "redeploy_id": "a", "step": true}',
        '{"version": 1, "redeploy_id": "a", "step": "1"}',
    ],
)
def test_a_message_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of JSON's own words, or of ours
        StepMessage.parse(text)


async def test_the_fake_remembers_what_was_sent() -> None:
    async with FakeStepQueue() as steps:
        await steps.send("one", 3, delay=SOON)

    assert steps.sent == [("one", 3, SOON)]
    assert StepMessage.parse(StepMessage(redeploy_id="one", step=3).text).step == 3


async def test_the_length_of_a_queue_is_what_waits_and_none_where_there_is_none(
    account: StorageAccount, queue: str
) -> None:
    async with QueueLengthsClient(account) as queues:
        assert await queues.length(queue) == 0
        async with StepQueueClient(account, queue=queue) as steps:
            for step in range(3):
                await steps.send("redeploy", step, delay=timedelta(0))

        assert await queues.length(queue) == 3
