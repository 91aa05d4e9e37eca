"""One v1 web service in the emulator, and a mover that redeploys it through the real azureml-core."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from shared.clients.azureml_threads import SdkThreads
from shared.clients.web_services_mover_v1 import WebServiceV1Mover
from shared.clients.web_services_v1 import WebServicesV1Client
from shared.scoring.redeploy.mover import (
    Change,
    Marker,
    Mover,
    Phase,
    PlatformState,
    Snapshot,
)
from shared.scoring.service import Service
from shared.time_ordered_id import new_id
from tests.support.arm_session import now
from tests.support.builders import NIGHT, SUBSCRIPTION, a_workspace
from tests.support.emulator import EmulatorProcess
from tests.support.scripted import Asked, Scripted
from tests.support.wire import Reply
from tests.support.worker import Worker

ID = f"{a_workspace().id}/services/weight"
RIGHT = {"response": [161.8533]}
WRONG = {"response": [0.0]}
ASSETS: Sequence[dict[str, Any]] = (
    {"name": "weight:4", "answers": [{"content": RIGHT}]},
    {"name": "weight:5", "answers": [{"content": RIGHT}]},
    {"name": "weight:6", "answers": [{"content": WRONG}]},
    {"name": "weight:7", "provisioning": "fails", "logs": "see https://blob.test/m?sig=abc\n"},
    {"name": "weight:8", "provisioning": "never_ends"},
)
# The digest that the emulator gives this image whenever a seed names none.
OLD_DIGEST = f"sha256:{sha256(b'weight:4').hexdigest()}"
OF_IMAGE: dict[str, Any] = {"image": "weight:4", "image_digest": OLD_DIGEST}
OF_MODELS: dict[str, Any] = {"models": ["weight:4"]}


@dataclass(kw_only=True)
class Redeploy:
    """One redeploy of the service by its mover; `snapshot` as it was before."""

    mover: Mover
    emulator: EmulatorProcess
    service: Service
    snapshot: Snapshot
    marker: Marker = field(default_factory=lambda: Marker(redeploy_id=new_id(NIGHT), at=NIGHT))

    async def change(self, change: Change) -> None:
        await self.mover.change(self.service, change, snapshot=self.snapshot, marker=self.marker)

    def headers(self, *, share: int) -> Mapping[str, str]:
        return self.mover.proof_headers(snapshot=self.snapshot, marker=self.marker, share=share)

    async def undo(self) -> None:
        await self.mover.undo(self.service, snapshot=self.snapshot, marker=self.marker)

    async def look(self, *, undone: bool = False) -> PlatformState:
        return await self.mover.platform_state(
            self.service, snapshot=self.snapshot, marker=self.marker, undone=undone
        )

    async def settled(self, *, undone: bool = False) -> PlatformState:
        """Look until the platform is no longer at it."""
        async with asyncio.timeout(60):
            while (state := await self.look(undone=undone)).phase is Phase.WAITING:  # noqa: ASYNC110  # it happens in another process
                await asyncio.sleep(0.05)
        return state

    def shown(self) -> dict[str, Any]:
        (found,) = self.emulator.state()["services"]
        return dict(found)

    def updates(self) -> int:
        """How many updates were accepted."""
        return updates(self.emulator)

    def answer(self, method: str = "POST", path: str = "/score") -> Any:
        return self._sent(method, path, body=b"").json()

    def scripted(self, asked: Asked) -> Scripted:
        """What is answered to a request."""
        reply = self._sent(asked.method, asked.target, body=asked.body)
        return Scripted(status=reply.status, body=reply.body)

    def _sent(self, method: str, path: str, *, body: bytes) -> Reply:
        root = self.shown()["scoringUri"].rpartition("/")[0]
        return self.emulator.wire.send(method, f"{root}{path}", body=body)


def seed_service(
    emulator: EmulatorProcess, *, assets: Sequence[dict[str, Any]] = ASSETS, **service: Any
) -> None:
    """Let the estate be one web service that signs nobody in."""
    seed = {"name": "weight", "auth_enabled": False, "update_seconds": 5, **service}
    workspace = {"name": "mlw-churn", "services": [seed], "assets": assets}
    emulator.seed({"subscriptions": [{"id": SUBSCRIPTION, "workspaces": [workspace]}]})


def updates(emulator: EmulatorProcess) -> int:
    """How many updates were accepted."""
    requests = [each for each in emulator.requests() if each["method"] == "PATCH"]
    return sum(each["status"] in {202, None} for each in requests)


def lead_to_the_emulator(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let azureml-core find the emulator through the env file's entries."""
    for name, value in worker.emulator.env.items():
        monkeypatch.setenv(name, value)


@asynccontextmanager
async def redeploy(
    azure: Worker, *, assets: Sequence[dict[str, Any]] = ASSETS, **service: Any
) -> AsyncIterator[Redeploy]:
    seed_service(azure.emulator, assets=assets, **service)
    declared = Service.model_validate({"name": "weight", "kind": "aml-v1", "resource_id": ID})
    async with azure.run() as credential:
        client = WebServicesV1Client(credential, threads=SdkThreads(), now=now)
        mover = WebServiceV1Mover(client, now=now)
        snapshot = await mover.snapshot(declared)
        yield Redeploy(mover=mover, emulator=azure.emulator, service=declared, snapshot=snapshot)
