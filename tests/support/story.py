"""What telemetry of any kind must be able to tell, and the form in which tests compare it."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.metrics import Metric
from shared.telemetry import AvailabilityResult, Event, Span, Telemetry, bound, operation
from tests.support.telemetry import Recorded, RecordingTelemetry

OPERATION = "shutdown_timer"
RUN_ID = "0198f3a2-0000-7000-8000-000000000001"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
HOST_SPAN_ID = "00f067aa0ba902b7"
# Flags 00: the host did not sample the trace, and we keep ours all the same.
TRACE_PARENT = f"00-{TRACE_ID}-{HOST_SPAN_ID}-00"
LOG_MESSAGE = "instance ci-ada was started again"

ANSWERED = AvailabilityResult(
    name="weight", succeeded=True, seconds=0.0421, location="westeurope", message="healthy"
)
DIED = AvailabilityResult(
    name="svm", succeeded=False, seconds=10, location="westeurope", message="down: refused"
)

logger = logging.getLogger("shared.story")


async def tell(telemetry: Telemetry) -> None:
    """Speak once in every way, as a run does."""
    with operation(OPERATION, trace_parent=TRACE_PARENT), bound(run_id=RUN_ID):
        telemetry.event(Event.HISTORY_LOST, operation="read", error="before any span")
        with telemetry.span(Span.COMPUTE_RUN, trigger="timer", dry_run=False):
            await asyncio.gather(*(_work(telemetry, number) for number in range(2)))
            logger.warning("instance %s was started again", "ci-ada")
            telemetry.event(Event.HISTORY_LOST, operation="write", error=None)
        for result in (ANSWERED, DIED):
            telemetry.availability(
                result, group="r", owner=None, kind="http", verdict="v", evidence="e"
            )
        telemetry.measure(Metric.COMPUTE_SAVING_HOURLY, 1.5, currency="USD")
        await telemetry.flush()
        await telemetry.flush()


async def _work(telemetry: Telemetry, number: int) -> None:
    with contextlib.suppress(ValueError), telemetry.span(Span.COMPUTE_STOP, number=number):
        telemetry.measure(Metric.ARM_REQUESTS, 2)
        await asyncio.to_thread(telemetry.measure, Metric.ARM_REQUESTS, 1)
        if number:
            raise ValueError("this stop fails")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What reached the other end."""

    events: Sequence[Mapping[str, str]]
    spans: Sequence[tuple[str, bool, Mapping[str, str]]]
    results: Sequence[tuple[str, bool, Mapping[str, str]]]
    totals: Mapping[str, float]
    operations: frozenset[str | None]


def told_by_recording(telemetry: RecordingTelemetry) -> Told:
    """Bring the records of a RecordingTelemetry into the common form."""
    results = [each for _, each in telemetry.results]
    records: Sequence[Recorded] = (
        *telemetry.events,
        *telemetry.measures,
        *telemetry.spans,
        *results,
    )
    return Told(
        events=[{"name": each.name, **_text(each.properties)} for each in telemetry.events],
        spans=[(each.name, not each.failed, _text(each.properties)) for each in telemetry.spans],
        results=[
            (result.name, result.succeeded, _text(each.properties))
            for result, each in telemetry.results
        ],
        totals={
            name: telemetry.total(Metric(name)) for name in {m.name for m in telemetry.measures}
        },
        operations=frozenset(each.operation for each in records),
    )


def told_by_envelopes(envelopes: Sequence[Mapping[str, Any]]) -> Told:
    """Bring what Application Insights ingested into the common form."""
    metrics = [each["data"]["baseData"]["metrics"][0] for each in of_type("MetricData", envelopes)]
    names = {metric["name"] for metric in metrics}
    return Told(
        events=[
            {"name": data["name"], **_said(data["properties"])}
            for data in _data("EventData", envelopes)
        ],
        spans=[
            (data["name"], data["success"], _said(data["properties"]))
            for data in _data("RemoteDependencyData", envelopes)
        ],
        results=[
            (data["name"], data["success"], _said(data["properties"]))
            for data in _data("AvailabilityData", envelopes)
        ],
        totals={name: sum(m["value"] for m in metrics if m["name"] == name) for name in names},
        operations=frozenset(each["tags"].get("ai.operation.name") for each in envelopes),
    )


def of_type(base_type: str, envelopes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Choose envelopes by their base type, in the order of their time."""
    chosen = [each for each in envelopes if each["data"]["baseType"] == base_type]
    return sorted(chosen, key=lambda each: str(each["time"]))


def _data(base_type: str, envelopes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [each["data"]["baseData"] for each in of_type(base_type, envelopes)]


def _said(properties: Mapping[str, str]) -> dict[str, str]:
    # What only this sender adds: the logger, and the type of an exception.
    added = {"logger_name", "error_type"}
    return {key: value for key, value in properties.items() if key not in added}


def _text(properties: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in properties.items()
    }
