"""Redeploys on AKS of the real R service: only its answers tell a right model from a wrong one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_host.azurite.process import Azurite
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import BETTER, GOOD, WRONG, Kubernetes, connect
from tests.support.r_services import OTHER_WEIGHT_OF_138, WEIGHT_OF_138
from tests.support.redeploy_proofs import (
    Worker,
    declared,
    r_cluster,
    verdicts,
    wait_for,
    worker_of,
)


@pytest.fixture(scope="module")
def emulator_process(
    weight_model: Path, other_weight_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatorProcess]:
    """An emulator whose images are R services: two of the right model, one of the wrong one."""
    images = {GOOD: weight_model, BETTER: weight_model, WRONG: other_weight_model}
    seed = tmp_path_factory.mktemp("seed") / "seed.json"
    seed.write_text(json.dumps(r_cluster(images)), "utf-8")
    with EmulatorProcess(options=("--time-scale", "0.02", "--seed", str(seed))) as running:
        yield running


@pytest.fixture(scope="module")
def worker(
    emulator_process: EmulatorProcess, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worker]:
    with worker_of(emulator_process, azurite, tmp_path_factory.mktemp("r")) as running:
        yield running


@pytest.fixture
def cluster(emulator: EmulatorProcess) -> Kubernetes:
    """A Deployment of the right model, which answers."""
    found = connect(emulator)
    wait_for(lambda: found.weight_of_138().status == 200, "an answer of R")
    return found


@pytest.fixture
def name(cluster: Kubernetes, azurite: Azurite) -> str:
    return declared(cluster.emulator, azurite)


def weight_of_138(cluster: Kubernetes) -> float:
    """What R answers."""
    (weight,) = cluster.weight_of_138().json()["response"]
    return float(weight)


def test_a_new_version_of_the_right_model_is_proven(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    end = worker.follow(worker.begun(name, image=BETTER))

    assert (end["state"], verdicts(end, "new")) == ("succeeded", ["healthy"] * 3)
    assert end["digest_after"] == cluster.emulator.state()["images"][BETTER]
    assert weight_of_138(cluster) == WEIGHT_OF_138


def test_a_version_that_answers_wrongly_is_put_back_and_the_old_answers_are_proven(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    end = worker.follow(worker.begun(name, image=WRONG))

    images = cluster.emulator.state()["images"]
    assert end["state"] == "undone"
    assert (verdicts(end, "new"), verdicts(end, "old")) == (["wrong"] * 3, ["healthy"] * 3)
    assert all(str(OTHER_WEIGHT_OF_138) in each["text"] for each in end["evidence"]["new"])
    assert (end["digest_before"], end["digest_after"]) == (images[GOOD], images[GOOD])
    assert "answers wrongly" in end["text"]
    assert weight_of_138(cluster) == WEIGHT_OF_138
