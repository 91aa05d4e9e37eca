"""Redeploys of container groups and online endpoints of the real R service, by the whole app.

Only its answers tell a right model from a wrong one: the platform says of both that they are ready.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_host.azurite.process import Azurite
from tests.support.container_groups import GOOD, push, seen
from tests.support.emulator import FAST, EmulatorProcess
from tests.support.lost_workers import changes
from tests.support.movable_services import (
    MovableService,
    endpoint_in_r,
    group_in_r,
    group_of_programs,
)
from tests.support.processes import children_of
from tests.support.r_services import (
    OTHER_WEIGHT_OF_138,
    WEIGHT_OF_138,
    RServiceProcess,
    serve_weight,
)
from tests.support.redeploy_proofs import Report, Worker, declare, verdicts, worker_of

KINDS = pytest.mark.parametrize("kind", ["aci", "aml-online"])
GROUP = pytest.mark.parametrize("kind", ["aci"])


@pytest.fixture(scope="module")
def right(weight_model: Path) -> Iterator[str]:
    """Where R answers by the service's own model."""
    with RServiceProcess(serve=serve_weight, trained=weight_model) as service:
        yield service.url


@pytest.fixture(scope="module")
def wrong(other_weight_model: Path) -> Iterator[str]:
    """Where R answers by a model of other data: the wrong .rds."""
    with RServiceProcess(serve=serve_weight, trained=other_weight_model) as service:
        yield service.url


@pytest.fixture
def worker(emulator: EmulatorProcess, azurite: Azurite, tmp_path: Path) -> Iterator[Worker]:
    """A worker that remembers no key: each test's endpoint has keys of its own."""
    with worker_of(emulator, azurite, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def emulator_process(
    weight_model: Path, other_weight_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatorProcess]:
    """An emulator that starts R itself for containers of a group."""
    seed = tmp_path_factory.mktemp("seed") / "seed.json"
    seed.write_text(json.dumps(group_of_programs(weight_model, other_weight_model)), "utf-8")
    with EmulatorProcess(options=(*FAST, "--seed", str(seed))) as running:
        yield running


@pytest.fixture
def moved(kind: str, right: str, wrong: str, emulator: EmulatorProcess) -> MovableService:
    service = group_in_r() if kind == "aci" else endpoint_in_r(right, wrong)
    service.seed(emulator)
    return service


@pytest.fixture
def name(moved: MovableService, worker: Worker) -> str:
    return declare(worker.azurite, moved.entry(worker.emulator))


@KINDS
def test_a_new_version_of_the_right_model_is_proven(
    worker: Worker, moved: MovableService, name: str, emulator: EmulatorProcess
) -> None:
    before = moved.running(emulator)

    end = worker.follow(worker.begun(name, **moved.good))

    assert end["state"] == "succeeded", end
    assert verdicts(end, "new")[-3:] == ["healthy"] * 3
    assert moved.running(emulator) != before
    assert moved.weight_of_138(emulator) == WEIGHT_OF_138


@KINDS
def test_a_version_that_answers_wrongly_is_put_back_and_the_old_answers_are_proven(
    worker: Worker, moved: MovableService, name: str, emulator: EmulatorProcess
) -> None:
    before = moved.running(emulator)

    end = worker.follow(worker.begun(name, **moved.wrong))

    assert_undone(end)
    assert changes(emulator) == moved.changes[2]
    assert moved.running(emulator) == before
    assert moved.weight_of_138(emulator) == WEIGHT_OF_138


@GROUP
def test_a_restart_is_a_new_process_that_is_proven(
    worker: Worker, moved: MovableService, name: str, emulator: EmulatorProcess
) -> None:
    running, before = moved.running(emulator), children_of(emulator.pid)

    end = worker.follow(worker.begun(name, restart=True))

    assert end["state"] == "succeeded", end
    assert changes(emulator) == ["POST"]
    assert len(before) == len(children_of(emulator.pid)) == 1
    assert not before & children_of(emulator.pid)
    assert moved.running(emulator) == running
    assert moved.weight_of_138(emulator) == WEIGHT_OF_138


@GROUP
def test_a_restart_that_pulls_a_wrong_model_is_put_back_to_the_digest_that_ran(
    worker: Worker, moved: MovableService, name: str, emulator: EmulatorProcess, wrong: str
) -> None:
    before = moved.running(emulator)
    push(emulator, GOOD, backend=wrong)

    end = worker.follow(worker.begun(name, restart=True))

    assert_undone(end)
    assert changes(emulator) == ["POST", "PUT"]
    (container,) = seen(emulator)["containers"]
    assert container["image"] == container["imageId"] == before
    assert moved.weight_of_138(emulator) == WEIGHT_OF_138


def assert_undone(end: Report) -> None:
    assert end["state"] == "undone", end
    new, old = end["evidence"]["new"][-3:], end["evidence"]["old"][-3:]
    # R takes its time over a start, and does not answer in the meantime.
    assert [each["verdict"] for each in new] == ["wrong"] * 3
    assert all(str(OTHER_WEIGHT_OF_138) in each["text"] for each in new)
    assert [each["passed"] for each in old] == [True] * 3
    assert end["digest_after"] == end["digest_before"]
    assert "answers wrongly" in end["text"]
