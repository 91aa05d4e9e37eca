"""Redeploys of a service on an emulated AKS cluster, by the whole app: good, wrong, and killed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.scoring_file import put_file
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.kubernetes import BETTER, CLUSTER, GOOD, WRONG, a_cluster, connect
from tests.support.local_host import LocalHost, poll
from tests.support.redeploy_proofs import begun

PATIENCE_SECONDS = 240
INVISIBLE_SECONDS = "5"
GOLDEN = {
    "name": "height 138",
    "path": "/weight",
    "query": {"height": 138},
    "expect": [{"at": "$.response[0]", "equals": 161.8533, "absolute": 5e-5}],
}


@pytest.fixture(scope="module")
def emulator_process() -> Iterator[EmulatorProcess]:
    """An emulator whose clusters have minutes for a rollout: a look comes every ten seconds."""
    with EmulatorProcess(options=("--time-scale", "0.2")) as running:
        yield running


@pytest.fixture
def name() -> str:
    return f"weight-{uuid4().hex[:8]}"


@pytest.fixture
def env_files(emulator: EmulatorProcess, azurite: Azurite, name: str, tmp_path: Path) -> list[Path]:
    emulator.seed(a_cluster())
    (cluster,) = emulator.state()["managed_clusters"]
    service = {
        "name": name,
        "kind": "aks",
        "url": cluster["deployments"][0]["url"],
        "resource_id": CLUSTER,
        "aks": {"deployment": "weight"},
        "checks": {"golden": [GOLDEN]},
    }
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "SCORING_SERVICES": put_file(azurite, {"version": 1, "services": [service]}),
        "SCORING_DISCOVERY": "none",
        "SCORING_REDEPLOY_COOLDOWN_SECONDS": "0",
    }
    own = tmp_path / "own.env"
    write_env_file(own, settings)
    return [emulator.env_file, own]


StartAgain = Callable[[], LocalHost]


@pytest.fixture
def start(env_files: list[Path]) -> Iterator[StartAgain]:
    """Starts hosts; all of them end with the test."""
    options = ("--queue-invisibility-seconds", INVISIBLE_SECONDS)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(LocalHost(env_files=env_files, options=options))


def until(host: LocalHost, location: str, *states: str) -> Any:
    """Poll until the redeploy is in one of these states, or done."""

    def look() -> Any:
        shown = host.get(location).json()
        return shown if shown["done"] or shown["state"] in states else None

    return poll(look, seconds=PATIENCE_SECONDS, what="redeploy")


def patches(emulator: EmulatorProcess) -> int:
    """How often the Deployment was changed."""
    return sum(each["method"] == "PATCH" for each in emulator.requests())


@pytest.mark.timeout(600)
def test_a_host_that_is_killed_after_the_change_leaves_a_redeploy_that_another_ends(
    start: StartAgain, emulator: EmulatorProcess, name: str
) -> None:
    first = start()
    digests = emulator.state()["images"]
    location = begun(first, name, image=BETTER)
    until(first, location, "waiting", "proving")
    first.stop(with_signal=signal.SIGKILL)

    end = until(start(), location)

    assert end["state"] == "succeeded", end
    assert (end["digest_before"], end["digest_after"]) == (digests[GOOD], digests[BETTER])
    assert [each["passed"] for each in end["evidence"]["new"]] == [True] * 3
    assert patches(emulator) == 1


@pytest.mark.timeout(600)
def test_an_image_that_answers_wrongly_is_put_back_and_the_old_answers_proven(
    start: StartAgain, emulator: EmulatorProcess, name: str
) -> None:
    host = start()

    end = until(host, begun(host, name, image=WRONG))

    assert end["state"] == "undone", end
    assert {each["verdict"] for each in end["evidence"]["new"]} == {"wrong"}
    assert [each["passed"] for each in end["evidence"]["old"]] == [True] * 3
    assert end["digest_after"] == end["digest_before"]
    assert connect(emulator).weight_of_138().json() == {"response": [161.8533]}
    assert patches(emulator) == 2
