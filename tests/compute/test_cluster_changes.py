"""Clusters that others change, too: users, operators, and another tick at the same time."""

import asyncio
from datetime import timedelta

import pytest

from shared.compute.native_settings import ScaleSettings
from shared.compute.rulebook import Rulebook
from tests.support.cluster_night import DAYTIME, ClusterNight, a_cluster, now
from tests.support.virtual_time import run_virtually


@pytest.mark.parametrize("minimum", [1, 2, 3])
def test_a_user_who_sets_a_minimum_at_night_wins(minimum: int) -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(minimum=2)])
        await night.tick()
        await night.set_minimum(minimum)

        at_night = (await night.tick())["cpu"]
        await night.until_morning()
        by_day = (await night.tick())["cpu"]

        assert (at_night.outcome, at_night.reason) == ("left", "changed_by_user")
        assert by_day.outcome == "forgotten"
        assert (night.changes, night.minimum(), night.remembered()) == ([], minimum, {})

    run_virtually(story())


def test_the_next_night_starts_anew() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(minimum=2)])
        await night.tick()
        await night.set_minimum(3)
        await night.until_morning()
        await night.tick()

        await asyncio.sleep(timedelta(hours=16).total_seconds())
        report = (await night.tick())["cpu"]

        assert (report.outcome, night.remembered()) == ("scaled_down", {"cpu": 3})

    run_virtually(story())


def test_a_lower_maximum_bounds_what_is_given_back() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(minimum=3)])
        await night.tick()
        await night.set_minimum(0, maximum=1)
        await night.until_morning()

        report = (await night.tick())["cpu"]

        assert (report.outcome, night.minimum(), night.remembered()) == ("restored", 1, {})

    run_virtually(story())


def test_switched_off_again_it_gives_everything_back_at_once() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(), a_cluster("gpu", minimum=1, nodes={"running": 1})])
        await night.tick()
        await asyncio.sleep(900)

        reports = await night.tick(off_hours=False)

        assert (reports["cpu"].outcome, reports["cpu"].reason) == ("restored", "switched_off")
        assert reports["gpu"].outcome == "left"
        assert (night.minimum(), night.remembered()) == (2, {})

    run_virtually(story())


def test_it_is_off_by_default() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])

        report = (await night.tick(off_hours=False))["cpu"]

        assert (report.outcome, report.reason) == ("left", "switched_off")
        assert night.changes == []

    run_virtually(story())


def test_two_ticks_at_once_lose_nothing() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])

        await asyncio.gather(night.tick(), night.tick())
        await asyncio.sleep(900)
        await night.tick()
        await night.until_morning()
        await night.tick()

        assert (night.minimum(), night.remembered()) == (2, {})

    run_virtually(story())


def test_a_change_that_another_tick_has_begun_does_not_lose_the_minimum() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])

        def overtake() -> None:
            zero = ScaleSettings(minimum=0, maximum=4, idle_time="PT120S")
            night.azure.machine("cpu").scale_to(zero, now())

        report = (await night.tick(meanwhile=overtake))["cpu"]

        assert report.outcome == "refused"
        assert (night.minimum(), night.remembered()) == (0, {"cpu": 2})
        await night.until_morning()
        assert (await night.tick())["cpu"].outcome == "restored"

    run_virtually(story())


def test_a_tick_that_lists_before_another_scales_down_remembers_the_same() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])
        first = asyncio.ensure_future(night.tick())
        await asyncio.sleep(2)

        await asyncio.gather(first, night.tick(book=Rulebook(default=DAYTIME)))

        assert (night.minimum(), night.remembered()) == (0, {"cpu": 2})

    run_virtually(story())
