"""How thousands of stops wait for their turn, on a clock that jumps."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.compute.lane import PATIENCE_SECONDS, PLACES, Lane
from shared.telemetry import Event
from tests.support.builders import a_workspace
from tests.support.fake_azure import FakeAzure
from tests.support.night import a_machine, an_estate, spend
from tests.support.virtual_time import run_virtually, seconds


async def hold(lane: Lane, *, takes: float) -> float:
    """Take a place for a while; the second at which it was given."""
    async with lane.place():
        given = seconds()
        await asyncio.sleep(takes)
    return given


async def hold_all(lane: Lane, count: int, *, takes: float) -> Sequence[float]:
    return await asyncio.gather(*(hold(lane, takes=takes) for _ in range(count)))


def test_places_are_given_in_order_and_so_many_at_a_time() -> None:
    given = run_virtually(hold_all(Lane(), PLACES * 2 + 1, takes=1))

    assert given == [0] * PLACES + [1] * PLACES + [2]


def test_a_block_that_is_slow_keeps_its_place_no_longer_than_patience_lasts() -> None:
    given = run_virtually(hold_all(Lane(), PLACES * 2, takes=100))

    assert given == [0] * PLACES + [PATIENCE_SECONDS] * PLACES


def test_a_block_that_was_slow_does_not_give_its_place_back_twice() -> None:
    async def story() -> Sequence[float]:
        lane = Lane()
        await hold_all(lane, PLACES, takes=PATIENCE_SECONDS + 1)
        return await hold_all(lane, PLACES * 2, takes=1)

    began = PATIENCE_SECONDS + 1
    assert run_virtually(story()) == [began] * PLACES + [began + 1] * PLACES


def test_a_block_that_fails_gives_its_place_back() -> None:
    async def fail(lane: Lane) -> None:
        async with lane.place():
            raise ConnectionError

    async def story() -> float:
        lane = Lane()
        for _ in range(PLACES):
            with pytest.raises(ConnectionError):
                await fail(lane)
        return await hold(lane, takes=0)

    assert run_virtually(story()) == 0


def test_hanging_stops_of_one_workspace_do_not_keep_another_running() -> None:
    stuck = [a_machine(f"ci-stuck{n:03}x") for n in range(PLACES * 2)]
    estate = an_estate(*stuck, mlw_other=[a_machine("ci-bob")])

    def hang(azure: FakeAzure) -> None:
        azure.hanging.update(
            f"{a_workspace().id}/computes/{each['name']}".lower() for each in stuck
        )

    night = spend(estate, prepare=hang, seconds=300)

    assert night.outcomes["ci-bob"] == "stopped"
    assert night.instance("ci-bob").seen_at < night.report.started_at.replace(minute=1)


def test_a_machine_that_waits_is_told_about_when_its_turn_comes_and_only_once() -> None:
    machines = [a_machine(f"ci-m{n:03}x") for n in range(PLACES * 2)]

    night = spend(an_estate(*machines))

    decided = night.telemetry.named(Event.COMPUTE_INSTANCE_DECIDED)
    assert sorted(each["instance"] for each in decided) == [each["name"] for each in machines]
