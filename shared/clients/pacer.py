"""Keep under Azure Resource Manager's token buckets instead of running into them.

ARM gives each (subscription, principal, operation) a bucket: documented reads 250 + 25/s, writes
200 + 10/s, deletes 200 + 10/s (learn.microsoft.com, request-limits-and-throttling). A POST action
is a write. A request first waits for a slot (bounded in flight), then for a token, and last, where
a worker is capped, for one of its places. What is in flight may not have been charged yet, and a
server's full bucket gains nothing: ours never holds more than the capacity less what is in flight.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

# One ARM bucket yields a token long before this; a longer Retry-After speaks of one request only.
LONGEST_PAUSE_SECONDS = 10.0
# A server's count is read a little later than ours, while tokens flow in: so much is no growth.
NOISE_TOKENS = 2.0
# Requests in flight per bucket where answers are slow, and how much more than the rate needs.
MOST_SLOTS = 128
HEADROOM = 2
# So that rounding never makes the clock seem to stand still.
SHORTEST_WAIT_SECONDS = 0.001
# Requests whose answer may still be compared with our count when they left.
REMEMBERED_REQUESTS = 1_000


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
    """Our own count of one bucket, corrected by what the server says remains.

    An answer is compared with what we counted when its request left: whatever we sent or gained
    since cancels out. What the server had less is withheld until an answer says otherwise, and
    not taken off our count, or requests that overtook each other would cost tokens for good.
    """

    def __init__(
        self,
        size: BucketSize,
        *,
        slots: int,
        may_grow: bool,
        clock: Callable[[], float],
        places: asyncio.Semaphore | None = None,
    ) -> None:
        self._size = size
        self._may_grow = may_grow
        self._clock = clock
        self._slots = slots
        self._places = places or asyncio.Semaphore(sys.maxsize)
        self._gate = asyncio.Lock()
        self._answered = asyncio.Event()
        self._tokens = size.capacity
        self._withheld = 0.0
        self._counted_at = -math.inf
        self._in_flight: dict[int, float] = {}
        self._paused_until = 0.0
        self._sent = 0
        self._left_with: OrderedDict[int, float] = OrderedDict()

    @asynccontextmanager
    async def turn(self, *, within: float) -> AsyncIterator[int]:
        """Wait for a slot, a token and a place; yields the request's number for `learn`.

        Raises TimeoutError if its turn does not come within so many seconds.
        """
        if within <= 0:
            raise TimeoutError
        async with asyncio.timeout(within):
            number = await self._take_turn()
        try:
            yield number
        finally:
            self._refill()
            del self._in_flight[number]
            self._places.release()
            self._answered.set()

    def learn(self, number: int, remaining: int) -> None:
        """Compare the server's count with ours, as of the request `number`."""
        counted = self._left_with.pop(number, None)
        if counted is None:
            return
        # Those it overtook may not have been charged yet.
        overtaken = sum(other < number for other in self._in_flight)
        missing = counted - remaining + overtaken
        self._withheld = max(missing, 0.0)
        if self._may_grow and -missing > NOISE_TOKENS:
            self._grow(-missing, remaining)

    def pause(self, seconds: float) -> None:
        """Let nobody send for a while: the server said that the bucket is empty."""
        self._refill()
        self._tokens, self._withheld = 0.0, 0.0
        # Requests still under way left with a count that no longer holds.
        self._left_with.clear()
        wait = min(seconds, LONGEST_PAUSE_SECONDS)
        self._paused_until = max(self._paused_until, self._clock() + wait)

    def _grow(self, more: float, remaining: int) -> None:
        """Believe a server that has more: what is under way was counted by the same measure."""
        self._tokens += more
        self._left_with = OrderedDict((n, c + more) for n, c in self._left_with.items())
        self._size = BucketSize(
            capacity=max(self._size.capacity, remaining), per_second=self._size.per_second
        )

    async def _take_turn(self) -> int:
        async with self._gate:
            await self._take_place()
            self._tokens -= 1
            self._sent += 1
            self._in_flight[self._sent] = self._clock()
            self._left_with[self._sent] = self._tokens
            if len(self._left_with) > REMEMBERED_REQUESTS:
                self._left_with.popitem(last=False)
            return self._sent

    async def _take_place(self) -> None:
        """Come back with a place while a slot and a token are there.

        An empty bucket holds no place, and each bucket waits for one at a time: none starves the others.
        """
        await self._until_free()
        await self._places.acquire()
        while self._seconds_to_turn() > 0:
            # An answer that came meanwhile said that the bucket is empty.
            self._places.release()
            await self._until_free()
            await self._places.acquire()

    async def _until_free(self) -> None:
        while (wait := self._seconds_to_turn()) > 0:
            self._answered.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait if wait < math.inf else None):
                    await self._answered.wait()

    def _seconds_to_turn(self) -> float:
        return max(self._seconds_to_slot(), self._seconds_to_token())

    def _seconds_to_slot(self) -> float:
        """Return 0 while there is a slot. Slow answers make more: the rate needs them in flight."""
        used = len(self._in_flight)
        if used < self._slots:
            return 0
        if used >= MOST_SLOTS:
            return math.inf
        oldest = self._clock() - next(iter(self._in_flight.values()))
        early = (used + 1) / (HEADROOM * self._size.per_second) - oldest
        return max(early, SHORTEST_WAIT_SECONDS) if early > 0 else 0

    def _seconds_to_token(self) -> float:
        """Return 0 when a token is there, infinity when only an answer can bring one."""
        self._refill()
        paused = self._paused_until - self._clock()
        if paused > 0:
            return paused
        if self._tokens - self._withheld >= 1:
            return 0
        if self._room - self._withheld < 1:
            return math.inf
        lacking = 1 - (self._tokens - self._withheld)
        return max(lacking / self._size.per_second, SHORTEST_WAIT_SECONDS)

    @property
    def _room(self) -> float:
        return self._size.capacity - len(self._in_flight)

    def _refill(self) -> None:
        now = self._clock()
        gained = (now - self._counted_at) * self._size.per_second
        self._tokens = min(self._room, self._tokens + gained)
        self._counted_at = now


class Pacer:
    """All buckets of one principal, by (subscription, operation), made when first used.

    `slots` bounds the requests in flight per bucket while answers are quick, `places` those of all
    buckets together. `may_grow`: believe a server that says more remains than we count (recorded
    buckets were larger than documented).
    """

    def __init__(
        self,
        sizes: Mapping[Operation, BucketSize] = DOCUMENTED,
        *,
        slots: int = 16,
        places: int | None = None,
        may_grow: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sizes = {**DOCUMENTED, **sizes}
        self._slots = slots
        self._places = asyncio.Semaphore(places or sys.maxsize)
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
                places=self._places,
                may_grow=self._may_grow,
                clock=self._clock,
            )
        return self._buckets[key]
