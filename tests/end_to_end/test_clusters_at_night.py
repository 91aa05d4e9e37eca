"""CLUSTER_OFF_HOURS from outside: ticks take an idle cluster's nodes away and give them back."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.conftest import SPEED
from tests.end_to_end.estate import a_workspace, an_estate, workspace_id
from tests.end_to_end.history import History
from tests.end_to_end.observed import events, requests_that_change
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.local_host import LocalHost

MINIMUM = 2
HOME = workspace_id("mlw-churn")
LOCKED = {"error": {"code": "ScopeLocked", "message": "The scope is locked by the platform team."}}


def a_cluster(name: str, **rest: Any) -> dict[str, Any]:
    scale = {"min_node_count": MINIMUM, "max_node_count": 4}
    return {"name": name, "compute_type": "AmlCompute", "scale": scale, **rest}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """An estate of one cluster, and one host after the other over the same storage."""

    emulator: EmulatorProcess
    azurite: Azurite
    folder: Path
    hosts: ExitStack
    cluster: str

    def seed(self, **rest: Any) -> None:
        self.emulator.seed(an_estate(a_workspace("mlw-churn", a_cluster(self.cluster, **rest))))

    def host(self, **settings: str) -> LocalHost:
        chosen = {"AzureWebJobsStorage": self.azurite.connection_string, **settings}
        own = self.folder / f"{uuid4().hex}.env"
        write_env_file(own, chosen)
        files = [self.emulator.env_file, own]
        # An app's workers have the same settings: one that had others would take up its shares.
        self.hosts.close()
        return self.hosts.enter_context(LocalHost(env_files=files, env=SPEED))

    def night(self) -> LocalHost:
        return self.host(CLUSTER_OFF_HOURS="true", DEFAULT_SCHEDULE="none")

    def day(self) -> LocalHost:
        return self.host(CLUSTER_OFF_HOURS="true", DEFAULT_SCHEDULE="always")

    def minimum(self) -> int:
        """Return what Azure itself says of the cluster's minimum."""
        path = f"{HOME}/computes/{self.cluster}"
        read = self.emulator.arm("GET", path, token=self.emulator.arm_token())
        scale: Mapping[str, int] = read.json()["properties"]["properties"]["scaleSettings"]
        return scale["minNodeCount"]

    def outcomes(self) -> list[str]:
        told = events(self.emulator, "compute.cluster.outcome")
        return [each["outcome"] for each in told if each["cluster"] == self.cluster]

    def changes(self) -> list[str]:
        """Return the cluster of every request that was to change one, oldest first."""
        return [path.rpartition("/")[2] for path in requests_that_change(self.emulator)]


@pytest.fixture
def stage(emulator: EmulatorProcess, azurite: Azurite, tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as hosts:
        # What is remembered of a cluster outlives a test, so each has a cluster of its own.
        yield Stage(
            emulator=emulator,
            azurite=azurite,
            folder=tmp_path,
            hosts=hosts,
            cluster=f"cpu-{uuid4().hex[:12]}",
        )


def test_an_idle_cluster_has_no_minimum_over_night_and_gets_it_back_in_the_morning(
    stage: Stage,
) -> None:
    stage.seed()

    night = stage.night().fire_timer("shutdown_timer")
    at_night = stage.minimum()
    morning = stage.day().fire_timer("shutdown_timer")

    assert [each["status"] for each in (night, morning)] == ["succeeded", "succeeded"]
    assert (at_night, stage.minimum()) == (0, MINIMUM)
    assert stage.outcomes() == ["scaled_down", "restored"]
    assert stage.changes() == [stage.cluster, stage.cluster]


def test_a_night_of_many_ticks_asks_once(stage: Stage) -> None:
    stage.seed()
    host = stage.night()

    ended = [host.fire_timer("shutdown_timer")["status"] for _ in range(3)]

    assert ended == ["succeeded"] * 3
    assert (stage.changes(), stage.minimum()) == ([stage.cluster], 0)


def test_a_busy_cluster_is_left(stage: Stage) -> None:
    stage.seed(nodes={"idle": 1, "running": 1})
    host = stage.night()
    history = History.from_now(host)

    status = host.fire_timer("shutdown_timer")

    assert status["status"] == "succeeded"
    assert (stage.changes(), stage.minimum()) == ([], MINIMUM)
    assert history.runs() == []


def test_a_refusal_makes_the_run_partial_and_names_the_cluster(stage: Stage) -> None:
    stage.seed()
    stage.emulator.fault(f"/{stage.cluster}$", method="PATCH", times=None, status=409, body=LOCKED)
    host = stage.night()
    history = History.from_now(host)

    status = host.fire_timer("shutdown_timer")

    report = history.only_report()
    (home,) = report["workspaces"]
    (finished,) = events(stage.emulator, "compute.run.finished")
    assert (status["status"], report["result"], finished["result"]) == (
        "failed",
        "partial",
        "partial",
    )
    assert (home["id"], home["result"]) == (HOME, "read")
    assert stage.cluster in home["error"]
    assert LOCKED["error"]["message"] in home["error"]
    assert stage.minimum() == MINIMUM


@pytest.mark.parametrize("settings", [{}, {"CLUSTER_OFF_HOURS": "false"}], ids=["unset", "false"])
def test_clusters_are_left_alone_where_the_setting_is(
    stage: Stage, settings: dict[str, str]
) -> None:
    stage.seed()
    host = stage.host(DEFAULT_SCHEDULE="none", **settings)

    status = host.fire_timer("shutdown_timer")

    assert status["status"] == "succeeded"
    assert (stage.changes(), stage.minimum()) == ([], MINIMUM)


def test_a_shutdown_now_and_a_plan_touch_no_cluster(stage: Stage) -> None:
    stage.seed()
    host = stage.night()

    answers = [host.post("/api/compute/shutdown"), host.get("/api/compute/plan")]

    assert [answer.status for answer in answers] == [200, 200]
    assert (stage.changes(), stage.minimum()) == ([], MINIMUM)
