"""Composition root: environment -> settings -> clients -> use cases. Built on first use.

Indexing must stay fast and must not fail, so that a broken setting makes invocations fail and not
every function vanish: the domain and the clients are imported inside the functions.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from datetime import datetime
    from weakref import WeakKeyDictionary

    from shared.clients.arm import Arm
    from shared.clients.key_vault import ServicePrincipalCache, ServicePrincipalCredential
    from shared.clients.pacer import Pacer
    from shared.compute.run import Rules
    from shared.compute.shutdown import Shutdown
    from shared.replies import Reply
    from shared.settings import Settings
    from shared.telemetry import Telemetry


async def shut_down_on_schedule(
    name: str,
    *,
    trace_parent: str | None,
    past_due: bool,
    schedule_status: Mapping[str, str] | None,
) -> None:
    """Carry out a tick; raises unless it succeeded, so that the host counts it, too."""
    from shared.compute.answers import carry_out_scheduled
    from shared.compute.ticks import scheduled_time

    async with _speaking_as(name, trace_parent), _open_shutdown() as shutdown:
        await carry_out_scheduled(
            shutdown,
            seconds=_settings().run_deadline_seconds,
            past_due=past_due,
            scheduled_at=scheduled_time(schedule_status, now=_now()),
        )


async def plan_shutdown(name: str, query: Mapping[str, str], *, trace_parent: str | None) -> Reply:
    """Answer what a shutdown would do now; changes nothing."""
    from shared.compute.answers import carry_out
    from shared.compute.order import parse_moment, parse_query
    from shared.replies import answering

    async def answer() -> Reply:
        order = parse_query(query)
        planned_for = parse_moment("at", query["at"]) if "at" in query else None
        async with _open_shutdown() as shutdown:
            return await carry_out(shutdown, order, planned_for=planned_for)

    async with _speaking_as(name, trace_parent):
        return await answering(answer())


async def shut_down_now(name: str, body: bytes, *, trace_parent: str | None) -> Reply:
    """Shut down what the body names, now, and answer what was seen."""
    from shared.compute.answers import carry_out
    from shared.compute.order import parse_body
    from shared.replies import answering

    async def answer() -> Reply:
        order = parse_body(body)
        async with _open_shutdown() as shutdown:
            return await carry_out(shutdown, order)

    async with _speaking_as(name, trace_parent):
        return await answering(answer())


@cache
def _settings() -> Settings:
    from shared.settings import read_settings

    return read_settings(os.environ)


@cache
def _telemetry() -> Telemetry:
    from shared.clients.app_insights import connect

    settings = _settings()
    secret = settings.connection_string
    return connect(
        connection_string=secret.get_secret_value() if secret else None,
        role_name=settings.role_name,
        export_logs=settings.export_logs,
        environment=os.environ,
    )


@asynccontextmanager
async def _speaking_as(name: str, trace_parent: str | None) -> AsyncIterator[None]:
    """Give every record the function's name, and send them before the invocation ends."""
    from shared.errors import SettingsError
    from shared.telemetry import NullTelemetry, operation

    try:
        telemetry = _telemetry()
    except SettingsError:
        # Told by whoever needs the settings next; here there is only nothing to send.
        telemetry = NullTelemetry()
    with operation(name, trace_parent=trace_parent):
        try:
            yield
        finally:
            await telemetry.flush()


@asynccontextmanager
async def _open_shutdown() -> AsyncIterator[Shutdown]:
    """Open the connections of one run. They belong to its event loop, and close with it."""
    from shared.clients.machine_learning import MachineLearningClient
    from shared.compute.shutdown import Shutdown

    async with _service_principal() as credential, _arm(credential) as arm:
        yield Shutdown(
            MachineLearningClient(arm, now=_now), _telemetry(), now=_now, rules=_rules(_settings())
        )


def _rules(settings: Settings) -> Rules:
    from datetime import timedelta

    from shared.compute.rulebook import Allowances
    from shared.compute.run import Rules
    from shared.compute.schedule import parse_schedule
    from shared.compute.watch import Patience

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
        patience=Patience(without_effect=timedelta(seconds=settings.stop_patience_seconds)),
    )


def _service_principal() -> ServicePrincipalCredential:
    from shared.clients.key_vault import CredentialSource, ServicePrincipalCredential

    settings = _settings()
    return ServicePrincipalCredential(
        source=CredentialSource(
            vault_url=settings.key_vault_url,
            prefix=settings.service_principal_prefix,
            identity_client_id=settings.managed_identity_client_id,
            authority=settings.authority,
            vault_in_cloud_suffix=settings.vault_in_cloud,
        ),
        cache=_service_principal_cache(),
        telemetry=_telemetry(),
        now=_now,
    )


@cache
def _service_principal_cache() -> ServicePrincipalCache:
    from shared.clients.key_vault import ServicePrincipalCache

    return ServicePrincipalCache()


def _arm(credential: ServicePrincipalCredential) -> Arm:
    from shared.clients.arm import Arm, ArmSettings
    from shared.telemetry import Metric

    settings, telemetry = _settings(), _telemetry()

    def measure(operation: str, throttled: bool) -> None:  # noqa: FBT001  # the client's signature
        telemetry.measure(Metric.ARM_REQUESTS, 1, operation=operation)
        if throttled:
            telemetry.measure(Metric.ARM_THROTTLES, 1, operation=operation)

    return Arm(
        ArmSettings(
            endpoint=settings.arm_endpoint,
            scope=settings.arm_scope,
            api_version=settings.arm_api_version,
        ),
        credential=credential,
        pacer=_pacer(),
        now=_now,
        on_answer=measure,
    )


def _pacer() -> Pacer:
    """Return the pacer of the running loop: runs side by side share the principal's buckets."""
    import asyncio

    from shared.clients.pacer import BucketSize, Operation, Pacer

    settings, pacers, loop = _settings(), _pacers(), asyncio.get_running_loop()
    if loop not in pacers:
        sizes = {
            Operation(name): BucketSize(capacity=size.capacity, per_second=size.per_second)
            for name, size in settings.arm_buckets.items()
        }
        pacers[loop] = Pacer(sizes, may_grow=settings.arm_buckets_grow)
    return pacers[loop]


@cache
def _pacers() -> WeakKeyDictionary[AbstractEventLoop, Pacer]:
    from weakref import WeakKeyDictionary

    return WeakKeyDictionary()


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)
