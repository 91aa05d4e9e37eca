"""Open what the dashboard needs: only the app's own storage, since it asks Azure for nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from shared.clients.maintenance_windows import MaintenanceWindowsClient
from shared.clients.note_store import NoteStoreClient
from shared.clients.redeploy_store import RedeployStoreClient
from shared.clients.run_history import RunHistoryClient
from shared.clients.service_records import (
    CheckHistoryClient,
    HourHistoryClient,
    ServiceStatesClient,
)
from shared.dashboard.summary import SummaryRequests
from shared.dashboard.timers import Timer
from shared.dashboard.uptimes import KnownUptimes, Uptimes
from shared.errors import StorageUnavailableError
from shared.scoring.records import Records
from shared.settings import Settings
from shared.worker import Worker, now


@dataclass(frozen=True, kw_only=True)
class Timers:
    """The timers of the app, by what they are for."""

    shutdown: Timer
    scoring: Timer
    redeploy: Timer


def timers_of(settings: Settings) -> Timers:
    """Return what the settings say of timers."""
    round_takes = timedelta(seconds=settings.scoring_deadline_seconds)
    return Timers(
        shutdown=Timer(
            name="shutdown_timer",
            schedule=settings.shutdown_schedule,
            longest=timedelta(seconds=settings.run_deadline_seconds),
        ),
        scoring=Timer(
            name="scoring_timer", schedule=settings.scoring_schedule, longest=round_takes
        ),
        redeploy=Timer(
            name="redeploy_timer", schedule=settings.scoring_schedule, longest=round_takes
        ),
    )


@dataclass(kw_only=True)
class Overview:
    """What one worker process remembers for the dashboard, and what it opens for one request."""

    worker: Worker
    known: KnownUptimes = field(default_factory=KnownUptimes)

    @asynccontextmanager
    async def open_summary(self) -> AsyncIterator[SummaryRequests]:
        """Open what the summary is read from."""
        async with AsyncExitStack() as stack:
            account = await self.worker.storage_account(stack)
            if account is None:
                raise StorageUnavailableError(
                    "No storage account is configured: AzureWebJobsStorage is not set."
                )
            enter, timers = stack.enter_async_context, timers_of(self.worker.settings)
            yield SummaryRequests(
                notes=await enter(NoteStoreClient(account)),
                history=await enter(RunHistoryClient(account)),
                records=Records(
                    states=await enter(ServiceStatesClient(account)),
                    history=await enter(CheckHistoryClient(account)),
                    maintenance=await enter(MaintenanceWindowsClient(account)),
                ),
                redeploys=await enter(RedeployStoreClient(account)),
                uptimes=Uptimes(hours=await enter(HourHistoryClient(account)), known=self.known),
                shutdown_timer=timers.shutdown,
                scoring_timer=timers.scoring,
                now=now,
            )
