"""azure-monitor-opentelemetry with its defaults, in a process that refuses other hosts.

Prints, as its last line, what it was stopped from reaching.
"""

import json
import logging
import socket
import sys
import time
from typing import Any

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# Live metrics ping once a second at first; the exporters' own threads start within this too.
WATCHED_SECONDS = 3

refused: set[str] = set()
resolve, connect = socket.getaddrinfo, socket.socket.connect


def guarded_resolve(host: Any, *arguments: Any, **named: Any) -> Any:
    _refuse_strangers(host)
    return resolve(host, *arguments, **named)


def guarded_connect(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple):
        _refuse_strangers(address[0])
    connect(self, address)


def emit_one_of_each() -> None:
    from opentelemetry import metrics, trace

    with trace.get_tracer("guarded").start_as_current_span("a span"):
        logging.getLogger("guarded").warning("a log record")
        event = {"microsoft.custom_event.name": "an.event.happened"}
        logging.getLogger("guarded").warning("an event", extra=event)
    metrics.get_meter("guarded").create_counter("a.metric").add(1)


def flush() -> None:
    from opentelemetry import _logs, metrics, trace

    for provider in (
        trace.get_tracer_provider(),
        metrics.get_meter_provider(),
        _logs.get_logger_provider(),
    ):
        provider.force_flush()  # type: ignore[union-attr]  # the SDK's providers have it


def main() -> None:
    socket.getaddrinfo = guarded_resolve
    socket.socket.connect = guarded_connect  # type: ignore[method-assign,assignment]  # the guard
    from azure.monitor.opentelemetry import configure_azure_monitor

    configure_azure_monitor(disable_offline_storage=True)
    emit_one_of_each()
    time.sleep(WATCHED_SECONDS)
    flush()
    sys.stdout.write(json.dumps({"refused": sorted(refused)}) + "\n")


def _refuse_strangers(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and name not in LOOPBACK:
        refused.add(str(name))
        raise OSError("only loopback may be reached")


if __name__ == "__main__":
    main()
