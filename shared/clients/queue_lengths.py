"""About how many messages wait in queues: the service's own count, which may lag behind a little.

Source: learn.microsoft.com/rest/api/storageservices/get-queue-metadata.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Self

from shared.clients.message_queue import MessageQueue
from shared.clients.storage import StorageAccount


class QueueLengthsClient:
    """Satisfies shared.dashboard.health.Queues. Opened per request."""

    def __init__(self, account: StorageAccount) -> None:
        self._account = account
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def length(self, queue: str) -> int:
        """Return about how many wait."""
        messages = MessageQueue(self._account, queue)
        self._stack.push_async_callback(messages.close)
        return await messages.length()
