"""Set up OpenTelemetry for Application Insights, once per process, and stamp who is speaking.

Heavy to import: only shared.clients.app_insights does, when there is a connection string.
"""

import json
import logging
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, Final

from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest
from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import _logs, metrics, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk import _logs as sdk_logs
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.clients.deliveries import Deliveries
from shared.telemetry import Property, current, current_operation

OPERATION_NAME: Final = "ai.operation.name"  # the Application Insights tag, see ContextTagKeys
# A logger that nobody writes to: the distro insists on attaching its handler to some logger.
SILENT_LOGGER: Final = "shared.telemetry.not_exported"
# Records of the exporter about itself would be exported in turn; the worker's are the platform's.
NOT_EXPORTED: Final = ("azure.monitor", "opentelemetry", "azure_functions", "azure.functions")


def configure(*, connection_string: str, role_name: str, export_logs: bool) -> Deliveries:
    """Call the distro, unless somebody installed providers before: then only stamp records.

    Returns what knows which events arrived; of foreign providers it knows of no loss.
    Raises ValueError for a connection string without a valid instrumentation key.
    """
    deliveries = Deliveries()
    # Below WARNING the SDKs log each request's address; the exporter logs each batch it sent.
    logging.getLogger("azure").setLevel(logging.WARNING)
    installed = trace.get_tracer_provider()
    if isinstance(installed, sdk_trace.TracerProvider):
        _stamp_records_of(installed)
        return deliveries
    configure_azure_monitor(
        connection_string=connection_string,
        resource=Resource({SERVICE_NAME: role_name}),
        logger_name="" if export_logs else SILENT_LOGGER,
        span_processors=[SpanStamp()],
        log_record_processors=[LogStamp()],
        raw_request_hook=_on_request(deliveries),
        raw_response_hook=deliveries.end,
        **_switches(),
    )
    _filter_log_records(_is_ours)
    return deliveries


def _on_request(deliveries: Deliveries) -> Callable[[PipelineRequest[Any]], None]:
    def hook(request: PipelineRequest[Any]) -> None:
        deliveries.begin(request)
        name_operations(request)

    return hook


def _stamp_records_of(tracer_provider: sdk_trace.TracerProvider) -> None:
    tracer_provider.add_span_processor(SpanStamp())
    # A log record processor would come too late here, after the one that queues records.
    _filter_log_records(_stamped)


def _filter_log_records(chosen: Callable[[logging.LogRecord], bool]) -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LoggingHandler):
            handler.addFilter(chosen)


def _switches() -> dict[str, Any]:
    return {
        "instrumentation_options": {name: {"enabled": False} for name in _instrumentations()},
        # Every span is kept: the distro's default keeps five traces a second.
        "sampling_ratio": 1.0,
        "enable_live_metrics": False,
        "enable_performance_counters": False,
        # An outage costs the records of the outage, never disk.
        "disable_offline_storage": True,
        # Else what a burst has beyond 10,000 records a second is dropped, since no disk keeps it.
        "max_envelopes_per_second": 0,
        # Seconds for a batch, its retries included; only a refusal (5xx) is retried, so that a
        # batch whose answer was lost is not counted twice.
        "timeout": 5,
        "read_timeout": 5,
        "retry_total": 3,
    }


def _instrumentations() -> set[str]:
    """Name everything the distro would instrument by itself: it would record probe URLs."""
    return {each.name for each in entry_points(group="opentelemetry_instrumentor")} | {"azure_sdk"}


def _is_ours(record: logging.LogRecord) -> bool:
    """Choose what the app says while it runs a function; the rest is the host's to tell."""
    return current_operation() is not None and not record.name.startswith(NOT_EXPORTED)


def _stamped(record: logging.LogRecord) -> bool:
    for key, value in stamps().items():
        record.__dict__.setdefault(key, value)
    return True


def stamps() -> dict[str, Property]:
    """Return what every record carries: the bound properties and the operation's name."""
    operation = current_operation()
    named = {OPERATION_NAME: operation.name} if operation else {}
    return {**current(), **named}


def parent_context() -> Context | None:
    """Return the host's span as a parent; None where a span is current, or the host sent none.

    The engine of Python 3.13 makes the host's span current in async functions; no other does.
    """
    operation = current_operation()
    if operation is None or operation.trace_parent is None:
        return None
    if trace.get_current_span().get_span_context().is_valid:
        return None
    carrier = {"traceparent": operation.trace_parent}
    return TraceContextTextMapPropagator().extract(carrier, context=Context())


class SpanStamp(sdk_trace.SpanProcessor):
    """Stamps every span when it starts."""

    def on_start(self, span: sdk_trace.Span, parent_context: Context | None = None) -> None:
        """Set the attributes; the exporter turns them into properties."""
        del parent_context
        own = span.attributes or {}
        span.set_attributes({key: each for key, each in stamps().items() if key not in own})


class LogStamp(sdk_logs.LogRecordProcessor):
    """Stamps every log record, and hangs it below the host's span if it has no other."""

    def on_emit(self, log_record: sdk_logs.ReadWriteLogRecord) -> None:
        """Change the record before the exporting processor, which comes later, queues it."""
        record = log_record.log_record
        record.attributes = {**stamps(), **(record.attributes or {})}
        parent = None if record.trace_id else parent_context()
        if parent is not None:
            span = trace.get_current_span(parent).get_span_context()
            record.trace_id, record.span_id = span.trace_id, span.span_id

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held."""
        del timeout_millis
        return True


def name_operations(request: PipelineRequest[Any]) -> None:
    """Move the operation's name from the properties of each envelope to its tags.

    The exporter names an internal span's operation after the span, and a metric's not at all
    (azure-monitor-opentelemetry-exporter 1.0.0b58), so it is done on the way out, for all alike.
    """
    sent = request.http_request
    envelopes = json.loads(sent.content)
    for envelope in envelopes:
        properties = envelope["data"]["baseData"].get("properties") or {}
        if name := properties.pop(OPERATION_NAME, None):
            envelope["tags"][OPERATION_NAME] = name
    request.http_request = HttpRequest(
        sent.method,
        sent.url,
        headers={key: value for key, value in sent.headers.items() if key != "Content-Length"},
        content=json.dumps(envelopes, separators=(",", ":")),
    )


def flushers() -> list[Any]:
    """Return what sends the buffered spans, log records and metrics of this process."""
    providers = (
        trace.get_tracer_provider(),
        _logs.get_logger_provider(),
        metrics.get_meter_provider(),
    )
    return [provider.force_flush for provider in providers if hasattr(provider, "force_flush")]
