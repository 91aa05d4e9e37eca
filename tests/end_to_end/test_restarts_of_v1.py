"""Restarts of web services of SDK v1 by what they run on: a container group, a Deployment on AKS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from local_host.azurite.process import Azurite
from tests.support import container_groups, kubernetes
from tests.support.builders import SUBSCRIPTION
from tests.support.emulator import EmulatorProcess
from tests.support.lost_workers import changes, lose_after_change
from tests.support.redeploy_proofs import GOLDEN, Worker, declare, verdicts, worker_of
from tests.support.web_service_v1 import ID, OF_IMAGE

PODS = "/api/v1/namespaces/azureml-mlw-churn/pods"


@dataclass(frozen=True, kw_only=True)
class Beneath:
    """What runs a v1 service.

    `images` and `platform` are the emulator's seed, `entry` what a file says of it, `url` tells where it answers, `runs`
    what runs there and since when. `change`: what Azure is asked for in a restart.
    """

    images: Mapping[str, Any]
    platform: Mapping[str, Any]
    entry: Mapping[str, Any]
    url: Callable[[EmulatorProcess], str]
    runs: Callable[[EmulatorProcess], Any]
    change: str


def container_start(emulator: EmulatorProcess) -> str:
    (container,) = container_groups.seen(emulator)["containers"]
    return str(container["startedAt"])


def cluster_url(emulator: EmulatorProcess) -> str:
    (cluster,) = emulator.state()["managed_clusters"]
    return str(cluster["deployments"][0]["url"])


def pods(emulator: EmulatorProcess) -> frozenset[str]:
    found = kubernetes.connect(emulator).items(PODS)
    return frozenset(str(each["metadata"]["uid"]) for each in found)


def in_namespace_of_workspace() -> dict[str, Any]:
    manifest = kubernetes.a_manifest(replicas=1)
    manifest["metadata"]["namespace"] = "azureml-mlw-churn"
    return manifest


GROUP = Beneath(
    images=container_groups.IMAGES,
    platform={"container_groups": [{"name": "weight", **container_groups.a_group()}]},
    entry={"runs_on": container_groups.GROUP_ID},
    url=lambda emulator: str(container_groups.seen(emulator)["url"]),
    runs=container_start,
    change="POST",
)
_CLUSTER = kubernetes.a_cluster(in_namespace_of_workspace())
DEPLOYMENT = Beneath(
    images=_CLUSTER["images"],
    platform={"managed_clusters": _CLUSTER["subscriptions"][0]["managed_clusters"]},
    entry={
        "runs_on": kubernetes.CLUSTER,
        "aks": {"namespace": "azureml-mlw-churn", "deployment": "weight"},
    },
    url=cluster_url,
    runs=pods,
    change="PATCH",
)
BOTH = pytest.mark.parametrize("beneath", [GROUP, DEPLOYMENT], ids=["aci", "aks"])


@pytest.fixture(scope="module")
def worker(
    emulator_process: EmulatorProcess, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worker]:
    """The app, alone at its queue."""
    with worker_of(emulator_process, azurite, tmp_path_factory.mktemp("v1")) as running:
        running.patience_seconds = 150.0
        yield running


@pytest.fixture
def name(beneath: Beneath, emulator: EmulatorProcess, azurite: Azurite) -> str:
    """Declare a v1 service with what it runs on, and return the name that it goes by."""
    service = {"name": "weight", "auth_enabled": False, **OF_IMAGE}
    workspace = {"name": "mlw-churn", "services": [service]}
    subscriptions = [
        {"id": SUBSCRIPTION, "workspaces": [workspace]},
        {"id": kubernetes.SUBSCRIPTION, **beneath.platform},
    ]
    emulator.seed({"images": beneath.images, "subscriptions": subscriptions})
    entry = {
        "kind": "aml-v1",
        "url": beneath.url(emulator),
        "resource_id": ID,
        "checks": {"live": {"path": "/live"}, "golden": [GOLDEN]},
        **beneath.entry,
    }
    return declare(azurite, entry)


@BOTH
def test_a_restart_really_starts_what_runs_anew(
    beneath: Beneath, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    before = beneath.runs(emulator)

    end = worker.follow(worker.begun(name, restart=True))

    assert (end["state"], end["kind"]) == ("succeeded", "aml-v1"), end["text"]
    assert verdicts(end, "new") == ["healthy"] * 3
    assert any(" since 20" in line for line in end["evidence"]["platform"])
    assert beneath.runs(emulator) != before
    assert changes(emulator) == [beneath.change]
    assert asked_of_model_management(emulator) == 0


@BOTH
def test_a_restart_whose_worker_is_lost_is_not_made_twice(
    beneath: Beneath, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    location = worker.begun(name, restart=True)

    lose_after_change(worker, location, number=1)
    worker.replace(location)
    end = worker.follow(location)

    assert end["state"] == "succeeded", end["text"]
    assert changes(emulator) == [beneath.change]


@pytest.mark.parametrize("beneath", [GROUP], ids=["aci"])
def test_all_else_is_asked_of_azure_ml(
    beneath: Beneath, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    before = beneath.runs(emulator)

    end = worker.follow(worker.begun(name, image="weight:5", dry_run=True))

    assert end["state"] == "succeeded", end["text"]
    assert (end["image_before"], end["digest_before"]) == tuple(OF_IMAGE.values())
    assert asked_of_model_management(emulator) > 0
    assert beneath.runs(emulator) == before


def asked_of_model_management(emulator: EmulatorProcess) -> int:
    """How often Azure ML was asked about its web services."""
    return sum("/modelmanagement/" in each["path"] for each in emulator.requests())
