"""Staying under ARM's token buckets, on a clock that jumps."""

import asyncio
from collections.abc import Coroutine, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from shared.clients.pacer import Bucket, BucketSize, Operation, Pacer
from tests.support.virtual_time import run_virtually, seconds

T = TypeVar("T")
LATENCY = 0.2


def virtually(main: Coroutine[Any, Any, T]) -> T:
    return run_virtually(main)


def a_bucket(
    capacity: float = 5, per_second: float = 2, *, slots: int = 100, may_grow: bool = False
) -> Bucket:
    size = BucketSize(capacity=capacity, per_second=per_second)
    return Bucket(size, slots=slots, may_grow=may_grow, clock=seconds)


async def send(bucket: Bucket, *, within: float = 1000, latency: float = LATENCY) -> float:
    """Send one request; the second at which it left."""
    async with bucket.turn(within=within):
        left = seconds()
        await asyncio.sleep(latency)
    return left


async def send_all(bucket: Bucket, count: int, *, within: float = 1000) -> Sequence[float]:
    return await asyncio.gather(*(send(bucket, within=within) for _ in range(count)))


def test_a_full_bucket_lets_a_burst_of_its_capacity_go_at_once() -> None:
    left = virtually(send_all(a_bucket(capacity=5), 5))

    assert left == [0] * 5


def test_beyond_the_burst_requests_leave_at_the_rate() -> None:
    left = virtually(send_all(a_bucket(capacity=5, per_second=2), 9))

    gaps = [round(later - earlier, 2) for earlier, later in pairwise(left[5:])]
    assert gaps == [0.5] * 3


def test_the_refill_begins_with_the_first_answer_since_the_server_was_not_charged_before() -> None:
    left = virtually(send_all(a_bucket(capacity=5, per_second=2), 6))

    assert left[5] == pytest.approx(LATENCY + 0.5, abs=0.01)


@pytest.mark.parametrize("count", [1, 20, 200])
def test_the_time_is_within_the_bound_of_the_arithmetic(count: int) -> None:
    bucket = a_bucket(capacity=20, per_second=10)

    left = virtually(send_all(bucket, count))

    bound = max(count - 20, 0) / 10 + LATENCY
    assert max(left) <= bound * 1.01 + 0.01


def test_no_more_than_the_slots_are_in_flight() -> None:
    left = virtually(send_all(a_bucket(capacity=100, slots=3), 9))

    assert [round(at / LATENCY) for at in left] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_requests_leave_in_the_order_in_which_they_came() -> None:
    left = virtually(send_all(a_bucket(capacity=1, per_second=1, slots=4), 12))

    assert left == sorted(left)


def test_a_turn_that_does_not_come_in_time_is_a_timeout() -> None:
    async def story() -> tuple[float, list[float | BaseException]]:
        bucket = a_bucket(capacity=1, per_second=0.1)
        outcomes = await asyncio.gather(
            *(send(bucket, within=3) for _ in range(4)), return_exceptions=True
        )
        return seconds(), outcomes

    ended, outcomes = virtually(story())

    assert ended == pytest.approx(3, abs=0.01)
    assert [type(each) for each in outcomes[1:]] == [TimeoutError] * 3


@pytest.mark.parametrize("within", [0, -5])
def test_nothing_leaves_after_the_deadline_even_if_a_token_is_there(within: float) -> None:
    with pytest.raises(TimeoutError):
        virtually(send(a_bucket(), within=within))


def test_those_who_gave_up_take_no_token_from_those_who_wait() -> None:
    async def story() -> float:
        bucket = a_bucket(capacity=1, per_second=1)
        await send(bucket)
        await asyncio.gather(*(send(bucket, within=0.1) for _ in range(5)), return_exceptions=True)
        return await send(bucket)

    assert virtually(story()) == pytest.approx(LATENCY + 1, abs=0.01)


def test_a_request_that_failed_gives_its_slot_back() -> None:
    async def story() -> float:
        bucket = a_bucket(slots=1)
        with pytest.raises(ConnectionError):
            async with bucket.turn(within=1):
                raise ConnectionError
        return await send(bucket, within=1)

    assert virtually(story()) == 0


