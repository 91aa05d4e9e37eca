"""One small Azure for a contract test: the fake, or the real client on the emulator."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from shared.compute.azure import MachineLearning, OperationState, StopAnswer
from shared.compute.cluster_care import ClusterAzure
from shared.compute.idle_shutdown import IdleShutdownAzure
from shared.compute.instance import Compute, Workspace
from tests.support.arm_session import ArmSession, now, within
from tests.support.builders import SUBSCRIPTION
from tests.support.emulator import EmulatorProcess
from tests.support.fake_azure import FakeAzure

SCALE = 0.02
SIZES = [
    {"name": "Standard_DS3_v2", "family": "DSv2", "vcpus": 4, "memory_gb": 14, "price_per_hour": 1},
    {"name": "Standard_Free", "family": "F", "vcpus": 1, "memory_gb": 1},
]
Cut = Callable[[str, str], None]


class Azure(MachineLearning, ClusterAzure, IdleShutdownAzure, Protocol):
    """All that either kind can do."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One Azure, real client or fake, with one workspace `mlw-churn`."""

    azure: Azure
    cut: Cut

    async def workspace(self) -> Workspace:
        (found,) = await self.azure.list_workspaces(SUBSCRIPTION, deadline=within(10))
        return found

    async def computes(self) -> Mapping[str, Compute]:
        listed = await self.azure.list_computes(await self.workspace(), deadline=within(10))
        return {compute.name: compute for compute in listed}

    async def ada(self) -> Compute:
        return (await self.computes())["ci-ada"]

    async def stop_ada(self) -> StopAnswer:
        return await self.azure.begin_stop(await self.ada(), deadline=within(10))

    async def ada_becomes(self, state: str) -> Compute:
        """Look until the list shows that state."""
        async with asyncio.timeout(30):
            while (ada := await self.ada()).state != state:  # noqa: ASYNC110  # it happens elsewhere
                await asyncio.sleep(0.02)
        return ada

    async def operation_ends(self, answer: StopAnswer) -> OperationState:
        async with asyncio.timeout(30):
            while (found := await self._read(answer)).status == "InProgress":  # noqa: ASYNC110  # likewise
                await asyncio.sleep(0.02)
        return found

    async def _read(self, answer: StopAnswer) -> OperationState:
        return await self.azure.get_operation(answer, deadline=within(10))


class Stages:
    """Makes a stage of either kind."""

    def __init__(self, kind: str, session: ArmSession | None, *, scale: float = SCALE) -> None:
        self.kind, self._session, self._scale = kind, session, scale

    @asynccontextmanager
    async def with_computes(
        self, *computes: Mapping[str, Any], **workspace: Any
    ) -> AsyncIterator[Stage]:
        home = {"name": "mlw-churn", "computes": list(computes), **workspace}
        subscriptions = [{"id": SUBSCRIPTION, "workspaces": [home]}]
        seed = {"vm_sizes": SIZES, "subscriptions": subscriptions}
        if self._session is None:
            fake = FakeAzure(seed, now=now, scale=self._scale)
            yield Stage(azure=fake, cut=fake.cuts.__setitem__)
            return
        emulator = self._session.emulator
        emulator.seed(seed)
        async with self._session.machine_learning() as client:
            yield Stage(
                azure=client, cut=lambda name, where: _arm_cut(emulator, name=name, where=where)
            )

    @asynccontextmanager
    async def with_ada(
        self, state: str | None = "Running", **behaviour: Any
    ) -> AsyncIterator[Stage]:
        compute = {"name": "ci-ada", "state": state, "behaviour": behaviour}
        async with self.with_computes(compute) as stage:
            yield stage


def _arm_cut(emulator: EmulatorProcess, *, name: str, where: str) -> None:
    emulator.fault(rf"/{name}(/stop|/updateIdleShutdownSetting)?$", cut=where)
