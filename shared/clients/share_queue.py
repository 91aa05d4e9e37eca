"""The queue of shares: one message asks some worker for one subscription's share of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from shared.clients.message_queue import OpenedQueue
from shared.clients.storage import StorageAccount

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


class ShareQueueClient(OpenedQueue):
    """Sends messages about shares. Opened per run."""

    def __init__(self, account: StorageAccount, *, queue: str = QUEUE, base64: bool = True) -> None:
        super().__init__(account, queue, base64=base64)

    async def send(self, run_id: str, share_id: str) -> None:
        """Ask for a share. Raises StorageUnavailableError; a message may be sent twice."""
        await self._messages.send(ShareMessage(run_id=run_id, share_id=share_id).text)
