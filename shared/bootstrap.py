"""Composition root: environment -> settings -> clients -> use cases. Built on first use.

Indexing must stay fast and must not fail, so that a broken setting makes invocations fail and not
every function vanish: the domain and the clients are imported inside the functions.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from shared.compute.exemption_requests import ExemptionRequests
    from shared.compute.run_requests import RunRequests
    from shared.duty import Anybody, Duty
    from shared.health_checks import HealthChecks
    from shared.invocation import Invocation
    from shared.overview import Overview
    from shared.redeploying import Redeploying
    from shared.replies import Reply
    from shared.scoring.redeploy.requests import RedeployRequests
    from shared.scoring.service_requests import ServiceRequests
    from shared.settings import Settings
    from shared.telemetry import Telemetry
    from shared.worker import Worker

Opened = TypeVar("Opened")
# What opens something, a question to what was opened, and the query of a call.
Opens: TypeAlias = "Callable[[], AbstractAsyncContextManager[Opened]]"
Ask: TypeAlias = "Callable[[Opened], Awaitable[Reply]]"
Query: TypeAlias = Mapping[str, str]


async def shut_down_on_schedule(
    invocation: Invocation, *, past_due: bool, schedule_status: Mapping[str, str] | None
) -> None:
    """Carry out a tick; raises unless it succeeded, so that the host counts it, too."""
    from shared.compute.answers import carry_out_scheduled
    from shared.compute.ticks import scheduled_time
    from shared.worker import now

    async with (
        _speaking_as(invocation),
        _worker().noting(invocation.function_name),
        _worker().open_runner() as runner,
    ):
        await carry_out_scheduled(
            runner,
            seconds=_settings().run_deadline_seconds,
            past_due=past_due,
            scheduled_at=scheduled_time(schedule_status, now=now()),
        )


async def plan_shutdown(invocation: Invocation, query: Query) -> Reply:
    """Answer what a shutdown would do now; changes nothing."""
    from shared.callers import parse_moment
    from shared.compute.answers import carry_out
    from shared.compute.order import parse_query

    async def answer() -> Reply:
        order = parse_query(query)
        planned_for = parse_moment("at", query["at"]) if "at" in query else None
        async with _worker().open_shutdown() as shutdown:
            return await carry_out(shutdown, order, planned_for=planned_for)

    return await _answer(invocation, answer)


async def shut_down_now(
    invocation: Invocation, body: bytes, headers: Mapping[str, str], *, unread: Query
) -> Reply:
    """Shut down what the body names, now, and answer what was seen."""

    async def answer() -> Reply:
        from shared.callers import prefers_async
        from shared.compute.answers import carry_out_now
        from shared.compute.order import parse_body

        order = parse_body(body)
        async with _worker().open_runner() as runner:
            return await carry_out_now(runner, order, respond_async=prefers_async(headers))

    return await _answer(invocation, answer, unread=unread)


async def work_share(invocation: Invocation, message: bytes) -> None:
    """Do a subscription's share of a run; raises only where our own infrastructure fails."""
    from shared import share_messages

    async with _speaking_as(invocation), _worker().open_shares() as shares:
        await share_messages.work(shares, message)


async def give_up_share(invocation: Invocation, message: bytes) -> None:
    """Record that a share failed for good; a message that is no share's is dropped, and told."""
    from shared import share_messages

    async with _speaking_as(invocation), _worker().open_shares() as shares:
        await share_messages.give_up(shares, message)


async def about_exemptions(
    invocation: Invocation, ask: Ask[ExemptionRequests], *, unread: Query | None = None
) -> Reply:
    """Answer a request about exemptions; `ask` says which."""
    from shared.enquiries import open_exemptions

    return await _about(invocation, lambda: open_exemptions(_worker()), ask, unread=unread)


async def explain_shutdown(invocation: Invocation, query: Query) -> Reply:
    """Answer what a tick would decide about an instance, why, and until when."""
    from shared.enquiries import open_explanations

    return await _about(
        invocation, lambda: open_explanations(_worker()), lambda found: found.explain(query)
    )


async def about_runs(invocation: Invocation, ask: Ask[RunRequests]) -> Reply:
    """Answer a request about past and present runs; `ask` says which."""
    from shared.enquiries import open_runs

    return await _about(invocation, lambda: open_runs(_worker()), ask)


