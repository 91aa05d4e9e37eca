"""How the buckets of one worker share its places: never more in flight, and none left out."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.clients.pacer import Bucket, BucketSize, Operation, Pacer
from tests.support.virtual_time import run_virtually, seconds

LATENCY = 0.2
ONE_A_SECOND = BucketSize(capacity=1, per_second=1)


async def send(bucket: Bucket, *, within: float = 1000, latency: float = LATENCY) -> float:
    """Send one request; the second at which it left."""
    async with bucket.turn(within=within):
        left = seconds()
        await asyncio.sleep(latency)
    return left


async def send_all(bucket: Bucket, count: int) -> Sequence[float]:
    return await asyncio.gather(*(send(bucket) for _ in range(count)))


def test_all_buckets_together_keep_to_the_places_of_the_worker() -> None:
    async def story() -> Sequence[Sequence[float]]:
        pacer = Pacer(places=4, clock=seconds)
        buckets = [pacer.bucket(f"subscription-{n}", Operation.READS) for n in range(3)]
        return await asyncio.gather(*(send_all(bucket, 4) for bucket in buckets))

    left = sorted(at for bucket in run_virtually(story()) for at in bucket)

    assert [round(at / LATENCY) for at in left] == [0] * 4 + [1] * 4 + [2] * 4


def test_places_go_round_the_buckets_that_want_one() -> None:
    async def story() -> Sequence[Sequence[float]]:
        pacer = Pacer(places=1, clock=seconds)
        many, few = (pacer.bucket(name, Operation.READS) for name in ("many", "few"))
        return await asyncio.gather(send_all(many, 100), send_all(few, 2))

    _, few = run_virtually(story())

    assert [round(at / LATENCY) for at in few] == [2, 4]


def test_an_empty_bucket_holds_no_place() -> None:
    async def story() -> Sequence[float]:
        pacer = Pacer({Operation.WRITES: ONE_A_SECOND}, places=1, clock=seconds)
        empty, full = (pacer.bucket("aaaa", each) for each in (Operation.WRITES, Operation.READS))
        await send(empty)
        waits = asyncio.ensure_future(send(empty))
        left = await send_all(full, 3)
        await waits
        return left

    assert max(run_virtually(story())) < 1


def test_a_bucket_paused_while_it_waits_for_a_place_leaves_the_place_to_others() -> None:
    async def story() -> Sequence[float]:
        pacer = Pacer(places=1, clock=seconds)
        paused, busy = (pacer.bucket(name, Operation.READS) for name in ("paused", "busy"))
        blocks = asyncio.ensure_future(send(busy, latency=2))
        await asyncio.sleep(0)
        late = asyncio.ensure_future(send(paused))
        await asyncio.sleep(1)
        paused.pause(8)
        await blocks
        return [await send(busy), await late]

    assert run_virtually(story()) == pytest.approx([2, 9], abs=0.01)


def test_who_gives_up_while_it_waits_for_a_place_takes_none() -> None:
    async def story() -> float:
        bucket = Pacer(places=1, clock=seconds).bucket("aaaa", Operation.READS)
        blocks = asyncio.ensure_future(send(bucket, latency=2))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await send(bucket, within=1)
        await blocks
        return await send(bucket, within=1)

    assert run_virtually(story()) == pytest.approx(2, abs=0.01)
