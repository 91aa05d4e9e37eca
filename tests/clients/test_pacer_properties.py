"""Whatever the sizes, latencies and other callers: no stop is lost, and none is throttled by us."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from shared.clients.pacer import Bucket, BucketSize
from tests.support.virtual_time import run_virtually, seconds


@dataclass
class Server:
    """A token bucket at the other end, that charges what arrives and says what remains."""

    size: BucketSize
    tokens: float
    at: float = 0.0
    refused: int = 0

    def charge(self) -> int:
        now = seconds()
        gained = (now - self.at) * self.size.per_second
        self.tokens, self.at = min(self.size.capacity, self.tokens + gained), now
        if self.tokens < 1 - 1e-9:
            self.refused += 1
            return 0
        self.tokens -= 1
        return math.floor(self.tokens + 1e-9)


SIZES = st.builds(
    BucketSize,
    capacity=st.integers(min_value=1, max_value=30).map(float),
    per_second=st.sampled_from([0.5, 1.0, 2.0, 10.0, 25.0]),
)
LATENCIES = st.lists(
    st.tuples(st.floats(min_value=0.01, max_value=2), st.floats(min_value=0.01, max_value=2)),
    min_size=1,
    max_size=60,
)


async def send(bucket: Bucket, server: Server, way: tuple[float, float]) -> None:
    async with bucket.turn(within=10_000) as number:
        await asyncio.sleep(way[0])
        remaining = server.charge()
        await asyncio.sleep(way[1])
    bucket.learn(number, remaining)


async def send_all(
    size: BucketSize, ways: Sequence[tuple[float, float]], *, server: Server, slots: int
) -> float:
    """Send as many requests as there are ways; how long it took."""
    bucket = Bucket(size, slots=slots, may_grow=False, clock=seconds)
    await asyncio.gather(*(send(bucket, server, way) for way in ways))
    return seconds()


@given(size=SIZES, ways=LATENCIES, slots=st.integers(min_value=1, max_value=40))
def test_a_caller_of_its_own_is_never_throttled(
    size: BucketSize, ways: list[tuple[float, float]], slots: int
) -> None:
    server = Server(size=size, tokens=size.capacity)

    run_virtually(send_all(size, ways, server=server, slots=slots))

    assert server.refused == 0


@given(size=SIZES, ways=LATENCIES, left=st.floats(min_value=0, max_value=1))
def test_a_bucket_that_others_have_emptied_stops_nobody_for_good(
    size: BucketSize, ways: list[tuple[float, float]], left: float
) -> None:
    server = Server(size=size, tokens=size.capacity * left)

    took = run_virtually(send_all(size, ways, server=server, slots=16))

    in_series = sum(there + back for there, back in ways)
    assert took <= (len(ways) + size.capacity) / size.per_second + in_series + 1


@given(size=SIZES, ways=LATENCIES)
def test_a_server_with_a_smaller_bucket_is_still_served(
    size: BucketSize, ways: list[tuple[float, float]]
) -> None:
    smaller = BucketSize(capacity=max(size.capacity / 2, 1), per_second=size.per_second)
    server = Server(size=smaller, tokens=smaller.capacity)

    run_virtually(send_all(size, ways, server=server, slots=16))

    assert server.tokens >= 0
