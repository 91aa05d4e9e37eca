"""The vocabulary: every event, metric and span has its properties, unit and meaning."""

import re

import pytest

from shared.metrics import INSTRUMENTS, Metric
from shared.telemetry import PROPERTIES, Event, NullTelemetry, Span, Telemetry
from tests.support.story import tell
from tests.support.telemetry import RecordingTelemetry


def test_every_event_documents_its_properties() -> None:
    assert set(PROPERTIES) == set(Event)


def test_every_metric_has_a_unit_and_a_meaning() -> None:
    assert set(INSTRUMENTS) == set(Metric)
    assert all(each.unit and each.description for each in INSTRUMENTS.values())


@pytest.mark.parametrize("name", [*Event, *Metric, *Span])
def test_names_are_nouns_and_a_verb_joined_by_dots(name: str) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z_]+)+", name)


@pytest.mark.parametrize("name", sorted(set().union(*PROPERTIES.values())))
def test_properties_do_not_collide_with_what_is_bound_or_reserved(name: str) -> None:
    assert name != "run_id"
    assert not name.startswith(("ai.", "microsoft."))


@pytest.mark.parametrize(
    "telemetry", [NullTelemetry(), RecordingTelemetry()], ids=["null", "recording"]
)
async def test_any_telemetry_hears_the_story_and_lets_errors_pass(telemetry: Telemetry) -> None:
    await tell(telemetry)

    with pytest.raises(ValueError, match="goes on"), telemetry.span(Span.COMPUTE_RUN):
        raise ValueError("goes on")


@pytest.mark.parametrize(
    "properties",
    [{}, {"operation": "read"}, {"operation": "read", "error": None, "colour": "red"}],
    ids=["none", "one missing", "one unknown"],
)
def test_a_recording_refuses_what_is_not_documented(properties: dict[str, str | None]) -> None:
    with pytest.raises(AssertionError, match="unknown or missing"):
        RecordingTelemetry().event(Event.HISTORY_LOST, **properties)


def test_a_recording_finds_its_records_by_name() -> None:
    telemetry = RecordingTelemetry()

    telemetry.event(Event.HISTORY_LOST, operation="read", error=None)
    telemetry.measure(Metric.ARM_REQUESTS, 2)
    telemetry.measure(Metric.ARM_REQUESTS, 3)

    assert telemetry.named(Event.HISTORY_LOST) == [{"operation": "read"}]
    assert telemetry.named(Event.COMPUTE_RUN_STARTED) == []
    assert telemetry.total(Metric.ARM_REQUESTS) == 5
