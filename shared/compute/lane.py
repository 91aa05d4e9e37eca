"""Let the stops of a subscription begin in order, a few at a time.

Thousands may wait for their turn: until it comes they cost nothing, are not told about, and their
clocks do not run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# Twice what the pacer lets fly at first, so that it never waits for one where answers are quick.
PLACES = 32
# Where they are slow, 32 places in 3 s still let more begin than Azure's 10 writes a second.
PATIENCE_SECONDS = 3.0


class Lane:
    """A queue with a few places at its head."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(PLACES)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place and hold it while the block runs; a slow block gives it up on the way."""
        await self._places.acquire()
        held = True

        def leave() -> None:
            nonlocal held
            if held:
                held = False
                self._places.release()

        # Stops that hang must not keep the others from being asked for.
        timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, leave)
        try:
            yield
        finally:
            timer.cancel()
            leave()
