"""What one worker process keeps, and the connections it opens for one invocation.

Connections belong to an event loop and are closed with the invocation; kept are plain data (the
service principal as read, the exemptions last known, the stops asked for) and the pacer of the loop, since runs side by
side share the principal's buckets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from shared.clients.arm import Arm, ArmSettings
from shared.clients.cluster_minimums import ClusterMinimumsClient
from shared.clients.exemption_store import ExemptionStoreClient
from shared.clients.key_vault import (
    CredentialSource,
    ServicePrincipalCache,
    ServicePrincipalCredential,
)
from shared.clients.machine_learning import MachineLearningClient
from shared.clients.note_store import NoteStoreClient
from shared.clients.pacer import BucketSize, Operation, Pacer
from shared.clients.run_history import RunHistoryClient
from shared.clients.share_queue import ShareQueueClient
from shared.clients.stop_claims import StopClaimsClient
from shared.clients.storage import StorageAccount
from shared.compute.dispatch import Dispatch
from shared.compute.exemptions import ExemptionsInForce, KnownExemptions
from shared.compute.own_stops import OwnStops
from shared.compute.patience import Patience
from shared.compute.rulebook import Allowances
from shared.compute.run import Rules
from shared.compute.schedule import parse_schedule
from shared.compute.share import Shares
from shared.compute.shutdown import Backing, Shutdown
from shared.errors import StorageUnavailableError
from shared.metrics import Metric
from shared.notes import TickKeeping
from shared.settings import Settings
from shared.telemetry import Telemetry

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


def now() -> datetime:
    """Return the clock of production."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The app's own storage account, opened."""

    history: RunHistoryClient
    claims: StopClaimsClient
    exemptions: ExemptionStoreClient
    minimums: ClusterMinimumsClient
    queue: ShareQueueClient
    notes: NoteStoreClient


