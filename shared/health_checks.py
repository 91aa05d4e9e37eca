"""Open what health checks need: who is looked after, how they are asked, and what is remembered.

Kept between invocations are plain data: the file in force, what was found in Azure, keys, states as
last known; and per event loop whose turn it is to be probed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from shared.clients.azureml_threads import SdkThreads
from shared.clients.good_services import GoodServicesClient
from shared.clients.machine_learning import MachineLearningClient
from shared.clients.maintenance_windows import MaintenanceWindowsClient
from shared.clients.note_store import NoteStoreClient
from shared.clients.online_endpoints import OnlineEndpointsClient
from shared.clients.prober import NetworkProber
from shared.clients.scoring_workspaces import ScoringWorkspacesClient
from shared.clients.service_credentials import CredentialCache, ServiceCredentials, Sources
from shared.clients.service_file import FileInApp, FileInBlob, in_blob
from shared.clients.service_principal import SecretNames
from shared.clients.service_records import (
    CheckHistoryClient,
    HourHistoryClient,
    ServiceStatesClient,
)
from shared.clients.storage import StorageAccount
from shared.clients.vault_secrets import ServiceSecrets
from shared.clients.web_services_v1 import WebServicesV1Client
from shared.compute.ticks import LATE, first_tick
from shared.errors import StorageUnavailableError
from shared.scoring.attempts import Examiner
from shared.scoring.azure import ScoringAzure
from shared.scoring.azure_word import ReadAnew
from shared.scoring.catalogue_source import CatalogueSource, KnownCatalogue, ServiceFile
from shared.scoring.check_requests import CheckRequests
from shared.scoring.discovery import Discovery, KnownEstate
from shared.scoring.forgetting import Forgetting
from shared.scoring.health import HealthRounds
from shared.scoring.maintenance import LONGEST
from shared.scoring.memory import Remembered
from shared.scoring.pacing import Turns
from shared.scoring.records import Records
from shared.scoring.rolling import Rolling
from shared.scoring.roster import RosterSource
from shared.scoring.round_log import RoundsDue
from shared.scoring.scheduled import ScheduledChecks
from shared.scoring.service import Kind
from shared.scoring.service_requests import ServiceRequests
from shared.scoring.sunset import Sunset
from shared.worker import Worker, now

if TYPE_CHECKING:
    from shared.clients.arm import Arm
    from shared.clients.key_vault import ServicePrincipalCredential

APP_ROOT: Final = Path(__file__).resolve().parents[1]
# Callers of HTTP functions wait for at most 230 s.
SUNSET_TIME: Final = timedelta(seconds=120)


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """The connections of one invocation."""

    account: StorageAccount
    stack: AsyncExitStack
    credential: ServicePrincipalCredential
    arm: Arm
    azure: MachineLearningClient
    web_services: WebServicesV1Client
    kinds: Mapping[Kind, ScoringAzure]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What redeploys share with health checks, opened for one invocation."""

    account: StorageAccount
    stack: AsyncExitStack
    credential: ServicePrincipalCredential
    arm: Arm
    web_services: WebServicesV1Client
    roster: RosterSource
    records: Records
    sources: Sources
    examiner: Examiner


