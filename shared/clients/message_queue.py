"""A queue of the storage account, in plain terms: texts go in, now or to be seen later.

Not an output binding, so that a send that failed can be dealt with here. Source of the limits:
learn.microsoft.com/rest/api/storageservices/put-message (64 KiB; at most seven days unseen).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from shared.clients.storage import StorageAccount, StorageCalls, create, error_code

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient


class MessageQueue:
    """Sends texts to a queue that is created when it is missing. Belongs to an event loop.

    `base64` is what host.json's `extensions.queues.messageEncoding` says; base64 is its default.
    """

    def __init__(self, account: StorageAccount, queue: str, *, base64: bool = True) -> None:
        self._account = account
        self._queue = queue
        self._base64 = base64
        self._calls = StorageCalls(f"queue {queue}", account)
        self._opened: QueueClient | None = None

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if self._opened is not None:
            await self._opened.close()

    async def send(self, text: str, *, delay_seconds: int = 0) -> None:
        """Send a message that nobody sees before the delay. Raises StorageUnavailableError.

        A message whose answer was lost is sent twice: whoever reads it expects that.
        """
        async with self._calls.limit():
            await self._calls.send(
                lambda: self._client.send_message(text, visibility_timeout=delay_seconds),
                create=self._create,
            )

    async def length(self) -> int:
        """Return about how many messages wait; none where there is no queue, which is not made.

        Raises StorageUnavailableError.
        """
        from azure.core.exceptions import ResourceNotFoundError

        async def ask() -> int:
            try:
                found = await self._client.get_queue_properties()
            except ResourceNotFoundError as error:
                if error_code(error) != "QueueNotFound":
                    raise
                return 0
            return int(found.approximate_message_count or 0)

        async with self._calls.limit():
            return await self._calls.send(ask, create=self._create)

    async def _create(self) -> None:
        await create(self._client.create_queue, already="QueueAlreadyExists")

    @property
    def _client(self) -> QueueClient:
        if self._opened is None:
            self._opened = _open(self._account, self._queue, base64=self._base64)
        return self._opened


class OpenedQueue:
    """A client of one queue, as an asynchronous context manager."""

    def __init__(self, account: StorageAccount, queue: str, *, base64: bool = True) -> None:
        self._messages = MessageQueue(account, queue, base64=base64)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._messages.close()


def _open(account: StorageAccount, name: str, *, base64: bool) -> QueueClient:
    """Open a client. Raises ValueError for a connection string or endpoint that is none."""
    from azure.storage.queue import TextBase64EncodePolicy
    from azure.storage.queue.aio import QueueClient

    options: dict[str, Any] = account.pipeline_options
    if base64:
        options["message_encode_policy"] = TextBase64EncodePolicy()
    if account.connection_string:
        return QueueClient.from_connection_string(account.connection_string, name, **options)
    return QueueClient(account.queue_endpoint, name, credential=account.credential, **options)