@dataclass(kw_only=True)
class Worker:
    """Settings and telemetry of the process, and what it remembers between invocations."""

    settings: Settings
    telemetry: Telemetry
    principal: ServicePrincipalCache = field(default_factory=ServicePrincipalCache)
    pacers: WeakKeyDictionary[Any, Pacer] = field(default_factory=WeakKeyDictionary)
    known_exemptions: KnownExemptions = field(default_factory=KnownExemptions)
    own_stops: OwnStops = field(default_factory=OwnStops)

    @asynccontextmanager
    async def open_azure(self) -> AsyncIterator[MachineLearningClient]:
        """Sign in as the service principal and open Azure Machine Learning."""
        async with self.service_principal() as credential, self.arm(credential) as arm:
            yield MachineLearningClient(arm, now=now)

    def arm(self, credential: ServicePrincipalCredential) -> Arm:
        """Return a client of Azure Resource Manager, to be opened."""
        return Arm(
            ArmSettings(
                endpoint=self.settings.arm_endpoint,
                scope=self.settings.arm_scope,
                api_version=self.settings.arm_api_version,
            ),
            credential=credential,
            pacer=self._pacer(),
            now=now,
            on_answer=self._measure,
        )

    @asynccontextmanager
    async def open_shutdown(self) -> AsyncIterator[Shutdown]:
        """Open what a run needs: Azure, and the app's own storage where there is one."""
        async with self.open_azure() as azure, self.open_storage() as storage:
            yield self._shutdown(azure, storage)

    @asynccontextmanager
    async def open_runner(self) -> AsyncIterator[Dispatch | Shutdown]:
        """Open what carries out runs in earnest: spread where there is storage, else inline."""
        async with self.open_azure() as azure, self.open_storage() as storage:
            shutdown = self._shutdown(azure, storage)
            if storage is None:
                yield shutdown
                return
            yield Dispatch(shutdown=shutdown, history=storage.history, queue=storage.queue)

    @asynccontextmanager
    async def open_shares(self) -> AsyncIterator[Shares]:
        """Open what works the shares of runs.

        Raises StorageUnavailableError where no storage account is configured.
        """
        async with self.open_azure() as azure, self.open_storage() as storage:
            if storage is None:
                raise StorageUnavailableError("no storage account is configured")
            yield Shares(shutdown=self._shutdown(azure, storage), history=storage.history)

    def _shutdown(self, azure: MachineLearningClient, storage: Storage | None) -> Shutdown:
        return Shutdown(
            azure,
            self.telemetry,
            now=now,
            rules=self.rules(),
            backing=self._backing(storage) if storage else None,
        )

    @asynccontextmanager
    async def open_storage(self) -> AsyncIterator[Storage | None]:
        """Open the app's own storage account; None where none is configured."""
        async with AsyncExitStack() as stack:
            account = await self.storage_account(stack)
            if account is None:
                yield None
                return
            enter = stack.enter_async_context
            yield Storage(
                history=await enter(RunHistoryClient(account)),
                claims=await enter(StopClaimsClient(account)),
                exemptions=await enter(ExemptionStoreClient(account)),
                minimums=await enter(ClusterMinimumsClient(account)),
                queue=await enter(ShareQueueClient(account)),
                notes=await enter(NoteStoreClient(account)),
            )

    @asynccontextmanager
    async def noting(self, timer: str) -> AsyncIterator[None]:
        """Leave a note that a tick began, and how it ended."""
        async with AsyncExitStack() as stack:
            account = await self.storage_account(stack)
            notes = await stack.enter_async_context(NoteStoreClient(account)) if account else None
            async with TickKeeping(notes=notes, now=now).noting(timer):
                yield

    def _backing(self, storage: Storage) -> Backing:
        return Backing(
            history=storage.history,
            claims=storage.claims,
            minimums=storage.minimums,
            notes=storage.notes,
            own_stops=self.own_stops,
            exemptions=ExemptionsInForce(store=storage.exemptions, known=self.known_exemptions),
        )

    async def storage_account(self, stack: AsyncExitStack) -> StorageAccount | None:
        """Return where the app's own storage is; its credential is closed with the stack."""
        settings = self.settings
        if settings.storage is not None:
            return StorageAccount(connection_string=settings.storage.get_secret_value())
        if settings.storage_account is None:
            return None
        host = f"{settings.storage_account}.{{}}.{settings.endpoints.storage_suffix}"
        return StorageAccount(
            table_endpoint=f"https://{host.format('table')}",
            queue_endpoint=f"https://{host.format('queue')}",
            credential=await stack.enter_async_context(self._managed_identity()),
        )

    def _managed_identity(self) -> AsyncTokenCredential:
        from azure.identity.aio import ManagedIdentityCredential

        return ManagedIdentityCredential(client_id=self.settings.managed_identity_client_id)

    def service_principal(self) -> ServicePrincipalCredential:
        """Return the service principal's credential, to be opened; it is read at its first use."""
        return ServicePrincipalCredential(
            source=self.vault(), cache=self.principal, telemetry=self.telemetry, now=now
        )

    def vault(self) -> CredentialSource:
        """Return where secrets are."""
        settings = self.settings
        return CredentialSource(
            vault_url=settings.key_vault_url,
            prefix=settings.service_principal_prefix,
            identity_client_id=settings.managed_identity_client_id,
            authority=settings.authority,
            vault_in_cloud_suffix=settings.vault_in_cloud,
        )

    def rules(self) -> Rules:
        """Return what operators have set."""
        settings = self.settings
        return Rules(
            default_schedule=parse_schedule(settings.default_schedule),
            allowances=Allowances(
                late_start=timedelta(hours=settings.late_start_hours),
                min_uptime=timedelta(minutes=settings.min_uptime_minutes),
                job_deadline=timedelta(hours=settings.job_deadline_hours),
                stop_overdue_jobs=settings.stop_overdue_jobs,
                stop_job_running=settings.stop_job_running,
            ),
            poll=timedelta(seconds=settings.poll_seconds),
            cluster_off_hours=settings.cluster_off_hours,
            keep_history=timedelta(days=settings.history_days),
            patience=Patience(without_effect=timedelta(seconds=settings.stop_patience_seconds)),
        )

    def _pacer(self) -> Pacer:
        loop = asyncio.get_running_loop()
        if loop not in self.pacers:
            sizes = {
                Operation(name): BucketSize(capacity=size.capacity, per_second=size.per_second)
                for name, size in self.settings.arm_buckets.items()
            }
            self.pacers[loop] = Pacer(
                sizes,
                places=self.settings.arm_max_in_flight,
                may_grow=self.settings.arm_buckets_grow,
            )
        return self.pacers[loop]

    def _measure(self, operation: Operation, throttled: bool) -> None:  # noqa: FBT001  # the client's signature
        self.telemetry.measure(Metric.ARM_REQUESTS, 1, operation=operation)
        if throttled:
            self.telemetry.measure(Metric.ARM_THROTTLES, 1, operation=operation)