@dataclass(kw_only=True)
class HealthChecks:
    """What one worker process keeps for health checks, and what it opens for one invocation."""

    worker: Worker
    catalogue: KnownCatalogue = field(default_factory=KnownCatalogue)
    estate: KnownEstate = field(default_factory=KnownEstate)
    keys: CredentialCache = field(default_factory=CredentialCache)
    remembered: Remembered = field(default_factory=Remembered)
    turns: WeakKeyDictionary[Any, Turns] = field(default_factory=WeakKeyDictionary)
    threads: SdkThreads = field(default_factory=SdkThreads)

    @asynccontextmanager
    async def open_scheduled(self) -> AsyncIterator[ScheduledChecks]:
        """Open what a tick needs."""
        async with self._open() as opened:
            records, rolling = await self._records(opened)
            settings, telemetry = self.worker.settings, self.worker.telemetry
            yield ScheduledChecks(
                roster=await self._roster(opened),
                rounds=HealthRounds(
                    examiner=await self._examiner(opened, await self._sources(opened)),
                    records=records,
                    remembered=self.remembered,
                ),
                rolling=rolling,
                forgetting=Forgetting(
                    records=records,
                    hours=rolling.hours,
                    telemetry=telemetry,
                    keep=timedelta(days=settings.history_days),
                ),
                telemetry=telemetry,
                location=settings.region,
                notes=await opened.stack.enter_async_context(NoteStoreClient(opened.account)),
            )

    @asynccontextmanager
    async def open_requests(self) -> AsyncIterator[ServiceRequests]:
        """Open what answers about services need."""
        async with self._open() as opened:
            yield await self._requests(opened)

    @asynccontextmanager
    async def open_sunset(self) -> AsyncIterator[Sunset]:
        """Open what the list of v1 web services needs; nothing is remembered of it."""
        async with self._open() as opened:
            yield Sunset(
                discovery=Discovery(
                    workspaces=ScoringWorkspacesClient(opened.azure),
                    azure=opened.kinds,
                    known=KnownEstate(),
                    now=now,
                ),
                time_limit=SUNSET_TIME,
            )

    @asynccontextmanager
    async def open_checks(self) -> AsyncIterator[tuple[ServiceRequests, CheckRequests]]:
        """Open what checks on demand need."""
        async with self._open() as opened:
            examiner = await self._examiner(opened, await self._sources(opened))
            yield await self._requests(opened), CheckRequests(examiner=examiner)

    @asynccontextmanager
    async def open_parts(self) -> AsyncIterator[Parts]:
        """Open what redeploys need of health checks."""
        async with self._open() as opened:
            records, _ = await self._records(opened)
            sources = await self._sources(opened)
            yield Parts(
                account=opened.account,
                stack=opened.stack,
                credential=opened.credential,
                arm=opened.arm,
                web_services=opened.web_services,
                roster=await self._roster(opened),
                records=records,
                sources=sources,
                examiner=await self._examiner(opened, sources),
            )

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[_Opened]:
        async with AsyncExitStack() as stack:
            account = await self.worker.storage_account(stack)
            if account is None:
                raise StorageUnavailableError(
                    "No storage account is configured: AzureWebJobsStorage is not set."
                )
            credential = await stack.enter_async_context(self.worker.service_principal())
            arm = await stack.enter_async_context(self.worker.arm(credential))
            web_services = WebServicesV1Client(credential, threads=self.threads, now=now)
            kinds: dict[Kind, ScoringAzure] = {
                Kind.AML_ONLINE: OnlineEndpointsClient(arm, credential=credential, now=now),
                Kind.AML_V1: web_services,
            }
            yield _Opened(
                account=account,
                stack=stack,
                credential=credential,
                arm=arm,
                azure=MachineLearningClient(arm, now=now),
                web_services=web_services,
                kinds=kinds,
            )

    async def _requests(self, opened: _Opened) -> ServiceRequests:
        records, rolling = await self._records(opened)
        settings = self.worker.settings
        return ServiceRequests(
            roster=await self._roster(opened),
            records=records,
            rolling=rolling,
            notes=await opened.stack.enter_async_context(NoteStoreClient(opened.account)),
            due=RoundsDue(
                first=lambda at: first_tick(settings.scoring_schedule, not_before=at),
                longest=settings.scoring_deadline + LATE,
            ),
            now=now,
            longest=LONGEST,
            trusts_sign_in=settings.sign_in,
        )

    async def _records(self, opened: _Opened) -> tuple[Records, Rolling]:
        enter, account = opened.stack.enter_async_context, opened.account
        history = await enter(CheckHistoryClient(account))
        records = Records(
            states=await enter(ServiceStatesClient(account)),
            history=history,
            maintenance=await enter(MaintenanceWindowsClient(account)),
        )
        return records, Rolling(history=history, hours=await enter(HourHistoryClient(account)))

    async def _roster(self, opened: _Opened) -> RosterSource:
        return RosterSource(file=await self._file(opened), discovery=self._discovery(opened))

    async def _file(self, opened: _Opened) -> CatalogueSource | None:
        setting = self.worker.settings.scoring_services
        if setting is None:
            return None
        enter = opened.stack.enter_async_context
        file: ServiceFile = (
            await enter(FileInBlob(opened.account, setting))
            if in_blob(setting)
            else FileInApp(APP_ROOT, setting)
        )
        return CatalogueSource(
            file=file,
            store=await enter(GoodServicesClient(opened.account)),
            known=self.catalogue,
            telemetry=self.worker.telemetry,
            now=now,
        )

    def _discovery(self, opened: _Opened) -> Discovery | None:
        wanted = self.worker.settings.scoring_discovery
        if not wanted:
            return None
        return Discovery(
            workspaces=ScoringWorkspacesClient(opened.azure),
            azure={kind: client for kind, client in opened.kinds.items() if kind in wanted},
            known=self.estate,
            now=now,
        )

    async def _sources(self, opened: _Opened) -> Sources:
        secrets = await opened.stack.enter_async_context(ServiceSecrets(self.worker.vault()))
        return Sources(
            get_secret=secrets.get,
            azure=opened.kinds,
            entra=opened.credential,
            own_secrets=SecretNames(prefix=self.worker.settings.service_principal_prefix).every,
        )

    async def _examiner(self, opened: _Opened, sources: Sources) -> Examiner:
        enter = opened.stack.enter_async_context
        return Examiner(
            prober=await enter(NetworkProber(now=now)),
            credentials=ServiceCredentials(sources, cache=self.keys, now=now),
            now=now,
            turns=self.turns.setdefault(asyncio.get_running_loop(), Turns()),
            azure=ReadAnew(azure=opened.kinds, now=now),
        )
