"""The queue of shares: one message asks some worker for one subscription's share of a run.

Not an output binding, so that a send that failed can fall back to doing the work here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from shared.clients.storage import StorageAccount, StorageCalls, error_code

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient

QUEUE: Final = "compute-shares"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True)
class ShareMessage:
    """What a message says."""

    run_id: str
    share_id: str

    @property
    def text(self) -> str:
        """The message as JSON."""
        said = {"version": VERSION, "run_id": self.run_id, "share_id": self.share_id}
        return json.dumps(said, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str | bytes) -> ShareMessage:
        """Read a message. Raises ValueError for one this version does not know."""
        said = json.loads(text)
        if not isinstance(said, dict) or said.get("version") != VERSION:
            raise ValueError(f"not a message of version {VERSION}")
        names = (said.get("run_id"), said.get("share_id"))
        if not all(isinstance(name, str) and name for name in names):
            raise ValueError("the message names no run and share")
        return cls(run_id=str(names[0]), share_id=str(names[1]))


class ShareQueueClient:
    """Sends messages, to a queue that is created when it is missing. Opened per run.

    `base64` is what host.json's `extensions.queues.messageEncoding` says; base64 is its default.
    """

    def __init__(self, account: StorageAccount, *, queue: str = QUEUE, base64: bool = True) -> None:
        self._account = account
        self._queue = queue
        self._base64 = base64
        self._calls = StorageCalls(f"queue {queue}", account)
        self._opened: QueueClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._opened is not None:
            await self._opened.close()

    async def send(self, run_id: str, share_id: str) -> None:
        """Ask for a share. Raises StorageUnavailableError.

        A message whose answer was lost is sent twice: whoever takes up a share expects that.
        """
        text = ShareMessage(run_id=run_id, share_id=share_id).text
        async with self._calls.limit():
            await self._calls.send(lambda: self._client.send_message(text), create=self._create)

    async def _create(self) -> None:
        from azure.core.exceptions import ResourceExistsError

        try:
            await self._client.create_queue()
        except ResourceExistsError as error:
            if error_code(error) != "QueueAlreadyExists":
                raise

    @property
    def _client(self) -> QueueClient:
        if self._opened is None:
            self._opened = _open(self._account, self._queue, base64=self._base64)
        return self._opened


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
