"""Let the stops of a subscription begin in order, a few at a time.

Thousands may wait for their turn: until it comes they cost nothing, are not told about, and their
clocks do not run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# More than the pacer lets fly at a time, so that it never waits for one.
PLACES = 32
# However slow the answers are, so many may begin in a second: no fewer than Azure's buckets give.
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
