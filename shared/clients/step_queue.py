"""The queue of redeploys: one message asks some worker for one step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final

from shared.clients.message_queue import OpenedQueue
from shared.clients.storage import StorageAccount

QUEUE: Final = "scoring-redeploy-steps"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True)
class StepMessage:
    """What a message says."""

    redeploy_id: str
    step: int

    @property
    def text(self) -> str:
        """The message as JSON."""
        said = {"version": VERSION, "redeploy_id": self.redeploy_id, "step": self.step}
        return json.dumps(said, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str | bytes) -> StepMessage:
        """Read a message. Raises ValueError for one this version does not know."""
        said = json.loads(text)
        if not isinstance(said, dict) or said.get("version") != VERSION:
            raise ValueError(f"not a message of version {VERSION}")
        redeploy_id, step = said.get("redeploy_id"), said.get("step")
        if not isinstance(redeploy_id, str) or not redeploy_id or type(step) is not int or step < 0:
            raise ValueError("the message names no redeploy and step")
        return cls(redeploy_id=redeploy_id, step=step)


class StepQueueClient(OpenedQueue):
    """Satisfies shared.scoring.redeploy.redeploys.StepQueue. Opened per step, or per request."""

    def __init__(self, account: StorageAccount, *, queue: str = QUEUE, base64: bool = True) -> None:
        super().__init__(account, queue, base64=base64)

    async def send(self, redeploy_id: str, step: int, *, delay: timedelta) -> None:
        """Ask for a step, not before `delay`. Raises StorageUnavailableError."""
        message = StepMessage(redeploy_id=redeploy_id, step=step)
        seconds = max(0, ceil(delay.total_seconds()))
        await self._messages.send(message.text, delay_seconds=seconds)
