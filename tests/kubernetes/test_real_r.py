"""Redeploys change what really answers: R processes behind the emulated Deployment."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from r_services.programs import LOOPBACK, WEIGHT, rscript
from shared.scoring.redeploy.mover import Change, ChangeKind, Phase
from tests.azure_emulator.conftest import eventually
from tests.support.aks import MARKER, SERVICE, begun, settled
from tests.support.arm_session import trust
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import GOOD, WRONG, Kubernetes, a_cluster, connect, open_mover
from tests.support.processes import children_of, is_alive
from tests.support.r_services import OTHER_WEIGHT_OF_138, WEIGHT_OF_138


def weight_image(model: Path) -> dict[str, Any]:
    """An image whose containers are the plumber service with this model."""
    return {
        "command": [rscript(), "--vanilla", str(WEIGHT / "run.R")],
        "folder": str(WEIGHT),
        "environment": {"HOST": LOOPBACK, "MODEL_PATH": str(model)},
    }


@pytest.fixture
def cluster(weight_model: Path, other_weight_model: Path, tmp_path: Path) -> Iterator[Kubernetes]:
    """A Deployment of the right model, and an image of the wrong one."""
    seed = a_cluster()
    seed["images"] |= {GOOD: weight_image(weight_model), WRONG: weight_image(other_weight_model)}
    file = tmp_path / "seed.json"
    file.write_text(json.dumps({"version": 1, **seed}), "utf-8")
    with EmulatorProcess(options=("--seed", str(file), "--time-scale", "0.02")) as emulator:
        found = connect(emulator)
        eventually(lambda: found.weight_of_138().status == 200, seconds=60)
        yield found


def weight_of_138(cluster: Kubernetes) -> float:
    """What R answers."""
    (weight,) = cluster.weight_of_138().json()["response"]
    return float(weight)


async def test_a_wrong_model_gets_ready_answers_wrongly_and_is_undone(
    cluster: Kubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(cluster.emulator, monkeypatch)
    right = weight_of_138(cluster)

    async with open_mover(cluster.emulator) as mover:
        snapshot = await begun(mover, Change(kind=ChangeKind.IMAGE, target=WRONG))
        changed = await settled(mover, snapshot)
        wrong = weight_of_138(cluster)
        await mover.undo(SERVICE, snapshot=snapshot, marker=MARKER)
        undone = await settled(mover, snapshot, undone=True)

    assert (changed.phase, undone.phase) == (Phase.READY, Phase.READY)
    assert (right, wrong) == (WEIGHT_OF_138, OTHER_WEIGHT_OF_138)
    assert weight_of_138(cluster) == WEIGHT_OF_138
    assert undone.digest == snapshot.digest


async def test_a_restart_is_a_new_process(
    cluster: Kubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(cluster.emulator, monkeypatch)
    before = children_of(cluster.emulator.pid)

    async with open_mover(cluster.emulator) as mover:
        snapshot = await begun(mover, Change(kind=ChangeKind.RESTART))
        state = await settled(mover, snapshot)

    assert state.phase is Phase.READY
    assert len(before) == len(children_of(cluster.emulator.pid)) == 1
    assert not before & children_of(cluster.emulator.pid)
    assert weight_of_138(cluster) == WEIGHT_OF_138


async def test_no_program_outlives_the_emulator(cluster: Kubernetes) -> None:
    programs = children_of(cluster.emulator.pid)

    status = cluster.emulator.stop()

    assert status == 0
    assert programs
    eventually(lambda: not any(map(is_alive, programs)))
