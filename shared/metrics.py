"""The custom metrics of the app: their names, units, meanings and attributes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Metric(StrEnum):
    """Custom metrics."""

    COMPUTE_INSTANCES_SEEN = "compute.instances.seen"
    COMPUTE_INSTANCES_STOPPED = "compute.instances.stopped"
    COMPUTE_INSTANCES_FAILED = "compute.instances.failed"
    COMPUTE_SAVING_HOURLY = "compute.saving.hourly"
    COMPUTE_TAGS_MISCONFIGURED = "compute.tags.misconfigured"
    COMPUTE_RUN_SECONDS = "compute.run.seconds"
    SCORING_SERVICES_CHECKED = "scoring.services.checked"
    SCORING_GOLDEN_SECONDS = "scoring.golden.seconds"
    SCORING_ROUND_SECONDS = "scoring.round.seconds"
    ARM_REQUESTS = "arm.requests"
    ARM_THROTTLES = "arm.throttles"


class InstrumentKind(StrEnum):
    """How values add up: counters sum, histograms keep count, sum, minimum and maximum."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """Unit (UCUM, as OpenTelemetry writes it), meaning and attributes of a metric."""

    kind: InstrumentKind
    unit: str
    description: str
    attributes: frozenset[str] = frozenset()


def _counter(unit: str, description: str, *attributes: str) -> Instrument:
    return Instrument(
        kind=InstrumentKind.COUNTER,
        unit=unit,
        description=description,
        attributes=frozenset(attributes),
    )


def _histogram(unit: str, description: str, *attributes: str) -> Instrument:
    return Instrument(
        kind=InstrumentKind.HISTOGRAM,
        unit=unit,
        description=description,
        attributes=frozenset(attributes),
    )


INSTRUMENTS: Final[Mapping[Metric, Instrument]] = MappingProxyType(
    {
        Metric.COMPUTE_INSTANCES_SEEN: _counter("{instance}", "Compute instances a run saw."),
        Metric.COMPUTE_INSTANCES_STOPPED: _counter("{instance}", "Seen Stopped by a run."),
        Metric.COMPUTE_INSTANCES_FAILED: _counter("{instance}", "Should be off and are not."),
        Metric.COMPUTE_SAVING_HOURLY: _histogram(
            "{currency}/h", "Hourly price of what a run stopped.", "currency"
        ),
        Metric.COMPUTE_TAGS_MISCONFIGURED: _counter(
            "{tag}", "Tags meant for this app that a run could not understand."
        ),
        Metric.COMPUTE_RUN_SECONDS: _histogram(
            "s", "From the start of a run to its report.", "result", "trigger"
        ),
        Metric.SCORING_SERVICES_CHECKED: _counter("{service}", "Services checked.", "verdict"),
        Metric.SCORING_GOLDEN_SECONDS: _histogram(
            "s", "Until the last byte of a golden answer.", "service"
        ),
        Metric.SCORING_ROUND_SECONDS: _histogram("s", "From the start of a round to its end."),
        Metric.ARM_REQUESTS: _counter(
            "{request}", "Requests sent to Azure Resource Manager.", "operation"
        ),
        Metric.ARM_THROTTLES: _counter(
            "{response}", "Answers 429 of Azure Resource Manager.", "operation"
        ),
    }
)