async def set_idle_shutdown(invocation: Invocation, body: bytes, *, unread: Query) -> Reply:
    """Set how long the instances that the body names may idle, and answer what was seen."""

    async def answer() -> Reply:
        from shared.compute.idle_shutdown_order import parse_idle_shutdown
        from shared.enquiries import open_idle_shutdowns

        order = parse_idle_shutdown(body)
        async with open_idle_shutdowns(_worker()) as idle_shutdowns:
            return await idle_shutdowns.answer(order)

    return await _answer(invocation, answer, unread=unread)


async def check_on_schedule(invocation: Invocation, *, past_due: bool) -> None:
    """Check every scoring service once; raises where services could not be checked."""
    async with (
        _speaking_as(invocation),
        _worker().noting(invocation.function_name),
        _health_checks().open_scheduled() as checks,
    ):
        await checks.tick(time_limit=_settings().scoring_deadline, past_due=past_due)


async def list_v1_services(invocation: Invocation, query: Query) -> Reply:
    """Answer which web services of SDK v1 are left, each with its equivalent."""
    return await _about(
        invocation, lambda: _health_checks().open_sunset(), lambda sunset: sunset.answer(query)
    )


async def care_for_redeploys(invocation: Invocation) -> None:
    """Bring back redeploys that were lost, and begin those that services need by themselves."""
    async with _speaking_as(invocation), _worker().noting(invocation.function_name):
        await _redeploying().care()


async def work_step(invocation: Invocation, message: bytes) -> None:
    """Carry out a step of a redeploy; raises only where our own infrastructure or code fails."""
    from shared import step_messages

    async with _speaking_as(invocation), _redeploying().open_steps() as steps:
        await step_messages.work(steps, message)


async def work_poisoned_step(invocation: Invocation, message: bytes) -> None:
    """Carry out a step that failed at every try, or undo its redeploy; what is no step's is dropped."""
    from shared import step_messages

    async with _speaking_as(invocation), _redeploying().open_steps() as steps:
        await step_messages.work_poison(steps, message)


async def about_redeploys(
    invocation: Invocation, ask: Ask[RedeployRequests], *, unread: Query | None = None
) -> Reply:
    """Answer a request about redeploys; `ask` says which."""
    return await _about(invocation, lambda: _redeploying().open_requests(), ask, unread=unread)


async def about_services(
    invocation: Invocation, ask: Ask[ServiceRequests], *, unread: Query | None = None
) -> Reply:
    """Answer a request about scoring services; `ask` says which."""
    return await _about(invocation, lambda: _health_checks().open_requests(), ask, unread=unread)


async def check_now(
    invocation: Invocation, service: str, headers: Mapping[str, str], *, unread: Query
) -> Reply:
    """Check one scoring service, and answer what was seen."""

    async def answer() -> Reply:
        async with _health_checks().open_checks() as (services, checks):
            return await checks.check(await services.find(service), headers)

    return await _answer(invocation, answer, unread=unread)


async def on_duty(invocation: Invocation, ask: Ask[Duty]) -> Reply:
    """Answer people on duty, or a monitor; `ask` says what."""

    async def answer() -> Reply:
        from shared.duty import Duty

        return await ask(Duty(overview=_overview))

    return await _answer(invocation, answer)


async def for_anybody(ask: Callable[[Anybody], Reply]) -> Reply:
    """Answer who sends no key: without settings, telemetry or anything outside."""
    from shared.duty import Anybody

    return ask(Anybody())


async def _about(
    invocation: Invocation, opens: Opens[Opened], ask: Ask[Opened], *, unread: Query | None = None
) -> Reply:
    async def answer() -> Reply:
        async with opens() as opened:
            return await ask(opened)

    return await _answer(invocation, answer, unread=unread)


async def _answer(
    invocation: Invocation, work: Callable[[], Awaitable[Reply]], *, unread: Query | None = None
) -> Reply:
    from shared.invocation import answered

    return await answered(invocation, work, telemetry=_telemetry, unread=unread or {})


def _speaking_as(invocation: Invocation) -> AbstractAsyncContextManager[None]:
    from shared.invocation import speaking_as

    return speaking_as(invocation, _telemetry)


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


@cache
def _worker() -> Worker:
    from shared.garbage import collect_rarely
    from shared.worker import Worker

    collect_rarely()
    return Worker(settings=_settings(), telemetry=_telemetry())


@cache
def _health_checks() -> HealthChecks:
    from shared.health_checks import HealthChecks

    return HealthChecks(worker=_worker())


@cache
def _overview() -> Overview:
    from shared.overview import Overview

    return Overview(worker=_worker())


@cache
def _redeploying() -> Redeploying:
    from shared.redeploying import Redeploying

    return Redeploying(checks=_health_checks())
