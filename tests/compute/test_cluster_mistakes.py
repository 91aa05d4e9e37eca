"""A mistake of our own about one cluster costs that one: it is named, logged once, and spares the rest."""

from dataclasses import replace
from typing import Any, cast

import pytest

from shared.telemetry import Event
from tests.support.builders import a_workspace, an_instance
from tests.support.cluster_night import ClusterNight, a_cluster
from tests.support.fake_storage import FakeClusterMinimums
from tests.support.night import later
from tests.support.virtual_time import run_virtually

MISTAKE = ZeroDivisionError("sig=canary")
CPU = an_instance("cpu").key


class Stumbling(FakeClusterMinimums):
    """Storage whose client makes a mistake about one cluster, whatever it is asked."""

    async def forget(self, cluster_id: str) -> None:
        if cluster_id.lower() == CPU:
            raise MISTAKE
        await super().forget(cluster_id)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged with its traceback."""
    return [record.getMessage() for record in caplog.records if record.exc_info]


def test_a_cluster_that_cannot_be_changed_spares_its_neighbours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(), a_cluster("gpu")])
        night.azure.failures[CPU] = MISTAKE

        reports = await night.tick()

        assert {name: each.outcome for name, each in reports.items()} == {
            "cpu": "unresolved",
            "gpu": "scaled_down",
        }
        assert "ZeroDivisionError about cpu" in reports["cpu"].detail
        assert "canary" not in reports["cpu"].detail
        assert reports["cpu"].detail in night.mishaps
        told = night.telemetry.named(Event.COMPUTE_CLUSTER_OUTCOME)
        assert {said["cluster"] for said in told} == {"cpu", "gpu"}

    run_virtually(story())

    assert logged(caplog) == [
        f"an unexpected error in {a_workspace().id}: ZeroDivisionError about cpu"
    ]


def test_a_cluster_of_which_nothing_can_be_decided_spares_its_neighbours() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(), a_cluster("gpu")])
        cpu = night.azure.machine("cpu")
        cpu.compute = replace(cpu.compute, tags=cast("Any", None))

        reports = await night.tick()

        assert {name: each.outcome for name, each in reports.items()} == {"gpu": "scaled_down"}
        assert len(night.mishaps) == 1
        assert "about cpu" in night.mishaps[0]

    run_virtually(story())


def test_a_list_that_cannot_be_understood_ends_no_looking(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(), a_cluster("gpu")])
        home = night.home.id.lower()
        later(1, lambda: night.azure.failures.update({home: MISTAKE}))
        later(17, night.azure.failures.clear)

        reports = await night.tick()

        assert {each.outcome for each in reports.values()} == {"scaled_down"}
        assert night.mishaps

    run_virtually(story())

    assert len(logged(caplog)) == 1


def test_a_minimum_that_cannot_be_forgotten_spares_the_other_clusters() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(), a_cluster("gpu")])
        await night.tick()
        await night.until_morning()
        night.minimums = Stumbling(minimums=night.minimums.minimums)

        reports = await night.tick()

        assert {each.outcome for each in reports.values()} == {"restored"}
        assert "ZeroDivisionError" in reports["cpu"].detail
        assert (night.remembered(), len(night.mishaps)) == ({"cpu": 2}, 1)

    run_virtually(story())
