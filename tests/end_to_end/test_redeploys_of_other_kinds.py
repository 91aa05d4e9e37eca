"""Redeploys of container groups and online endpoints by the whole app: good, never there, wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_host.azurite.process import Azurite
from tests.support import container_groups, online_rollout
from tests.support.emulator import EmulatorProcess
from tests.support.redeploy_proofs import GOLDEN, Worker, declare, verdicts, worker_of

SCORE = {**GOLDEN, "method": "POST", "path": "/score", "query": {}, "body": {"height": 138}}
REPOSITORY = container_groups.REPOSITORY


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One service of a kind, and what it can be redeployed to.

    `changes`: its writes at the platform in a redeploy that is good, that never gets there, that
    answers wrongly.
    """

    seed: Callable[[EmulatorProcess], None]
    entry: Callable[[EmulatorProcess], dict[str, Any]]
    good: dict[str, str]
    broken: dict[str, str]
    wrong: dict[str, str]
    changes: tuple[list[str], list[str], list[str]]


def group_entry(emulator: EmulatorProcess) -> dict[str, Any]:
    return {
        "kind": "aci",
        "url": container_groups.seen(emulator)["url"],
        "resource_id": container_groups.GROUP_ID,
        "checks": {"golden": [GOLDEN]},
    }


def endpoint_entry(emulator: EmulatorProcess) -> dict[str, Any]:
    (endpoint,) = emulator.state()["endpoints"]
    return {
        "kind": "aml-online",
        # Said here, since nothing is looked for in Azure; keys still come from there.
        "url": endpoint["scoringUri"].removesuffix("/score"),
        "resource_id": online_rollout.ENDPOINT,
        "credential": {"from_azure": "key"},
        "checks": {"golden": [SCORE]},
    }


ACI = Platform(
    seed=container_groups.with_group,
    entry=group_entry,
    good={"image": f"{REPOSITORY}:2"},
    broken={"image": f"{REPOSITORY}:crashes"},
    wrong={"image": f"{REPOSITORY}:wrong"},
    changes=(["PUT"], ["PUT"] * 2, ["PUT"] * 2),
)
ONLINE = Platform(
    seed=online_rollout.seed_endpoint,
    entry=endpoint_entry,
    good={"model": "weight-lm:5"},
    broken={"model": "weight-lm:7"},
    wrong={"model": "weight-lm:6"},
    changes=(["PUT"] * 4 + ["DELETE"], ["PUT", "DELETE"], ["PUT", "DELETE"]),
)
KINDS = pytest.mark.parametrize("platform", [ACI, ONLINE], ids=["aci", "aml-online"])


@pytest.fixture
def worker(emulator: EmulatorProcess, azurite: Azurite, tmp_path: Path) -> Iterator[Worker]:
    """A worker that remembers no key: each test's endpoint has keys of its own."""
    with worker_of(emulator, azurite, tmp_path) as running:
        yield running


@pytest.fixture
def name(platform: Platform, worker: Worker) -> str:
    platform.seed(worker.emulator)
    return declare(worker.azurite, platform.entry(worker.emulator))


def writes(emulator: EmulatorProcess) -> list[str]:
    """What the platform was asked to change, and did."""
    changing = {"PUT", "PATCH", "DELETE"}
    asked = (each for each in emulator.requests() if each["method"] in changing)
    return [each["method"] for each in asked if each["status"] and each["status"] < 300]


@KINDS
def test_what_is_right_is_proven(
    platform: Platform, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    end = worker.follow(worker.begun(name, **platform.good))

    assert end["state"] == "succeeded", end["text"]
    assert set(verdicts(end, "new")) == {"healthy"}
    assert writes(emulator) == platform.changes[0]


@KINDS
def test_what_never_gets_there_is_put_back_and_the_old_one_proven(
    platform: Platform, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    end = worker.follow(worker.begun(name, **platform.broken))

    assert end["state"] == "undone", end["text"]
    assert (verdicts(end, "new"), verdicts(end, "old")) == ([], ["healthy"] * 3)
    assert end["evidence"]["platform"]
    assert writes(emulator) == platform.changes[1]


@KINDS
def test_what_answers_wrongly_is_put_back_and_the_old_answers_proven(
    platform: Platform, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    end = worker.follow(worker.begun(name, **platform.wrong))

    assert end["state"] == "undone", end["text"]
    assert (verdicts(end, "new"), verdicts(end, "old")) == (["wrong"] * 3, ["healthy"] * 3)
    assert end["digest_after"] == end["digest_before"]
    assert writes(emulator) == platform.changes[2]