def test_a_first_request_that_fails_starts_the_refill_all_the_same() -> None:
    async def fail(bucket: Bucket) -> None:
        async with bucket.turn(within=10):
            await asyncio.sleep(5)
            raise ConnectionError

    async def story() -> float:
        bucket = a_bucket(capacity=1, per_second=1)
        left = await asyncio.gather(fail(bucket), send(bucket, within=30), return_exceptions=True)
        assert isinstance(left[1], float)
        return left[1]

    assert virtually(story()) == pytest.approx(6, abs=0.01)


def test_a_cancelled_request_frees_its_slot_and_the_queue_behind_it() -> None:
    async def story() -> float:
        bucket = a_bucket(capacity=1, per_second=0.5, slots=2)
        await send(bucket)
        first = asyncio.create_task(send(bucket))
        second = asyncio.create_task(send(bucket))
        await asyncio.sleep(0.1)
        first.cancel()
        return await second

    assert virtually(story()) < 3


def test_a_server_that_has_less_than_we_count_is_believed() -> None:
    async def story() -> float:
        bucket = a_bucket(capacity=100, per_second=10)
        async with bucket.turn(within=1) as number:
            pass
        bucket.learn(number, 0)
        return await send(bucket)

    assert virtually(story()) == pytest.approx(0.1, abs=0.01)


def test_what_left_after_the_answered_request_is_counted_against_what_remains() -> None:
    async def story() -> int:
        bucket = a_bucket(capacity=100, per_second=0.001)
        async with bucket.turn(within=1) as number:
            pass
        await send_all(bucket, 10)
        bucket.learn(number, 15)
        sent = await asyncio.gather(
            *(send(bucket, within=1) for _ in range(20)), return_exceptions=True
        )
        return sum(isinstance(each, float) for each in sent)

    assert virtually(story()) == 5


@pytest.mark.parametrize(("may_grow", "burst"), [(True, 50), (False, 4)])
def test_a_server_that_has_more_is_believed_only_where_that_is_wanted(
    *, may_grow: bool, burst: int
) -> None:
    async def story() -> int:
        bucket = a_bucket(capacity=5, per_second=0.001, may_grow=may_grow)
        async with bucket.turn(within=1) as number:
            pass
        bucket.learn(number, 50)
        sent = await asyncio.gather(
            *(send(bucket, within=1) for _ in range(60)), return_exceptions=True
        )
        return sum(isinstance(each, float) for each in sent)

    assert virtually(story()) == burst


def test_a_pause_holds_everybody_back() -> None:
    async def story() -> Sequence[float]:
        bucket = a_bucket(capacity=100, per_second=10)
        await send(bucket)
        bucket.pause(4)
        return await send_all(bucket, 3)

    assert min(virtually(story())) >= LATENCY + 4


@pytest.mark.parametrize("asked", [372.0, float("inf")])
def test_a_pause_is_never_longer_than_a_bucket_needs(asked: float) -> None:
    async def story() -> float:
        bucket = a_bucket()
        await send(bucket)
        bucket.pause(asked)
        return await send(bucket)

    assert virtually(story()) == pytest.approx(10, abs=1)


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    async def story() -> float:
        bucket = a_bucket()
        await send(bucket)
        bucket.pause(8)
        bucket.pause(1)
        return await send(bucket)

    assert virtually(story()) >= 8


def test_subscriptions_and_operations_have_buckets_of_their_own() -> None:
    async def story() -> tuple[Bucket, Bucket, Bucket, Bucket]:
        pacer = Pacer(clock=seconds)
        return (
            pacer.bucket("AAAA", Operation.READS),
            pacer.bucket("aaaa", Operation.READS),
            pacer.bucket("aaaa", Operation.WRITES),
            pacer.bucket("bbbb", Operation.READS),
        )

    one, same, writes, other = virtually(story())

    assert one is same
    assert len({id(one), id(writes), id(other)}) == 3


def test_sizes_that_are_not_given_are_azures_documented_ones() -> None:
    async def story() -> Sequence[float]:
        pacer = Pacer({Operation.READS: BucketSize(capacity=1, per_second=1)}, slots=300)
        return await send_all(pacer.bucket("aaaa", Operation.WRITES), 200)

    assert set(virtually(story())) == {0}
