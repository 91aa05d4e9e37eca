"""Movers on an emulated Azure in the simulated flow: Azure's time is real, the flow's is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.scoring.redeploy.mover import (
    Completion,
    Marker,
    Mover,
    PlatformState,
    Progress,
    Snapshot,
)
from shared.scoring.service import Service
from tests.support.scripted import Asked, Behaviour, Scripted

# The flow's minutes pass at once: so long is looked away, that Azure's seconds pass between looks.
A_WHILE = 0.05
A_DELETION = 0.65


@dataclass
class RealMover:
    """A mover asked less often than the flow would; `ask` asks the service that it moves."""

    mover: Mover
    ask: Behaviour

    def __getattr__(self, name: str) -> Any:
        return getattr(self.mover, name)

    async def platform_state(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, undone: bool
    ) -> PlatformState:
        await self._look_away()
        return await self.mover.platform_state(
            service, snapshot=snapshot, marker=marker, undone=undone
        )

    async def complete(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, proven: int
    ) -> Completion:
        await self._look_away()
        told = await self.mover.complete(service, snapshot=snapshot, marker=marker, proven=proven)
        # The emulator takes half a minute of its own to delete something.
        await asyncio.sleep(A_DELETION * (told.progress is Progress.CLEARING))
        return told

    async def undo(self, service: Service, *, snapshot: Snapshot, marker: Marker) -> None:
        await self._look_away()
        await self.mover.undo(service, snapshot=snapshot, marker=marker)

    def answer(self, _name: str, asked: Asked) -> Scripted:
        """What the service answers now."""
        return self.ask(asked)

    async def _look_away(self) -> None:
        await asyncio.sleep(A_WHILE)


@dataclass
class PunctualMover(RealMover):
    """A mover asked when the flow would: Azure's time, shortened by `scale`, is never behind."""

    clock: Callable[[], datetime]
    scale: float

    def __post_init__(self) -> None:
        self._began, self._began_really = self.clock(), time.monotonic()

    async def _look_away(self) -> None:
        due = self._began_really + self.scale * (self.clock() - self._began).total_seconds()
        await asyncio.sleep(max(A_WHILE, due - time.monotonic()))
