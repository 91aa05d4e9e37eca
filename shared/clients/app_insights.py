"""Telemetry that reaches Application Insights. The one place that configures it.

docs/decisions/0010-who-configures-telemetry.md says why the app does, and not the worker.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from threading import Thread
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from shared.metrics import INSTRUMENTS, InstrumentKind, Metric
from shared.telemetry import (
    AvailabilityResult,
    Event,
    NullTelemetry,
    Property,
    Telemetry,
    current_operation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping, Sequence

logger = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.02

ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        # A run over 10,000 instances speaks in bursts; the default queues of 2,048 drop the rest.
        "OTEL_BSP_MAX_QUEUE_SIZE": "32768",
        "OTEL_BLRP_MAX_QUEUE_SIZE": "32768",
        # The distro's default also asks the virtual machine metadata address, which is not there.
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "azure_functions",
        # The SDK's statistics about itself, its remote control, and a metric that says nothing.
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
    }
)
"""What OpenTelemetry and the distro read from the environment only; what is set there wins."""


def connect(
    *,
    connection_string: str | None,
    role_name: str,
    export_logs: bool,
    environment: MutableMapping[str, str],
) -> Telemetry:
    """Return telemetry for this process: call it once.

    Without a connection string, or with a broken one, the app runs the same and says nothing.
    `role_name` is the cloud role, in Azure the site's name. `export_logs` sends Python's log
    records too: true where the host does not relay them (`PYTHON_ENABLE_OPENTELEMETRY=true`).
    `environment` is the process's own; defaults are added to it.
    """
    if not connection_string:
        return NullTelemetry()
    for name, value in ENVIRONMENT.items():
        environment.setdefault(name, value)
    try:
        return AppInsights(
            connection_string=connection_string, role_name=role_name, export_logs=export_logs
        )
    except ValueError as error:
        logger.error("APPLICATIONINSIGHTS_CONNECTION_STRING is not usable: %s", error)  # noqa: TRY400  # a setting, not a bug: no traceback
        return NullTelemetry()


class AppInsights:
    """Telemetry on azure-monitor-opentelemetry. Configures the whole process."""

    def __init__(self, *, connection_string: str, role_name: str, export_logs: bool) -> None:
        # Half a second of imports, on the first use and only with a connection string.
        from opentelemetry import _logs, metrics, trace

        from shared.clients import azure_monitor

        self._deliveries = azure_monitor.configure(
            connection_string=connection_string, role_name=role_name, export_logs=export_logs
        )
        self._monitor = azure_monitor
        self._tracer = trace.get_tracer("shared")
        self._logger = _logs.get_logger("shared")
        self._instruments = _instruments(metrics.get_meter("shared"))
        self._flushing: Sequence[Thread] = ()

    def event(self, name: Event, /, **properties: Property | None) -> None:
        """Emit a log record that the exporter turns into a custom event."""
        self._emit({"microsoft.custom_event.name": str(name)}, properties)

    def availability(self, result: AvailabilityResult, /, **properties: Property | None) -> None:
        """Emit a log record that the exporter turns into an availability result."""
        self._emit(_availability(result), properties)

    def _emit(
        self, marks: Mapping[str, Property], properties: Mapping[str, Property | None]
    ) -> None:
        from opentelemetry._logs import SeverityNumber

        self._logger.emit(
            context=self._monitor.parent_context(),
            severity_number=SeverityNumber.INFO,
            attributes={**self._monitor.stamps(), **_written(properties), **marks},
        )

    def measure(self, name: Metric, value: float, /, **attributes: Property) -> None:
        """Add the value to the instrument of that name."""
        self._instruments[name](value, {**self._monitor.stamps(), **_written(attributes)})

    @contextmanager
    def span(self, name: str, /, **attributes: Property) -> Iterator[None]:
        """Start an internal span below the current one, else below the host's."""
        with self._tracer.start_as_current_span(
            str(name),
            context=self._monitor.parent_context(),
            attributes=_written(attributes),
            # The exception is logged once, where it is handled; each span only says that it failed.
            record_exception=False,
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_attribute("error_type", type(error).__qualname__)
                raise

    def seconds_unheard(self) -> float | None:
        """Return for how long nothing of what was sent has been taken."""
        return self._deliveries.seconds_in_vain()

    async def flush(self) -> bool:
        """Send what is buffered, each signal in its own thread: one that hangs delays no other.

        An export cannot be interrupted: threads that are late go on without us, and the next
        flush waits for them instead of starting more. What was refused is dropped: then, and for
        whatever else of this operation's time was, False.
        """
        deadline = asyncio.get_running_loop().time() + FLUSH_SECONDS
        if not await _finished(self._flushing, deadline):
            return False
        self._flushing = [_started(flusher) for flusher in self._monitor.flushers()]
        if not await _finished(self._flushing, deadline):
            return False
        speaking = current_operation()
        return self._deliveries.is_complete(since=speaking.began if speaking else 0)


def _availability(result: AvailabilityResult) -> dict[str, Property]:
    """Write a result as the exporter reads it; without all of the first four it is only a trace.

    Source: azure-monitor-opentelemetry-exporter 1.0.0b58, `_get_availability_data`.
    """
    return {
        "microsoft.availability.id": uuid4().hex,
        "microsoft.availability.name": result.name,
        "microsoft.availability.duration": duration_text(result.seconds),
        "microsoft.availability.success": str(result.succeeded).lower(),
        "microsoft.availability.runLocation": result.location,
        "microsoft.availability.message": result.message,
    }


def duration_text(seconds: float) -> str:
    """Write `DD.HH:MM:SS.MMMMMM`, the only form that the service takes."""
    minutes, micros = divmod(max(0, round(seconds * 1_000_000)), 60_000_000)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    second, micro = divmod(micros, 1_000_000)
    return f"{days:02}.{hour:02}:{minute:02}:{second:02}.{micro:06}"


def _written(properties: Mapping[str, Property | None]) -> dict[str, Property]:
    """Drop what is not known; write truth as JSON does, since the exporter would say "True"."""
    return {
        key: str(value).lower() if isinstance(value, bool) else value
        for key, value in properties.items()
        if value is not None
    }


def _instruments(meter: Any) -> dict[Metric, Any]:
    created = {}
    for name, instrument in INSTRUMENTS.items():
        said = {"unit": instrument.unit, "description": instrument.description}
        if instrument.kind is InstrumentKind.COUNTER:
            created[name] = meter.create_counter(str(name), **said).add
        else:
            created[name] = meter.create_histogram(str(name), **said).record
    return created


def _started(flusher: Any) -> Thread:
    thread = Thread(target=flusher, daemon=True)
    thread.start()
    return thread


async def _finished(threads: Sequence[Thread], deadline: float) -> bool:
    """Wait for the threads; False when some still run at the deadline (event loop time)."""
    clock = asyncio.get_running_loop().time
    while any(thread.is_alive() for thread in threads):
        if clock() >= deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
