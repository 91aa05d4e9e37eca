"""Open what the dashboard needs: only the app's own storage, since it asks Azure for nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.clients import share_queue, step_queue
from shared.clients.maintenance_windows import MaintenanceWindowsClient
from shared.clients.note_store import NoteStoreClient
from shared.clients.queue_lengths import QueueLengthsClient
from shared.clients.redeploy_store import RedeployStoreClient
from shared.clients.run_history import RunHistoryClient
from shared.clients.service_records import (
    CheckHistoryClient,
    HourHistoryClient,
    ServiceStatesClient,
)
from shared.clients.storage import StorageAccount
from shared.clients.vault_secrets import read_service_principal
from shared.dashboard.health import HealthRequests
from shared.dashboard.summary import SummaryRequests
from shared.dashboard.timers import Timer
from shared.dashboard.uptimes import KnownUptimes, Uptimes
from shared.dashboard.vault_look import VaultLook
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
    round_takes = settings.scoring_deadline
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
    vault: VaultLook = field(init=False)

    def __post_init__(self) -> None:
        self.vault = VaultLook(read=self._read_credential)

    async def _read_credential(self) -> datetime | None:
        return (await read_service_principal(self.worker.vault())).expires_at

    @asynccontextmanager
    async def open_health(self) -> AsyncIterator[HealthRequests]:
        """Open what the health of the app is looked at with."""
        async with AsyncExitStack() as stack:
            yield await self._health(await self.worker.storage_account(stack), stack)

    async def _health(
        self, account: StorageAccount | None, stack: AsyncExitStack
    ) -> HealthRequests:
        enter, timers = stack.enter_async_context, timers_of(self.worker.settings)
        return HealthRequests(
            notes=await enter(NoteStoreClient(account)) if account else None,
            queues=await enter(QueueLengthsClient(account)) if account else None,
            vault=self.vault,
            timers=(timers.shutdown, timers.scoring, timers.redeploy),
            queues_of_work=(share_queue.QUEUE, step_queue.QUEUE),
            seconds_unheard=self.worker.telemetry.seconds_unheard(),
            now=now,
        )

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
                health=await self._health(account, stack),
                shutdown_timer=timers.shutdown,
                scoring_timer=timers.scoring,
                now=now,
            )
