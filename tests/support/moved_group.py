"""A container group of the emulator in the hands of its mover, one step after another."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from shared.clients.container_groups import AciMover
from shared.errors import AzureRequestError, CredentialError
from shared.scoring.redeploy.mover import (
    Change,
    ChangeKind,
    Marker,
    Phase,
    PlatformState,
    Snapshot,
)
from shared.scoring.service import Kind, Preset, Service
from tests.support.arm_session import ArmSession, now
from tests.support.container_groups import GROUP_ID, REPOSITORY, seen

MARKER = Marker(redeploy_id="0190a000-0000-7000-8000-000000000001", at=datetime.now(UTC))
RESTART = Change(kind=ChangeKind.RESTART)


def an_image(tag: str) -> Change:
    return Change(kind=ChangeKind.IMAGE, target=f"{REPOSITORY}:{tag}")


def a_service(**aci: Any) -> Service:
    """Return the service that the group is; `aci` is its block in the file."""
    return Service.model_validate(
        {
            "name": "weight",
            "kind": Kind.ACI,
            "url": "http://127.0.0.1:8000",
            "preset": Preset.PLUMBER,
            "resource_id": GROUP_ID,
            **({"aci": aci} if aci else {}),
        }
    )


@dataclass(kw_only=True)
class MovedGroup:
    """A mover with a service and a redeploy. Each call is a step of its own."""

    mover: AciMover
    service: Service = field(default_factory=a_service)
    marker: Marker = MARKER

    async def snapshot(self) -> Snapshot:
        return await self.mover.snapshot(self.service)

    async def change(self, change: Change, snapshot: Snapshot) -> None:
        await self.mover.change(self.service, change, snapshot=snapshot, marker=self.marker)

    async def undo(self, snapshot: Snapshot) -> None:
        """Ask until Azure is through with what it is at, as the flow does."""
        async with asyncio.timeout(30):
            while True:
                try:
                    await self.mover.undo(self.service, snapshot=snapshot, marker=self.marker)
                except AzureRequestError as error:
                    if not error.retryable:
                        raise
                    await asyncio.sleep(0.02)
                else:
                    return

    async def state(self, snapshot: Snapshot, *, undone: bool = False) -> PlatformState:
        return await self.mover.platform_state(
            self.service, snapshot=snapshot, marker=self.marker, undone=undone
        )

    async def until(
        self, phase: Phase, snapshot: Snapshot, *, undone: bool = False
    ) -> PlatformState:
        """Look until it is so far; TimeoutError if it never is, AssertionError if it failed instead.

        What crashes may seem ready before it does.
        """
        async with asyncio.timeout(30):
            while True:
                state = await self.state(snapshot, undone=undone)
                if state.phase is phase:
                    return state
                assert state.phase is not Phase.FAILED, state
                await asyncio.sleep(0.02)


@asynccontextmanager
async def moving(
    session: ArmSession,
    *,
    vault: Mapping[str, str] | None = MappingProxyType({}),
    own_secrets: frozenset[str] = frozenset(),
    **aci: Any,
) -> AsyncIterator[MovedGroup]:
    """Open a mover over a vault with these secrets (None: it is away), for a service with this block `aci`."""

    async def get_secret(name: str) -> str:
        if vault is None:
            raise CredentialError("Key Vault did not answer", retryable=True)
        if name not in vault:
            raise CredentialError(f"Key Vault secret {name!r} does not exist")
        return vault[name]

    async with session.open() as arm:
        mover = AciMover(arm, get_secret=get_secret, own_secrets=own_secrets, now=now)
        yield MovedGroup(mover=mover, service=a_service(**aci))


def effects(session: ArmSession) -> tuple[int, int]:
    """Return how many PUTs and restarts had an effect."""
    found = seen(session.emulator)["effects"]
    return found["puts"], found["restarts"]


def running(session: ArmSession) -> str:
    """The image that the service's container runs, with its digest."""
    image_id: str = seen(session.emulator)["containers"][0]["imageId"]
    return image_id
