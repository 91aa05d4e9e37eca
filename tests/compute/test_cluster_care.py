"""Clusters have no idle node outside their windows, and get their minimum back, whatever happens."""

import asyncio

import pytest

from shared.compute.rulebook import Rulebook
from shared.errors import AzureRequestError, StorageUnavailableError
from shared.telemetry import Event
from tests.support.builders import SUBSCRIPTION
from tests.support.cluster_night import ClusterNight, a_cluster
from tests.support.fake_storage import FakeClusterMinimums
from tests.support.virtual_time import run_virtually

CPU_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-ml"
    "/providers/microsoft.machinelearningservices/workspaces/mlw-churn/computes/cpu"
)
NEVER = {"shutdown": "never"}


class Forgetful(FakeClusterMinimums):
    """Storage that goes away after it was read."""

    async def remember(self, _minimum: object) -> None:
        raise StorageUnavailableError("503 ServerBusy")

    async def forget(self, _cluster_id: str) -> None:
        raise StorageUnavailableError("503 ServerBusy")


def test_an_idle_cluster_has_no_node_at_night_and_its_minimum_by_day() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(minimum=2, maximum=6)])

        down = (await night.tick())["cpu"]
        assert (down.outcome, down.reason) == ("scaled_down", "idle_outside_window")
        assert (down.minimum_before, down.minimum_after) == (2, 0)
        assert night.remembered() == {"cpu": 2}

        await night.until_morning()
        up = (await night.tick())["cpu"]
        assert (up.outcome, up.reason, up.minimum_after) == ("restored", "may_be_up_again", 2)
        assert (night.minimum(), night.remembered()) == (2, {})
        assert night.changes == ["cpu", "cpu"]

    run_virtually(story())


def test_a_second_tick_changes_nothing() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])
        await night.tick()
        await asyncio.sleep(900)

        again = (await night.tick())["cpu"]

        assert (again.outcome, again.reason) == ("left", "scaled_down")
        assert night.changes == ["cpu"]

    run_virtually(story())


@pytest.mark.parametrize(
    ("cluster", "reason"),
    [
        (a_cluster(nodes={"running": 1, "idle": 1}), "nodes_busy"),
        (a_cluster(nodes={"preparing": 2}), "nodes_busy"),
        (a_cluster(nodes={"leaving": 1, "idle": 2}), "nodes_busy"),
        (a_cluster(minimum=0), "no_minimum"),
        (a_cluster(tags=NEVER), "may_be_up"),
        (a_cluster(tags={"uptime": "always"}), "may_be_up"),
        (a_cluster(tags={"uptime": "quarter to nine"}), "may_be_up"),
    ],
)
def test_it_is_left_alone(cluster: dict[str, object], reason: str) -> None:
    async def story() -> None:
        night = ClusterNight([cluster])

        report = (await night.tick())["cpu"]

        assert (report.outcome, report.reason) == ("left", reason)
        assert report.reason_text.endswith(".")
        assert (night.changes, night.remembered()) == ([], {})

    run_virtually(story())


def test_the_workspaces_tag_holds_for_its_clusters() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()], workspace={"tags": {"uptime": "always"}})

        assert (await night.tick())["cpu"].outcome == "left"

    run_virtually(story())


def test_only_clusters_are_tended_each_where_it_is_at_home() -> None:
    async def story() -> None:
        night = ClusterNight(
            [a_cluster(), {"name": "ci-ada"}, {"name": "k", "compute_type": "AKS"}]
        )
        night.home = night.azure.workspaces[night.home.id.lower()][1]

        assert (await night.tick()).keys() == {"cpu"}

    run_virtually(story())


def test_a_dry_run_says_what_it_would_do() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])

        report = (await night.tick(dry_run=True))["cpu"]

        assert (report.decision, report.outcome) == ("scale_down", "planned")
        assert (night.changes, night.remembered(), night.minimum()) == ([], {}, 2)

    run_virtually(story())


def test_a_shutdown_now_is_no_affair_of_clusters() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])

        assert await night.tick(book=Rulebook(by_the_book=False)) == {}

    run_virtually(story())


def test_while_storage_is_away_nothing_is_scaled_down_and_that_is_said() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()], minimums=FakeClusterMinimums(away=True))

        report = (await night.tick())["cpu"]

        assert report.outcome == "not_recorded"
        assert "503" in report.detail
        assert night.changes == []
        assert len(night.telemetry.named(Event.HISTORY_LOST)) == 1

    run_virtually(story())


def test_storage_that_goes_away_before_the_change_prevents_it() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster(), a_cluster("gpu")], minimums=Forgetful())

        reports = await night.tick()

        assert {each.outcome for each in reports.values()} == {"not_recorded"}
        assert night.changes == []
        assert len(night.telemetry.named(Event.HISTORY_LOST)) == 1

    run_virtually(story())


def test_storage_that_goes_away_after_the_change_is_caught_up_with() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])
        await night.tick()
        await night.until_morning()
        stored = night.minimums.minimums
        night.minimums = Forgetful(minimums=stored)
        assert (await night.tick())["cpu"].outcome == "restored"

        night.minimums = FakeClusterMinimums(minimums=stored)
        after = (await night.tick())["cpu"]

        assert (after.outcome, after.reason) == ("forgotten", "minimum_is_back")
        assert (night.minimum(), night.remembered()) == (2, {})

    run_virtually(story())


def test_a_worker_lost_between_record_and_change_is_caught_up_with() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])
        night.azure.hanging.add(CPU_ID)
        lost = asyncio.create_task(night.tick())
        await asyncio.sleep(1)
        lost.cancel()
        with pytest.raises(asyncio.CancelledError):
            await lost
        assert (night.remembered(), night.minimum()) == ({"cpu": 2}, 2)

        night.azure.hanging.clear()
        await asyncio.sleep(900)
        report = (await night.tick())["cpu"]

        assert (report.outcome, night.minimum()) == ("scaled_down", 0)
        assert night.remembered() == {"cpu": 2}

    run_virtually(story())


@pytest.mark.parametrize("cut", ["before_effect", "after_effect"])
def test_an_answer_that_is_lost_is_made_up_for_by_looking(cut: str) -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])
        night.azure.cuts["cpu"] = cut

        report = (await night.tick())["cpu"]
        assert report.outcome == ("scaled_down" if cut == "after_effect" else "unresolved")

        await asyncio.sleep(900)
        await night.tick()
        assert (night.minimum(), night.remembered()) == (0, {"cpu": 2})

    run_virtually(story())


def test_a_refusal_is_told_and_tried_again() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])
        refusal = AzureRequestError("PATCH: 403: no right", status=403, code="AuthorizationFailed")
        night.azure.failures[CPU_ID] = refusal

        report = (await night.tick())["cpu"]

        assert (report.outcome, report.detail) == ("refused", "PATCH: 403: no right")
        (told,) = night.telemetry.named(Event.COMPUTE_CLUSTER_OUTCOME)
        assert told["outcome"] == "refused"

        night.azure.failures.clear()
        assert (await night.tick())["cpu"].outcome == "scaled_down"

    run_virtually(story())


def test_a_refused_restore_is_tried_again() -> None:
    async def story() -> None:
        night = ClusterNight([a_cluster()])
        await night.tick()
        await night.until_morning()
        night.azure.failures[CPU_ID] = AzureRequestError("409", status=409, code="Conflict")
        assert (await night.tick())["cpu"].outcome == "refused"
        assert night.remembered() == {"cpu": 2}

        night.azure.failures.clear()
        assert (await night.tick())["cpu"].outcome == "restored"

    run_virtually(story())
