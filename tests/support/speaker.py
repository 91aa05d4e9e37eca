"""A worker that speaks through Application Insights, in a process of its own.

OpenTelemetry's providers belong to a process. As a program, with the app's environment:

    python -m tests.support.speaker SCENE [--no-logs]

prints one JSON object: `flush_seconds`, `threads`, `strangers` (hosts other than loopback).
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.clients.app_insights import connect
from shared.metrics import Metric
from shared.telemetry import Event, Span, Telemetry, bound, operation
from tests.support.story import OPERATION, RUN_ID, TRACE_PARENT, tell

REPOSITORY = Path(__file__).resolve().parents[2]
BURST_SPANS, BURST_EVENTS = 1_000, 10_000
Scene = Callable[[Telemetry], Awaitable[None]]


def speak(scene: str, *options: str, env: Mapping[str, str], seconds: float = 60) -> dict[str, Any]:
    """Run a scene in a process with this environment. Raises CalledProcessError, TimeoutExpired.

    Adds `exit_seconds`, the time of the whole process, and `log`, its stderr.
    """
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.speaker", scene, *options],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **env},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=True,
    )
    result: dict[str, Any] = json.loads(ended.stdout)
    return result | {"exit_seconds": time.monotonic() - started, "log": ended.stderr}


async def burst(telemetry: Telemetry) -> None:
    """Speak about many machines without a pause, as a run over a large estate does."""
    with operation(OPERATION, trace_parent=TRACE_PARENT), bound(run_id=RUN_ID):
        for number in range(BURST_SPANS):
            with telemetry.span(Span.COMPUTE_STOP, number=number):
                pass
        for number in range(BURST_EVENTS):
            telemetry.event(Event.HISTORY_LOST, operation=str(number), error="")


async def below_a_current_span(telemetry: Telemetry) -> None:
    """Speak where the engine made the host's span current, as on Python 3.13."""
    from opentelemetry import context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    elsewhere = TRACE_PARENT.replace("4bf9", "aaaa").replace("00f0", "bbbb")
    current = TraceContextTextMapPropagator().extract({"traceparent": elsewhere})
    token = context.attach(current)
    with operation(OPERATION, trace_parent=TRACE_PARENT), telemetry.span(Span.COMPUTE_RUN):
        telemetry.event(Event.HISTORY_LOST, operation="read", error=None)
    context.detach(token)


async def sign_in(telemetry: Telemetry) -> None:
    """Use the Azure SDKs inside a span, and let them and others log."""
    from shared.clients.key_vault import (
        CredentialSource,
        ServicePrincipalCache,
        ServicePrincipalCredential,
    )

    credential = ServicePrincipalCredential(
        source=CredentialSource(
            vault_url=os.environ["KEY_VAULT_URL"],
            authority=os.environ["AZURE_AUTHORITY_HOST"],
            vault_in_cloud_suffix=False,
        ),
        cache=ServicePrincipalCache(),
        telemetry=telemetry,
        now=lambda: datetime.now(UTC),
    )
    logging.getLogger("uvicorn").warning("outside any function")
    with operation(OPERATION, trace_parent=TRACE_PARENT), telemetry.span(Span.COMPUTE_RUN):
        await credential.get_token("https://management.azure.com/.default")
        logging.getLogger("azure_functions_worker").warning("the platform's own")


async def refused_in_between(telemetry: Telemetry) -> None:
    """Have a batch sent before the flush, as one that is full is."""
    with operation(OPERATION):
        telemetry.event(Event.HISTORY_LOST, operation="read", error=None)
        await telemetry.flush()
        await _tell_whether_taken(telemetry)


async def taken(telemetry: Telemetry) -> None:
    """Say one thing, and whether it arrived."""
    with operation(OPERATION):
        telemetry.event(Event.HISTORY_LOST, operation="read", error=None)
        await _tell_whether_taken(telemetry)


async def _tell_whether_taken(telemetry: Telemetry) -> None:
    is_taken = await telemetry.flush()
    is_heard = telemetry.seconds_unheard() == 0
    logging.getLogger("speaker").info("taken: %s, heard: %s", is_taken, is_heard)


async def outage(telemetry: Telemetry) -> None:
    """Speak and flush, again and again, while nobody listens."""
    for _ in range(2):
        with operation(OPERATION), telemetry.span(Span.COMPUTE_RUN):
            telemetry.event(Event.HISTORY_LOST, operation="read", error=None)
            telemetry.measure(Metric.ARM_REQUESTS, 1)
        await telemetry.flush()


SCENES: Mapping[str, Scene] = {
    "story": tell,
    "burst": burst,
    "below_a_current_span": below_a_current_span,
    "sign_in": sign_in,
    "outage": outage,
    "taken": taken,
    "refused_in_between": refused_in_between,
}


def install_providers() -> None:
    """Stand for somebody who configured OpenTelemetry before the app did."""
    from azure.monitor.opentelemetry import configure_azure_monitor

    configure_azure_monitor(
        enable_live_metrics=False,
        enable_performance_counters=False,
        disable_offline_storage=True,
        sampling_ratio=1.0,
    )


def watch_for_strangers() -> list[str]:
    """Note every host but loopback that this process wants to reach."""
    strangers: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo" and arguments[0] not in {"127.0.0.1", "localhost"}:
            strangers.append(str(arguments[0]))
        if event == "socket.connect" and not str(arguments[1][0]).startswith("127."):
            strangers.append(str(arguments[1]))

    sys.addaudithook(watch)
    return strangers


def main(scene: str, *options: str) -> None:
    strangers = watch_for_strangers()
    logging.basicConfig(level=logging.INFO)
    if "--installed" in options:
        install_providers()
    telemetry = connect(
        connection_string=os.environ.get("APPLICATIONINSIGHTS_CONNECTION_STRING"),
        role_name="func-aml-ops",
        export_logs="--no-logs" not in options,
        environment=os.environ,
    )
    flush_seconds = asyncio.run(_timed(SCENES[scene], telemetry))
    told = {
        "kind": type(telemetry).__name__,
        "flush_seconds": flush_seconds,
        "threads": threading.active_count(),
        "strangers": strangers,
    }
    print(json.dumps(told))  # noqa: T201  # a program answers on stdout


async def _timed(scene: Scene, telemetry: Telemetry) -> float:
    await scene(telemetry)
    started = time.monotonic()
    await telemetry.flush()
    return time.monotonic() - started


if __name__ == "__main__":
    main(*sys.argv[1:])
