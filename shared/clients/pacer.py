"""Keep under Azure Resource Manager's token buckets instead of running into them.

ARM gives each (subscription, principal, operation) a bucket: documented reads 250 + 25/s, writes
200 + 10/s, deletes 200 + 10/s (learn.microsoft.com, request-limits-and-throttling). A POST action
is a write. A request first waits for a slot (bounded in flight), then for a token; the refill
clock starts at the first answer, since the server's bucket is not charged before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

# One ARM bucket yields a token long before this; a longer Retry-After speaks of one request only.
LONGEST_PAUSE_SECONDS = 10.0
# The remaining header is a whole number, read while tokens flow in: smaller gaps are noise.
NOISE_TOKENS = 2.0


class Operation(StrEnum):
    """ARM's operation types, each with a bucket of its own."""

    READS = "reads"
    WRITES = "writes"
    DELETES = "deletes"


@dataclass(frozen=True, kw_only=True)
class BucketSize:
    """`capacity` requests at once, then `per_second`."""

    capacity: float
    per_second: float


DOCUMENTED: Mapping[Operation, BucketSize] = {
    Operation.READS: BucketSize(capacity=250, per_second=25),
    Operation.WRITES: BucketSize(capacity=200, per_second=10),
    Operation.DELETES: BucketSize(capacity=200, per_second=10),
}


class Bucket:
    """Our own count of one bucket, corrected by what the server says remains."""

    def __init__(
        self, size: BucketSize, *, slots: int, may_grow: bool, clock: Callable[[], float]
    ) -> None:
        self._size = size
        self._may_grow = may_grow
        self._clock = clock
        self._slots = asyncio.Semaphore(slots)
        self._gate = asyncio.Lock()
        self._answered = asyncio.Event()
        self._tokens = size.capacity
        self._counted_at: float | None = None
        self._paused_until = 0.0
        self._sent = 0

    @asynccontextmanager
    async def turn(self, *, within: float) -> AsyncIterator[int]:
        """Wait for a slot, then for a token; yields the request's number for `learn`.

        Raises TimeoutError if its turn does not come within so many seconds.
        """
        if within <= 0:
            raise TimeoutError
        async with AsyncExitStack() as held:
            async with asyncio.timeout(within):
                await held.enter_async_context(self._slots)
                number = await self._take_token()
            held.callback(self._start_refill)
            yield number

    def learn(self, number: int, remaining: int) -> None:
        """Correct our count by the server's, as of the request `number`."""
        self._refill()
        actual = remaining - (self._sent - number)
        if actual + NOISE_TOKENS < self._tokens:
            self._tokens = max(actual, 0.0)
        elif self._may_grow and actual > self._tokens + NOISE_TOKENS:
            self._tokens = float(actual)
            self._size = BucketSize(
                capacity=max(self._size.capacity, actual), per_second=self._size.per_second
            )

    def pause(self, seconds: float) -> None:
        """Let nobody send for a while: the server said that the bucket is empty."""
        self._refill()
        self._tokens = 0.0
        wait = min(seconds, LONGEST_PAUSE_SECONDS)
        self._paused_until = max(self._paused_until, self._clock() + wait)

    async def _take_token(self) -> int:
        async with self._gate:
            await self._wait_for_token()
            self._tokens -= 1
            self._sent += 1
            return self._sent

    async def _wait_for_token(self) -> None:
        while (wait := self._seconds_to_token()) != 0:
            if wait is None:
                await self._answered.wait()
            else:
                await asyncio.sleep(wait)

    def _seconds_to_token(self) -> float | None:
        """Return 0 when a token is there, None when the refill clock has not started yet."""
        self._refill()
        paused = self._paused_until - self._clock()
        if paused > 0:
            return paused
        if self._tokens >= 1:
            return 0
        if self._counted_at is None:
            return None
        return max((1 - self._tokens) / self._size.per_second, 0.001)

    def _start_refill(self) -> None:
        if self._counted_at is None:
            self._counted_at = self._clock()
            self._answered.set()

    def _refill(self) -> None:
        if self._counted_at is None:
            return
        now = self._clock()
        gained = (now - self._counted_at) * self._size.per_second
        self._tokens = min(self._size.capacity, self._tokens + gained)
        self._counted_at = now


class Pacer:
    """All buckets of one principal, by (subscription, operation), made when first used.

    `slots` bounds the requests in flight per bucket. `may_grow`: believe a server that says more
    remains than we count (recorded buckets were larger than documented).
    """

    def __init__(
        self,
        sizes: Mapping[Operation, BucketSize] = DOCUMENTED,
        *,
        slots: int = 16,
        may_grow: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sizes = {**DOCUMENTED, **sizes}
        self._slots = slots
        self._may_grow = may_grow
        self._clock = clock
        self._buckets: dict[tuple[str, Operation], Bucket] = {}

    def bucket(self, scope: str, operation: Operation) -> Bucket:
        """Return the bucket of a subscription's GUID, or of `tenant`."""
        key = (scope.lower(), operation)
        if key not in self._buckets:
            self._buckets[key] = Bucket(
                self._sizes[operation],
                slots=self._slots,
                may_grow=self._may_grow,
                clock=self._clock,
            )
        return self._buckets[key]
