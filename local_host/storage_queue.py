"""One Azure Storage queue and its poison queue: take messages, keep, release, delete, move them.

The only module of the local host that speaks to storage. No error of it shows a pop receipt or a key.
Source: https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

POISON_SUFFIX = "-poison"
LONGEST_NAME = 63
# A request that fails is tried again soon: storage is on this machine.
RETRIES: dict[str, Any] = {"retry_total": 2, "initial_backoff": 1, "increment_base": 1}
TIMEOUTS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 30}
# The SDK tells of every request at INFO; polling is no news, and not the app's telemetry.
_requests_logger = logging.getLogger("local_host.storage")
_requests_logger.setLevel(logging.WARNING)


class StorageError(Exception):
    """Storage refused or did not answer; the message is the error's code or type."""


class MessageLostError(StorageError):
    """The message was deleted, or somebody else took it after its invisibility had ended."""


@dataclass(frozen=True, kw_only=True)
class TakenMessage:
    """A message as storage gave it: `text` still encoded. `receipt` entitles to delete it."""

    id: str
    text: str
    dequeue_count: int
    inserted_at: datetime
    expires_at: datetime
    next_visible_at: datetime
    receipt: str = field(repr=False)


class StorageQueue:
    """A queue of the account of a connection string, and `<name>-poison` where there is to be one."""

    def __init__(self, connection_string: str, name: str) -> None:
        """Raise ValueError for a malformed connection string; nothing is connected yet."""
        self.name = name
        self.poison_name = _poison_name(name)
        self._queue = _client(connection_string, name)
        poison = self.poison_name
        self._poison = _client(connection_string, poison) if poison is not None else None

    async def close(self) -> None:
        for client in filter(None, (self._queue, self._poison)):
            await client.close()

    async def take(self, *, limit: int, invisible_seconds: int) -> tuple[TakenMessage, ...]:
        """Take up to `limit` (32) visible messages. Creates a missing queue. Raises StorageError."""
        with _Translated():
            try:
                return await self._receive(limit, invisible_seconds)
            except ResourceNotFoundError:
                await self._queue.create_queue()
                return ()

    async def keep(self, message_id: str, receipt: str, *, invisible_seconds: int) -> str:
        """Keep a taken message invisible for so long from now and return its new receipt.

        Zero makes it visible at once. Raises MessageLostError, StorageError.
        """
        with _Translated():
            kept = await self._queue.update_message(
                message_id, receipt, visibility_timeout=invisible_seconds
            )
        return str(kept.pop_receipt)

    async def delete(self, message_id: str, receipt: str) -> None:
        """Delete a taken message. Raises MessageLostError, StorageError."""
        with _Translated():
            await self._queue.delete_message(message_id, receipt)

    async def bury(self, message: TakenMessage, receipt: str) -> None:
        """Move a taken message to the poison queue as it is. Raises MessageLostError, StorageError."""
        if self._poison is None:
            raise StorageError(f"{self.name} has no poison queue")
        with _Translated():
            try:
                await self._poison.send_message(message.text)
            except ResourceNotFoundError:
                await self._poison.create_queue()
                await self._poison.send_message(message.text)
            await self._queue.delete_message(message.id, receipt)

    async def _receive(self, limit: int, invisible_seconds: int) -> tuple[TakenMessage, ...]:
        pages = self._queue.receive_messages(
            messages_per_page=limit, visibility_timeout=invisible_seconds, retry_total=0
        ).by_page()
        # One page is one request; the next one would ask storage again.
        async for page in pages:
            return tuple([_taken(message) async for message in page])
        return ()


class _Translated:
    """Turns the SDK's errors into ours, without the URLs that its messages may show."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, AzureError):
            return
        code = getattr(error, "error_code", None) or type(error).__name__
        code = str(getattr(code, "value", code))
        # A queue that is gone took its messages along.
        lost = ("MessageNotFound", "PopReceiptMismatch", "QueueNotFound")
        if isinstance(error, HttpResponseError) and code in lost:
            raise MessageLostError(code) from None
        raise StorageError(code) from None


def _client(connection_string: str, name: str) -> QueueClient:
    return QueueClient.from_connection_string(
        connection_string, name, logger=_requests_logger, **RETRIES, **TIMEOUTS
    )


def _poison_name(name: str) -> str | None:
    # As in Azure: a poison queue has none of its own, and the name must not become too long.
    poison = name + POISON_SUFFIX
    return None if name.endswith(POISON_SUFFIX) or len(poison) > LONGEST_NAME else poison


def _taken(message: Any) -> TakenMessage:
    return TakenMessage(
        id=message.id,
        text=message.content or "",
        dequeue_count=message.dequeue_count,
        inserted_at=message.inserted_on,
        expires_at=message.expires_on,
        next_visible_at=message.next_visible_on,
        receipt=message.pop_receipt,
    )
