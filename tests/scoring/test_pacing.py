"""Turns: one question at a time for a service, a few for an origin, and nobody else waits."""

import asyncio
from datetime import UTC, datetime

from shared.scoring.pacing import AT_ONCE_PER_ORIGIN, InTurn, Turns
from shared.scoring.probe import Contact, Probe, ProbeRequest
from tests.support.fake_prober import FakeProber
from tests.support.scripted import always
from tests.support.virtual_time import run_virtually, seconds


def now() -> datetime:
    return datetime.now(UTC)


async def probe(prober: FakeProber, turns: Turns, service: str, url: str) -> Probe:
    request = ProbeRequest(method="GET", url=url, timeout_seconds=10, max_bytes=100)
    return await InTurn(prober=prober, turns=turns, service=service).probe(request)


def test_a_service_is_asked_one_thing_at_a_time_whoever_asks() -> None:
    prober = FakeProber(now=now, services={"http://one.test": always(seconds=1)})
    turns = Turns()

    async def story() -> list[Probe]:
        asked = (probe(prober, turns, "one", "http://one.test/live") for _ in range(3))
        return await asyncio.gather(*asked)

    found = run_virtually(story())

    assert prober.at_once["http://one.test"] == 1
    assert [each.seconds for each in found] == [1, 1, 1]


def test_an_origin_is_asked_eight_things_at_a_time() -> None:
    prober = FakeProber(now=now, services={"http://shared.test": always(seconds=1)})
    turns = Turns()

    async def story() -> float:
        urls = [f"http://shared.test/api/v1/service/s{number}/score" for number in range(24)]
        await asyncio.gather(*(probe(prober, turns, url, url) for url in urls))
        return seconds()

    took = run_virtually(story())

    assert prober.at_once["http://shared.test"] == AT_ONCE_PER_ORIGIN == 8
    assert took == 3


def test_a_service_that_hangs_delays_nobody_at_another_origin() -> None:
    hangs = always(contact=Contact.TIMED_OUT)
    services = {"http://hung.test": hangs, "http://well.test": always(seconds=1)}
    prober, turns = FakeProber(now=now, services=services), Turns()

    async def story() -> float:
        hung = [
            asyncio.create_task(probe(prober, turns, f"hung{number}", "http://hung.test/"))
            for number in range(20)
        ]
        await probe(prober, turns, "well", "http://well.test/")
        took = seconds()
        await asyncio.gather(*hung)
        return took

    assert run_virtually(story()) == 1


def test_who_gives_up_waiting_leaves_the_turn_to_the_next() -> None:
    services = {"http://one.test": always(seconds=5)}
    prober, turns = FakeProber(now=now, services=services), Turns()

    async def story() -> float:
        asked = [
            asyncio.create_task(probe(prober, turns, "one", "http://one.test/")) for _ in range(3)
        ]
        await asyncio.sleep(1)
        asked[0].cancel()
        asked[1].cancel()
        await asked[2]
        return seconds()

    assert run_virtually(story()) == 6
