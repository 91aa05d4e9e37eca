"""Redeploys of container groups and online endpoints of the real R service, by the whole app.

Only its answers tell a right model from a wrong one: the platform says of both that they are ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_host.azurite.process import Azurite
from tests.support.container_groups import GOOD, push, seen
from tests.support.emulator import EmulatorProcess
from tests.support.lost_workers import changes
from tests.support.movable_services import (
    MovableService,
    endpoint_in_r,
    group_in_r,
)
from tests.support.r_services import (
    OTHER_WEIGHT_OF_138,
    WEIGHT_OF_138,
    RServiceProcess,
    serve_weight,
)
from tests.support.redeploy_proofs import Report, Worker, declare, verdicts, worker_of

InR = Callable[[str, str], MovableService]
KINDS = pytest.mark.parametrize("in_r", [group_in_r, endpoint_in_r], ids=["aci", "aml-online"])
GROUP = pytest.mark.parametrize("in_r", [group_in_r], ids=["aci"])
pytestmark = pytest.mark.timeout(180)


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


@pytest.fixture
def moved(in_r: InR, right: str, wrong: str, emulator: EmulatorProcess) -> MovableService:
    service = in_r(right, wrong)
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
    assert set(verdicts(end, "new")) == {"healthy"}
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
    assert (verdicts(end, "new"), verdicts(end, "old")) == (["wrong"] * 3, ["healthy"] * 3)
    assert all(str(OTHER_WEIGHT_OF_138) in each["text"] for each in end["evidence"]["new"])
    assert end["digest_after"] == end["digest_before"]
    assert "answers wrongly" in end["text"]
