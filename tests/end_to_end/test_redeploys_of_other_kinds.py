"""Redeploys of container groups and online endpoints by the whole app: good, never there, wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_host.azurite.process import Azurite
from tests.support.emulator import EmulatorProcess
from tests.support.lost_workers import changes
from tests.support.movable_services import ACI, ONLINE, MovableService
from tests.support.redeploy_proofs import Worker, declare, verdicts, worker_of

KINDS = pytest.mark.parametrize("moved", [ACI, ONLINE], ids=["aci", "aml-online"])


@pytest.fixture
def worker(emulator: EmulatorProcess, azurite: Azurite, tmp_path: Path) -> Iterator[Worker]:
    """A worker that remembers no key: each test's endpoint has keys of its own."""
    with worker_of(emulator, azurite, tmp_path) as running:
        yield running


@pytest.fixture
def name(moved: MovableService, worker: Worker) -> str:
    moved.seed(worker.emulator)
    return declare(worker.azurite, moved.entry(worker.emulator))


@KINDS
def test_what_is_right_is_proven(
    moved: MovableService, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    end = worker.follow(worker.begun(name, **moved.good))

    assert end["state"] == "succeeded", end["text"]
    assert set(verdicts(end, "new")) == {"healthy"}
    assert changes(emulator) == moved.changes[0]


@KINDS
def test_what_never_gets_there_is_put_back_and_the_old_one_proven(
    moved: MovableService, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    end = worker.follow(worker.begun(name, **moved.broken))

    assert end["state"] == "undone", end["text"]
    assert (verdicts(end, "new"), verdicts(end, "old")) == ([], ["healthy"] * 3)
    assert end["evidence"]["platform"]
    assert changes(emulator) == moved.changes[1]


@KINDS
def test_what_answers_wrongly_is_put_back_and_the_old_answers_proven(
    moved: MovableService, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    end = worker.follow(worker.begun(name, **moved.wrong))

    assert end["state"] == "undone", end["text"]
    assert (verdicts(end, "new"), verdicts(end, "old")) == (["wrong"] * 3, ["healthy"] * 3)
    assert end["digest_after"] == end["digest_before"]
    assert changes(emulator) == moved.changes[2]
