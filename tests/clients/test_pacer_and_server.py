"""The pacer against a server's bucket, with time on the way between them, on a clock that jumps."""

import asyncio
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.pacer import Bucket, BucketSize
from tests.support.virtual_time import run_virtually, seconds

SIZE = BucketSize(capacity=20, per_second=10)
ROUNDING = 1e-6


@dataclass
class Server:
    """A token bucket that is charged when a request arrives, as Azure's are."""

    size: BucketSize = SIZE
    tokens: float = math.inf
    filled_at: float = 0
    arrivals: list[float] = field(default_factory=list)
    throttled: int = 0

    def charge(self) -> int:
        gained = (seconds() - self.filled_at) * self.size.per_second
        self.tokens = min(self.size.capacity, self.tokens + gained)
        self.filled_at = seconds()
        self.arrivals.append(seconds())
        if self.tokens < 1 - ROUNDING:
            self.throttled += 1
        else:
            self.tokens -= 1
        return math.floor(self.tokens)


def a_bucket(*, slots: int = 100) -> Bucket:
    return Bucket(SIZE, slots=slots, may_grow=False, clock=seconds)


async def send(bucket: Bucket, server: Server, *, there: float = 0.1, back: float = 0.1) -> None:
    async with bucket.turn(within=1000) as number:
        await asyncio.sleep(there)
        remaining = server.charge()
        await asyncio.sleep(back)
    bucket.learn(number, remaining)


@given(
    ways=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=25, max_size=40),
    pause=st.floats(0, 4),
    slots=st.sampled_from([4, 16, 64]),
)
def test_nothing_is_throttled_however_long_requests_are_on_their_way(
    ways: Sequence[tuple[float, float]], pause: float, slots: int
) -> None:
    async def story() -> Server:
        bucket, server = a_bucket(slots=slots), Server()
        for _ in range(2):
            await asyncio.gather(
                *(send(bucket, server, there=there, back=back) for there, back in ways)
            )
            await asyncio.sleep(pause)
        return server

    server = run_virtually(story())

    assert server.throttled == 0
    assert len(server.arrivals) == 2 * len(ways)


def test_a_first_answer_does_not_start_the_refill_for_requests_that_lag_behind() -> None:
    async def story() -> Server:
        bucket, server = a_bucket(), Server()
        first = send(bucket, server, there=0, back=0)
        lagging = [send(bucket, server, there=2) for _ in range(19)]
        await asyncio.gather(first, *lagging, *(send(bucket, server) for _ in range(40)))
        return server

    assert run_virtually(story()).throttled == 0


def test_requests_that_overtake_each_other_cost_no_token() -> None:
    async def story() -> Server:
        bucket, server = a_bucket(), Server()
        dice = random.Random(7)  # noqa: S311  # no secret
        ways = [dice.uniform(0, 1) for _ in range(220)]
        await asyncio.gather(*(send(bucket, server, there=way, back=1 - way) for way in ways))
        return server

    server = run_virtually(story())

    # 200 tokens at 10 a second, the time until the first answer, and the way of the last.
    assert server.throttled == 0
    assert max(server.arrivals) <= 200 / 10 + 1 + 1


def test_slow_answers_do_not_slow_the_rate() -> None:
    size = BucketSize(capacity=100, per_second=10)

    async def story() -> Server:
        bucket = Bucket(size, slots=4, may_grow=False, clock=seconds)
        server = Server(size=size)
        await asyncio.gather(*(send(bucket, server, there=1, back=2) for _ in range(400)))
        return server

    server = run_virtually(story())

    assert server.throttled == 0
    assert max(server.arrivals) <= (400 - 100) / 10 + 6


def test_requests_that_hang_leave_slots_to_the_others() -> None:
    async def story() -> float:
        bucket, server = a_bucket(slots=4), Server()
        hanging = [asyncio.create_task(send(bucket, server, back=30)) for _ in range(8)]
        await asyncio.sleep(0)
        await send(bucket, server)
        left = seconds()
        await asyncio.gather(*hanging)
        return left

    assert run_virtually(story()) < 2


@given(
    ways=st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), min_size=25, max_size=40),
    left=st.integers(5, 20),
)
def test_what_another_client_took_is_withheld_also_where_requests_overtake_each_other(
    ways: Sequence[tuple[float, float]], left: int
) -> None:
    async def story() -> Server:
        bucket, server = a_bucket(slots=4), Server(tokens=left)
        await asyncio.gather(
            *(send(bucket, server, there=there, back=back) for there, back in ways)
        )
        return server

    assert run_virtually(story()).throttled == 0


def test_what_another_client_takes_is_withheld_until_the_server_has_it_again() -> None:
    async def story() -> tuple[Server, float]:
        bucket, server = a_bucket(), Server(tokens=5)
        await send(bucket, server)
        await asyncio.gather(*(send(bucket, server) for _ in range(14)))
        server.tokens += 10
        await send(bucket, server)
        began = seconds()
        await asyncio.gather(*(send(bucket, server) for _ in range(10)))
        return server, seconds() - began

    server, took = run_virtually(story())

    assert server.throttled == 0
    assert took == pytest.approx(0.3, abs=0.2)
