"""The whole app follows the tag of an image: a push to the registry begins a redeploy."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.scoring_file import put_file
from tests.support.container_groups import push
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.kubernetes import CLUSTER, a_cluster, a_manifest, answering
from tests.support.local_host import LocalHost


@pytest.fixture
def name() -> str:
    return f"weight-{uuid4().hex[:8]}"


@pytest.fixture
def image(emulator: EmulatorProcess) -> str:
    """An image in a registry that hands out to anybody, running on a cluster."""
    reference = f"{emulator.url.removeprefix('https://').rstrip('/')}/weight:stable"
    seed = a_cluster(a_manifest(image=reference))
    seed["images"][reference] = answering(161.8533)
    emulator.seed({**seed, "anonymous_pull": True})
    return reference


@pytest.fixture
def env_files(
    emulator: EmulatorProcess, azurite: Azurite, name: str, image: str, tmp_path: Path
) -> list[Path]:
    (cluster,) = emulator.state()["managed_clusters"]
    (deployment,) = cluster["deployments"]
    assert deployment["images"] == [image]
    service = {
        "name": name,
        "kind": "aks",
        "url": deployment["url"],
        "resource_id": CLUSTER,
        "aks": {"deployment": "weight"},
        "preset": "plumber",
        "follow_tag": True,
    }
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "SCORING_SERVICES": put_file(azurite, {"version": 1, "services": [service]}),
        "SCORING_DISCOVERY": "none",
    }
    own = tmp_path / "own.env"
    write_env_file(own, settings)
    return [emulator.env_file, own]


def test_a_push_begins_one_redeploy_and_a_registry_that_is_away_fails_the_tick(
    emulator: EmulatorProcess, env_files: list[Path], name: str, image: str
) -> None:
    path = f"/api/scoring/services/{name}/redeploys"
    with LocalHost(env_files=env_files) as host:
        quiet = host.fire_timer("redeploy_timer")
        before = host.get(path).json()["redeploys"]
        emulator.fault("/manifests/", status=503)
        away = host.fire_timer("redeploy_timer")
        pushed = push(emulator, image, **answering(161.8533, logs="The second.\n"))
        ticks = [host.fire_timer("redeploy_timer") for _ in range(2)]
        begun = host.get(path).json()["redeploys"]

    assert [each["status"] for each in (quiet, *ticks)] == ["succeeded"] * 3
    assert away["status"] == "failed"
    assert f"{name}: {image}: 503" in away["error"]
    assert before == []
    assert [(each["trigger"], each["target"]) for each in begun] == [("tag", f"{image}@{pushed}")]
