"""Telemetry that remembers: what a test reads to see what operators would have been told."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.metrics import INSTRUMENTS, Metric
from shared.telemetry import (
    AVAILABILITY_PROPERTIES,
    PROPERTIES,
    AvailabilityResult,
    Event,
    Property,
    current,
    current_operation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One event, measurement or span, with what was bound around it."""

    name: str
    operation: str | None
    properties: Mapping[str, Property]
    value: float | None = None
    failed: bool = False


@dataclass
class RecordingTelemetry:
    """Passes the same contract suite as AppInsights; refuses what PROPERTIES does not document."""

    events: list[Recorded] = field(default_factory=list)
    measures: list[Recorded] = field(default_factory=list)
    spans: list[Recorded] = field(default_factory=list)
    results: list[tuple[AvailabilityResult, Recorded]] = field(default_factory=list)
    flushes: int = 0
    is_sending: bool = True

    def event(self, name: Event, /, **properties: Property | None) -> None:
        undocumented = properties.keys() ^ PROPERTIES[name]
        assert not undocumented, f"{name}: unknown or missing {sorted(undocumented)}"
        self.events.append(_record(name, properties))

    def availability(self, result: AvailabilityResult, /, **properties: Property | None) -> None:
        undocumented = properties.keys() ^ AVAILABILITY_PROPERTIES
        assert not undocumented, f"availability: unknown or missing {sorted(undocumented)}"
        self.results.append((result, _record(result.name, properties)))

    def measure(self, name: Metric, value: float, /, **attributes: Property) -> None:
        undocumented = attributes.keys() - INSTRUMENTS[name].attributes
        assert not undocumented, f"{name}: unknown {sorted(undocumented)}"
        self.measures.append(_record(name, attributes, value=value))

    @contextmanager
    def span(self, name: str, /, **attributes: Property) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.spans.append(_record(name, attributes, failed=True))
            raise
        self.spans.append(_record(name, attributes))

    def seconds_unheard(self) -> float | None:
        return 0.0

    async def flush(self) -> bool:
        self.flushes += 1
        return self.is_sending

    def named(self, name: Event) -> list[Mapping[str, Property]]:
        """Return the properties of every event of that name, in order."""
        return [event.properties for event in self.events if event.name == name]

    def total(self, name: Metric) -> float:
        """Return the sum of all values measured under that name."""
        return sum(each.value or 0 for each in self.measures if each.name == name)


def _record(
    name: str,
    properties: Mapping[str, Property | None],
    *,
    value: float | None = None,
    failed: bool = False,
) -> Recorded:
    operation = current_operation()
    given = {key: each for key, each in properties.items() if each is not None}
    return Recorded(
        name=str(name),
        operation=operation.name if operation else None,
        properties={**current(), **given},
        value=value,
        failed=failed,
    )
