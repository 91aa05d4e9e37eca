"""Telemetry on its way to Application Insights: once, complete, named, and never in the way."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from shared.clients.app_insights import duration_text
from tests.support.emulator import EmulatorProcess
from tests.support.speaker import BURST_EVENTS, BURST_SPANS, speak
from tests.support.story import (
    HOST_SPAN_ID,
    LOG_MESSAGE,
    OPERATION,
    RUN_ID,
    TRACE_ID,
    of_type,
    tell,
    told_by_envelopes,
    told_by_recording,
)
from tests.support.telemetry import RecordingTelemetry

NOBODY_LISTENS = (
    "InstrumentationKey=6f1d2a80-93c4-4b7e-a5d8-0c3e7b914f26;IngestionEndpoint=https://127.0.0.1:1/"
)
ALL_TYPES = {
    "AvailabilityData",
    "EventData",
    "MessageData",
    "MetricData",
    "RemoteDependencyData",
}


def envelopes_of(emulator: EmulatorProcess, scene: str, *options: str) -> list[dict[str, Any]]:
    speak(scene, *options, env=emulator.env)
    return emulator.telemetry()


def parent_of(envelope: Mapping[str, Any]) -> str:
    return str(envelope["tags"]["ai.operation.parentId"])


def in_some_order(spans: Sequence[tuple[str, bool, Mapping[str, str]]]) -> list[Any]:
    # Spans are sent when they end, and a record's properties have no order.
    return sorted((name, succeeded, sorted(said.items())) for name, succeeded, said in spans)


def span_id(envelope: Mapping[str, Any]) -> str:
    return str(envelope["data"]["baseData"]["id"])


async def test_application_insights_is_told_what_a_recording_is_told(
    emulator: EmulatorProcess,
) -> None:
    recording = RecordingTelemetry()
    await tell(recording)

    arrived = told_by_envelopes(envelopes_of(emulator, "story"))

    expected = told_by_recording(recording)
    assert arrived.events == expected.events
    assert arrived.results == expected.results
    assert in_some_order(arrived.spans) == in_some_order(expected.spans)
    assert arrived.totals == expected.totals
    assert arrived.operations == expected.operations == {OPERATION}


def test_every_record_of_every_kind_carries_operation_and_run(emulator: EmulatorProcess) -> None:
    envelopes = envelopes_of(emulator, "story")

    assert {each["data"]["baseType"] for each in envelopes} == ALL_TYPES
    assert {each["tags"]["ai.operation.name"] for each in envelopes} == {OPERATION}
    assert {each["data"]["baseData"]["properties"]["run_id"] for each in envelopes} == {RUN_ID}
    assert {each["tags"]["ai.cloud.role"] for each in envelopes} == {"func-aml-ops"}


def test_one_copy_of_each_record_arrives(emulator: EmulatorProcess) -> None:
    envelopes = envelopes_of(emulator, "story")

    counted = Counter(each["data"]["baseType"] for each in envelopes)
    assert counted == {
        "AvailabilityData": 2,
        "EventData": 2,
        "MessageData": 1,
        "MetricData": 2,
        "RemoteDependencyData": 3,
    }
    assert of_type("MessageData", envelopes)[0]["data"]["baseData"]["message"] == LOG_MESSAGE


def test_availability_is_told_natively_with_name_duration_success_and_location(
    emulator: EmulatorProcess,
) -> None:
    envelopes = of_type("AvailabilityData", envelopes_of(emulator, "story"))

    told = [each["data"]["baseData"] for each in envelopes]
    assert {each["name"] for each in envelopes} == {"Microsoft.ApplicationInsights.Availability"}
    assert [
        (each["name"], each["success"], each["duration"], each["runLocation"], each["message"])
        for each in told
    ] == [
        ("weight", True, "00.00:00:00.042100", "westeurope", "healthy"),
        ("svm", False, "00.00:00:10.000000", "westeurope", "down: refused"),
    ]
    assert len({each["id"] for each in told}) == 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00.00:00:00.000000"),
        (59.9999999, "00.00:01:00.000000"),
        (3_661.5, "00.01:01:01.500000"),
        (90_000, "01.01:00:00.000000"),
    ],
)
def test_a_duration_is_written_in_days_to_microseconds(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_log_records_are_left_to_a_host_that_relays_them(emulator: EmulatorProcess) -> None:
    envelopes = envelopes_of(emulator, "story", "--no-logs")

    assert of_type("MessageData", envelopes) == []
    assert len(of_type("EventData", envelopes)) == 2


def test_the_hosts_span_is_the_parent_of_what_is_outermost(emulator: EmulatorProcess) -> None:
    envelopes = envelopes_of(emulator, "story")

    spans = of_type("RemoteDependencyData", envelopes)
    run = next(each for each in spans if each["data"]["baseData"]["name"] == "compute.run")
    stops = [each for each in spans if each is not run]
    before, within = of_type("EventData", envelopes)
    message = of_type("MessageData", envelopes)[0]
    assert parent_of(run) == parent_of(before) == HOST_SPAN_ID
    assert {parent_of(each) for each in (*stops, within, message)} == {span_id(run)}
    traced = (*spans, before, within, message)
    assert {each["tags"]["ai.operation.id"] for each in traced} == {TRACE_ID}


def test_a_span_that_the_engine_made_current_stays_the_parent(emulator: EmulatorProcess) -> None:
    envelopes = envelopes_of(emulator, "below_a_current_span")

    run = of_type("RemoteDependencyData", envelopes)[0]
    assert parent_of(run) == HOST_SPAN_ID.replace("00f0", "bbbb")
    assert run["tags"]["ai.operation.id"] == TRACE_ID.replace("4bf9", "aaaa")


def test_a_failed_span_says_so_with_the_kind_of_error(emulator: EmulatorProcess) -> None:
    envelopes = envelopes_of(emulator, "story")

    spans = [each["data"]["baseData"] for each in of_type("RemoteDependencyData", envelopes)]
    failed = [each for each in spans if not each["success"]]
    assert [each["properties"]["error_type"] for each in failed] == ["ValueError"]
    assert of_type("ExceptionData", envelopes) == []


def test_nothing_is_lost_or_sampled_in_a_burst(emulator: EmulatorProcess) -> None:
    envelopes = envelopes_of(emulator, "burst")

    assert len(of_type("RemoteDependencyData", envelopes)) == BURST_SPANS
    assert len(of_type("EventData", envelopes)) == BURST_EVENTS


def test_sdks_and_platform_add_no_records_of_their_own(emulator: EmulatorProcess) -> None:
    envelopes = envelopes_of(emulator, "sign_in")

    assert [each["data"]["baseType"] for each in envelopes] == ["RemoteDependencyData"]


@pytest.mark.parametrize("scene", ["story", "sign_in"])
def test_no_host_but_the_configured_one_is_asked(emulator: EmulatorProcess, scene: str) -> None:
    named = {name: value for name, value in emulator.env.items() if "DISABLED" not in name}

    told = speak(scene, env=named | {"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "azure_functions"})

    assert told["strangers"] == []
    assert emulator.telemetry() != []


def test_providers_that_are_there_already_are_not_configured_again(
    emulator: EmulatorProcess,
) -> None:
    envelopes = envelopes_of(emulator, "story", "--installed")

    sent = [*of_type("EventData", envelopes), *of_type("MessageData", envelopes)]
    ours = [each for each in sent if "run_id" in each["data"]["baseData"]["properties"]]
    assert len(ours) == 3
    assert {each["tags"]["ai.operation.name"] for each in ours} == {OPERATION}
    assert len(of_type("RemoteDependencyData", envelopes)) == 3


def test_without_a_connection_string_nothing_is_sent_and_nothing_is_loaded() -> None:
    told = speak("story", env={})

    assert told["kind"] == "NullTelemetry"
    assert told["threads"] <= 3
    assert LOG_MESSAGE in told["log"]


def test_a_broken_connection_string_is_said_and_does_no_harm() -> None:
    told = speak("story", env={"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=none"})

    assert told["kind"] == "NullTelemetry"
    assert "APPLICATIONINSIGHTS_CONNECTION_STRING is not usable" in told["log"]


def test_application_insights_being_away_costs_no_time(emulator: EmulatorProcess) -> None:
    away = {**emulator.env, "APPLICATIONINSIGHTS_CONNECTION_STRING": NOBODY_LISTENS}

    told = speak("outage", env=away)

    # Who waited for an end of the outage would use up the five seconds.
    assert told["flush_seconds"] < 4
    assert told["exit_seconds"] < 30


def test_application_insights_that_hangs_holds_a_run_for_five_seconds_at_most(
    emulator: EmulatorProcess,
) -> None:
    emulator.fault("/track$", times=None, hang_seconds=120)
    started = time.monotonic()

    told = speak("outage", env=emulator.env, seconds=90)

    # Of two flushes, the second waits no more; a busy machine is allowed some seconds.
    assert told["flush_seconds"] < 8
    assert time.monotonic() - started < 60


def test_a_refused_batch_is_sent_again_and_arrives_once(emulator: EmulatorProcess) -> None:
    emulator.fault("/track$", times=2, status=503)

    envelopes = envelopes_of(emulator, "story")

    assert Counter(each["data"]["baseType"] for each in envelopes)["EventData"] == 2


def test_no_file_is_kept_for_later(emulator: EmulatorProcess, tmp_path: Any) -> None:
    emulator.fault("/track$", times=None, status=429)

    speak("outage", env={**emulator.env, "TMPDIR": str(tmp_path)})

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [400, 402, 403, 413, 439, 500, 503])
def test_who_flushes_learns_that_events_were_refused(
    emulator: EmulatorProcess, status: int
) -> None:
    emulator.fault("/track$", times=None, status=status)

    told = speak("taken", env=emulator.env)

    assert "taken: False, heard: False" in told["log"]


def test_who_flushes_learns_that_nobody_listened(emulator: EmulatorProcess) -> None:
    away = {**emulator.env, "APPLICATIONINSIGHTS_CONNECTION_STRING": NOBODY_LISTENS}

    told = speak("taken", env=away)

    assert "taken: False, heard: False" in told["log"]


@pytest.mark.parametrize("refusals", [0, 2])
def test_who_flushes_learns_that_events_were_taken_be_it_at_the_third_try(
    emulator: EmulatorProcess, refusals: int
) -> None:
    if refusals:
        emulator.fault("/track$", times=refusals, status=503)

    told = speak("taken", env=emulator.env)

    assert "taken: True, heard: True" in told["log"]


def test_a_batch_that_was_lost_before_the_flush_is_remembered(emulator: EmulatorProcess) -> None:
    emulator.fault("/track$", times=None, status=400)

    told = speak("refused_in_between", env=emulator.env)

    assert "taken: False" in told["log"]
