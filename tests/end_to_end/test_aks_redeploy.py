"""A service on AKS, redeployed over HTTP: the app, its queue and its tables, on the emulated cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.scoring_file import a_file, put_file
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import BETTER, CLUSTER, Kubernetes, a_cluster, connect
from tests.support.local_host import LocalHost

# Three proofs are ten seconds apart, and so is the look at the rollout.
PATIENCE_SECONDS = 180


@pytest.fixture
def cluster(emulator: EmulatorProcess) -> Kubernetes:
    emulator.seed(a_cluster())
    return connect(emulator)


@pytest.fixture
def name() -> str:
    return f"weight-{uuid4().hex[:8]}"


@pytest.fixture
def host(
    cluster: Kubernetes,
    azurite: Azurite,
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalHost]:
    (seen,) = cluster.emulator.state()["managed_clusters"]
    file = a_file(seen["deployments"][0]["url"], name)
    aks = {"kind": "aks", "resource_id": CLUSTER, "aks": {"deployment": "weight"}}
    file["services"][0] |= aks
    own = tmp_path_factory.mktemp("aks") / "own.env"
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "SCORING_SERVICES": put_file(azurite, file),
        "SCORING_DISCOVERY": "none",
    }
    own.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    with LocalHost(env_files=[cluster.emulator.env_file, own]) as running:
        yield running


def ended(host: LocalHost, location: str) -> Any:
    """Poll a redeploy until it is done."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        shown = host.get(location).json()
        if shown["done"]:
            return shown
        time.sleep(0.5)
    raise AssertionError(f"it goes on: {shown}")


def test_a_new_image_is_rolled_out_and_proven(
    host: LocalHost, cluster: Kubernetes, name: str
) -> None:
    path = f"/api/scoring/services/{name}/redeploy"

    begun = host.post(path, body={"image": BETTER, "reason": "retrained"})
    end = ended(host, begun.headers["location"])

    assert (begun.status, end["state"]) == (202, "succeeded"), end
    (container,) = cluster.deployment()["spec"]["template"]["spec"]["containers"]
    assert container["image"] == BETTER
    patches = [each for each in cluster.emulator.requests() if each["method"] == "PATCH"]
    assert len(patches) == 1
