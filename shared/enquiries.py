"""Open what a request needs that starts no run: exemptions, explanations, idle times, past runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from shared.compute.exemption_requests import ExemptionRequests
from shared.compute.exemptions import ExemptionsInForce
from shared.compute.explain_requests import ExplainRequests
from shared.compute.idle_shutdown import IdleShutdowns
from shared.compute.order import MAX_HTTP_SECONDS
from shared.compute.run_requests import RunRequests
from shared.errors import StorageUnavailableError
from shared.worker import Storage, Worker, now


@asynccontextmanager
async def open_exemptions(worker: Worker) -> AsyncIterator[ExemptionRequests]:
    """Open the exemptions, and Azure to see that what they name is there."""
    settings = worker.settings
    async with worker.open_azure() as azure, _open_storage(worker) as storage:
        yield ExemptionRequests(
            store=storage.exemptions,
            azure=azure,
            now=now,
            longest=timedelta(days=settings.exemption_max_days),
            trusts_sign_in=settings.sign_in,
        )


@asynccontextmanager
async def open_explanations(worker: Worker) -> AsyncIterator[ExplainRequests]:
    """Open Azure, and the exemptions where there is a storage account."""
    async with worker.open_azure() as azure, worker.open_storage() as storage:
        known = worker.known_exemptions
        yield ExplainRequests(
            azure=azure,
            rules=worker.rules(),
            exemptions=ExemptionsInForce(store=storage.exemptions, known=known)
            if storage
            else None,
            ticks=worker.settings.shutdown_schedule,
            now=now,
        )


@asynccontextmanager
async def open_runs(worker: Worker) -> AsyncIterator[RunRequests]:
    """Open the history of runs."""
    async with _open_storage(worker) as storage:
        yield RunRequests(history=storage.history)


@asynccontextmanager
async def open_idle_shutdowns(worker: Worker) -> AsyncIterator[IdleShutdowns]:
    """Open Azure to set idle times within one request."""
    async with worker.open_azure() as azure:
        yield IdleShutdowns(
            azure=azure,
            telemetry=worker.telemetry,
            now=now,
            deadline=now() + timedelta(seconds=MAX_HTTP_SECONDS),
            poll=timedelta(seconds=worker.settings.poll_seconds),
        )


@asynccontextmanager
async def _open_storage(worker: Worker) -> AsyncIterator[Storage]:
    async with worker.open_storage() as storage:
        if storage is None:
            raise StorageUnavailableError(
                "No storage account is configured: AzureWebJobsStorage is not set."
            )
        yield storage
