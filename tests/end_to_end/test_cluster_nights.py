"""Clusters over a night: the real client against the emulator, what is remembered in Azurite."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from shared.clients.cluster_minimums import ClusterMinimumsClient
from shared.clients.storage import StorageAccount
from shared.compute.cluster_care import ClusterCare, recall, tend_clusters
from shared.compute.cluster_report import ClusterReport
from shared.compute.clusters import ClusterMinimum, ClusterMinimums
from shared.compute.mishap import Mishap
from shared.compute.rulebook import Rulebook
from shared.compute.schedule import parse_schedule
from shared.errors import StorageUnavailableError
from tests.end_to_end.estate import SUBSCRIPTION, a_workspace, an_estate, an_instance
from tests.end_to_end.observed import requests_that_change
from tests.support.arm_session import ArmSession, now, trust, within
from tests.support.emulator import EmulatorProcess
from tests.support.telemetry import RecordingTelemetry

NIGHT, DAY = parse_schedule("none"), parse_schedule("always")


def a_cluster(name: str, *, minimum: int = 2, **rest: Any) -> Mapping[str, Any]:
    scale = {"min_node_count": minimum, "max_node_count": 4}
    return {"name": name, "compute_type": "AmlCompute", "scale": scale, **rest}


ESTATE = an_estate(
    a_workspace(
        "mlw-churn",
        dict(a_cluster("idle")),
        dict(a_cluster("busy", nodes={"idle": 1, "running": 1})),
        dict(a_cluster("none", minimum=0)),
        dict(a_cluster("kept", tags={"uptime": "always"})),
        an_instance("ci-ada"),
    )
)


@dataclass
class Estate:
    """One workspace of the emulator, and a table of Azurite."""

    session: ArmSession
    minimums: ClusterMinimums
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)

    async def tick(self, schedule: Any, **settings: Any) -> Mapping[str, ClusterReport]:
        memory = await recall(self.minimums, telemetry=self.telemetry)
        async with self.session.machine_learning() as azure:
            (home,) = await azure.list_workspaces(SUBSCRIPTION, deadline=within(10))
            care = ClusterCare(
                azure=azure,
                memory=memory,
                telemetry=self.telemetry,
                book=Rulebook(default=schedule),
                now=now,
                deadline=within(20),
                off_hours=True,
                poll=timedelta(seconds=0.1),
                patience=timedelta(seconds=5),
                **settings,
            )
            computes = await azure.list_computes(home, deadline=within(10))
            reports = await tend_clusters(
                home, computes, care=care, at=now(), contain=lambda _: nullcontext(Mishap())
            )
        return {each.name: each for each in reports}


@pytest.fixture
async def estate(
    emulator: EmulatorProcess, azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Estate]:
    trust(emulator, monkeypatch)
    emulator.seed(ESTATE)
    account = StorageAccount(connection_string=azurite.connection_string)
    async with ClusterMinimumsClient(account, table=f"T{uuid4().hex}") as minimums:
        yield Estate(session=ArmSession(emulator=emulator), minimums=minimums)


def outcomes(reports: Mapping[str, ClusterReport]) -> Mapping[str, tuple[str, str]]:
    return {name: (each.outcome, each.reason) for name, each in reports.items()}


async def test_only_what_idles_outside_its_window_is_scaled_down(estate: Estate) -> None:
    reports = await estate.tick(NIGHT)

    assert outcomes(reports) == {
        "idle": ("scaled_down", "idle_outside_window"),
        "busy": ("left", "nodes_busy"),
        "none": ("left", "no_minimum"),
        "kept": ("left", "may_be_up"),
    }
    changed = [path.split("/")[-1] for path in requests_that_change(estate.session.emulator)]
    assert changed == ["idle"]
    (remembered,) = await estate.minimums.list()
    assert (remembered.minimum, remembered.lowered_at is not None) == (2, True)


async def test_a_night_and_a_morning_leave_it_as_it_was(estate: Estate) -> None:
    await estate.tick(NIGHT)
    second = await estate.tick(NIGHT)
    morning = await estate.tick(DAY)
    noon = await estate.tick(DAY)

    assert outcomes(second)["idle"] == ("left", "scaled_down")
    assert outcomes(morning)["idle"] == ("restored", "may_be_up_again")
    assert (noon["idle"].minimum_after, noon["idle"].outcome) == (2, "left")
    assert await estate.minimums.list() == []


@pytest.mark.parametrize("cut", ["after_effect", "mid_body"])
async def test_a_lost_answer_is_made_up_for_by_looking(estate: Estate, cut: str) -> None:
    estate.session.emulator.fault("/computes/idle$", method="PATCH", cut=cut)

    reports = await estate.tick(NIGHT)

    assert reports["idle"].outcome == "scaled_down"
    assert len(requests_that_change(estate.session.emulator)) == 1


async def test_what_azure_refuses_is_told_in_its_words(estate: Estate) -> None:
    refusal = {"error": {"code": "ScopeLocked", "message": "The scope is locked."}}
    estate.session.emulator.fault("/computes/idle$", method="PATCH", status=409, body=refusal)

    reports = await estate.tick(NIGHT)

    assert reports["idle"].outcome == "refused"
    assert "The scope is locked." in reports["idle"].detail
    assert (await estate.tick(NIGHT))["idle"].outcome == "scaled_down"


class Away:
    """Storage that cannot be reached."""

    async def remember(self, _minimum: ClusterMinimum) -> None:
        raise StorageUnavailableError("503 ServerBusy")

    async def forget(self, _cluster_id: str) -> None:
        raise StorageUnavailableError("503 ServerBusy")

    async def list(self) -> Sequence[ClusterMinimum]:
        raise StorageUnavailableError("503 ServerBusy")


async def test_without_storage_no_cluster_is_touched(estate: Estate) -> None:
    estate.minimums = Away()

    reports = await estate.tick(NIGHT)

    assert reports["idle"].outcome == "not_recorded"
    assert requests_that_change(estate.session.emulator) == []
