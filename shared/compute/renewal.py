"""Keep the exemptions that a run decides by up to date, until the moment that a machine is asked to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from shared.compute import narration
from shared.compute.containment import contained
from shared.compute.exemptions import RENEW_EVERY
from shared.compute.instance import Workspace
from shared.compute.run import Run


async def renew_exemptions(run: Run, workspace: Workspace) -> None:
    """Read the exemptions again if that is due; those last known hold while they cannot be read."""
    if run.exemptions is None:
        return
    with contained(run, workspace.id, about="exemptions"):
        error = await run.exemptions.renew(now=run.now())
        if error is not None:
            narration.tell_lost(run.telemetry, "exemptions", error)


@asynccontextmanager
async def renewing_exemptions(run: Run, workspace: Workspace) -> AsyncIterator[None]:
    """Keep what the looks decide by up to date while the block runs."""
    renewing = asyncio.create_task(_renew_from_time_to_time(run, workspace))
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing


async def _renew_from_time_to_time(run: Run, workspace: Workspace) -> None:
    while run.exemptions is not None:
        await asyncio.sleep(RENEW_EVERY.total_seconds())
        await renew_exemptions(run, workspace)
