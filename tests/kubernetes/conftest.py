"""Fixtures of an emulated AKS cluster with one Deployment, `weight`, of two replicas."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.clients.aks import AksMover
from tests.support.arm_session import trust
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import Kubectl, Kubernetes, a_cluster, connect, kubectl_of, open_mover


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[EmulatorProcess]:
    """An emulator in which a pod is ready within a tenth of a second, a rollout late in 12."""
    with EmulatorProcess(options=("--time-scale", "0.02")) as running:
        yield running


@pytest.fixture
def kubernetes(emulator: EmulatorProcess) -> Kubernetes:
    emulator.seed(a_cluster())
    return connect(emulator)


@pytest.fixture
def kubectl(kubernetes: Kubernetes, tmp_path: Path) -> Kubectl:
    return kubectl_of(kubernetes, tmp_path)


@pytest.fixture
async def mover(kubernetes: Kubernetes, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AksMover]:
    trust(kubernetes.emulator, monkeypatch)
    async with open_mover(kubernetes.emulator) as opened:
        yield opened
