"""One redeploy on AKS as its steps are taken: begun, and looked at until the platform is sure."""

import asyncio
from datetime import UTC, datetime

from shared.clients.aks import AksMover
from shared.scoring.redeploy.mover import Change, ChangeKind, Marker, Phase, PlatformState, Snapshot
from shared.scoring.service import Service
from tests.support.kubernetes import an_aks_service

MARKER = Marker(redeploy_id="r-1", at=datetime(2026, 11, 21, 22, 0, 5, 123, tzinfo=UTC))
SERVICE = an_aks_service()
SOON = 60.0
RESTART = Change(kind=ChangeKind.RESTART)


def to(image: str) -> Change:
    return Change(kind=ChangeKind.IMAGE, target=image)


async def begun(mover: AksMover, change: Change, *, service: Service = SERVICE) -> Snapshot:
    """Make a change, and return what was there before."""
    snapshot = await mover.snapshot(service)
    await mover.change(service, change, snapshot=snapshot, marker=MARKER)
    return snapshot


async def settled(
    mover: AksMover,
    snapshot: Snapshot,
    *,
    undone: bool = False,
    service: Service = SERVICE,
    marker: Marker = MARKER,
) -> PlatformState:
    """What the platform says in the end."""
    async with asyncio.timeout(SOON):
        while True:
            state = await mover.platform_state(
                service, snapshot=snapshot, marker=marker, undone=undone
            )
            if state.phase is not Phase.WAITING:
                return state
            await asyncio.sleep(0.02)
