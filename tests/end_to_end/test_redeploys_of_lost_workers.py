"""Redeploys of container groups and online endpoints whose workers are killed where it matters most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from local_host.azurite.process import Azurite
from shared.clients.container_groups import API_VERSION
from tests.support.container_groups import GROUP_ID, seen
from tests.support.emulator import EmulatorProcess
from tests.support.lost_workers import (
    changes,
    lose_after_change,
    lose_while_proving,
)
from tests.support.movable_services import ACI, ONLINE, MovableService
from tests.support.redeploy_proofs import Report, Worker, declare, verdicts, worker_of

RIGHT = 161.8533
GOLDEN_PATH = "/scoring/.*/(weight|score)$"
GROUP = pytest.mark.parametrize("moved", [ACI], ids=["aci"])
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


@pytest.mark.parametrize(
    ("moved", "numbers"),
    [
        pytest.param(ACI, [1], id="aci"),
        pytest.param(ONLINE, [1, 3, 5], id="aml-online, making it, amid its traffic, deleting"),
        pytest.param(ONLINE, [2, 4], id="aml-online, its first and its last traffic"),
    ],
)
def test_changes_that_were_made_and_not_recorded_are_not_made_twice(
    moved: MovableService,
    numbers: Sequence[int],
    worker: Worker,
    name: str,
    emulator: EmulatorProcess,
) -> None:
    location = worker.begun(name, **moved.good)

    for number in numbers:
        lose_after_change(worker, location, number=number)
        worker.replace(location)
    end = worker.follow(location)

    assert_ended(end, "succeeded", moved, emulator)
    assert changes(emulator) == moved.changes[0]


@KINDS
def test_an_undoing_that_was_begun_and_not_recorded_is_not_begun_twice(
    moved: MovableService, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    before = moved.running(emulator)
    location = worker.begun(name, **moved.wrong)

    lose_after_change(worker, location, number=len(moved.changes[2]))
    worker.replace(location)
    end = worker.follow(location)

    assert_ended(end, "undone", moved, emulator)
    assert changes(emulator) == moved.changes[2]
    assert moved.running(emulator) == before


@pytest.mark.parametrize(
    ("moved", "after"),
    [
        pytest.param(ACI, 0, id="aci"),
        pytest.param(ONLINE, 0, id="aml-online, without traffic"),
        # Three were right before it was given any.
        pytest.param(ONLINE, 4, id="aml-online, with some of the traffic"),
    ],
)
def test_a_proof_is_gone_on_with_by_whoever_takes_over(
    moved: MovableService, after: int, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    location = worker.begun(name, **moved.good)

    lose_while_proving(worker, location, path=GOLDEN_PATH, after=after)
    worker.replace(location)
    end = worker.follow(location)

    assert_ended(end, "succeeded", moved, emulator)
    assert set(verdicts(end, "new")) == {"healthy"}
    assert changes(emulator) == moved.changes[0]


@KINDS
def test_what_was_put_back_is_proven_by_whoever_takes_over(
    moved: MovableService, worker: Worker, name: str, emulator: EmulatorProcess
) -> None:
    before = moved.running(emulator)
    location = worker.begun(name, **moved.wrong)

    # Three wrong answers of the new one undo it; the fourth is the old one's.
    lose_while_proving(worker, location, path=GOLDEN_PATH, after=3)
    worker.replace(location)
    end = worker.follow(location)

    assert_ended(end, "undone", moved, emulator)
    assert verdicts(end, "old") == ["healthy"] * 3
    assert changes(emulator) == moved.changes[2]
    assert moved.running(emulator) == before


@GROUP
@pytest.mark.parametrize("is_shown", [True, False], ids=["Azure shows it", "Azure shows it late"])
def test_a_restart_that_was_not_recorded_is_sent_again_only_where_azure_does_not_show_it_yet(
    moved: MovableService, worker: Worker, name: str, emulator: EmulatorProcess, *, is_shown: bool
) -> None:
    before = shown(emulator)
    location = worker.begun(name, restart=True)

    lose_after_change(worker, location, number=1)
    if not is_shown:
        emulator.fault("/containerGroups/weight$", method="GET", status=200, body=before)
    worker.replace(location)
    end = worker.follow(location)

    assert_ended(end, "succeeded", moved, emulator)
    restarts = 1 if is_shown else 2
    assert changes(emulator) == ["POST"] * restarts
    assert seen(emulator)["effects"]["restarts"] == restarts


def shown(emulator: EmulatorProcess) -> Any:
    """The group as Resource Manager shows it now."""
    token = emulator.arm_token()
    return emulator.arm("GET", GROUP_ID, token=token, **{"api-version": API_VERSION}).json()


def assert_ended(end: Report, state: str, moved: MovableService, emulator: EmulatorProcess) -> None:
    assert end["state"] == state, end
    assert moved.weight_of_138(emulator) == RIGHT
