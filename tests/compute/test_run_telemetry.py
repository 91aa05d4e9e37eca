"""What operators are told about a run: events in order, spans, metrics, all under one run id."""

import logging

import pytest

from shared.compute.order import RunOrder
from shared.errors import AzureRequestError
from shared.metrics import Metric
from shared.telemetry import Event
from tests.support.builders import a_workspace, an_instance
from tests.support.night import a_machine, an_estate, spend

ADA = an_estate(a_machine("ci-ada"))


def test_an_instance_is_decided_asked_and_ends_in_that_order() -> None:
    night = spend(ADA)

    assert [event.name for event in night.telemetry.events] == [
        Event.COMPUTE_RUN_STARTED,
        Event.COMPUTE_INSTANCE_DECIDED,
        Event.COMPUTE_INSTANCE_STOP_REQUESTED,
        Event.COMPUTE_INSTANCE_OUTCOME,
        Event.COMPUTE_RUN_FINISHED,
    ]


def test_everything_that_is_told_carries_the_run_id() -> None:
    night = spend(an_estate(a_machine("ci-ada"), mlw_locked={"forbidden": True, "computes": []}))

    told = [*night.telemetry.events, *night.telemetry.spans, *night.telemetry.measures]
    assert {each.properties.get("run_id") for each in told} == {night.report.run_id}


def test_an_instance_left_alone_is_told_with_its_reason() -> None:
    night = spend(an_estate(a_machine("ci-job", state="JobRunning"), a_machine("ci-ada")))

    told = night.telemetry.named(Event.COMPUTE_INSTANCE_DECIDED)
    (decided,) = [each for each in told if each["instance"] == "ci-job"]
    assert (decided["decision"], decided["reason"]) == ("leave", "job_running")
    assert decided["reason_text"] == "It is running a job."


def test_a_tick_with_nothing_to_do_leaves_only_a_metric() -> None:
    night = spend(an_estate(a_machine("ci-job", state="JobRunning")))

    assert night.telemetry.events == []
    assert [each.name for each in night.telemetry.measures] == [Metric.COMPUTE_RUN_SECONDS]


def test_an_outcome_says_what_was_seen_when_and_what_it_costs() -> None:
    (told,) = spend(ADA).telemetry.named(Event.COMPUTE_INSTANCE_OUTCOME)

    assert told["instance_id"] == an_instance().id
    assert (told["state_before"], told["state_after"], told["outcome"]) == (
        "Running",
        "Stopped",
        "stopped",
    )
    assert (told["seconds"], told["seen_at"]) == (30, "2026-11-20T22:00:30.000000Z")
    assert (told["price_per_hour"], told["currency"]) == (0.5, "USD")


def test_an_instance_that_changes_its_state_is_decided_twice() -> None:
    night = spend(an_estate(a_machine("ci-ada", state="Starting")))

    decided = night.telemetry.named(Event.COMPUTE_INSTANCE_DECIDED)
    assert [each["decision"] for each in decided] == ["recheck", "stop"]


def test_a_run_that_finished_tells_its_counts_and_savings() -> None:
    (told,) = spend(ADA).telemetry.named(Event.COMPUTE_RUN_FINISHED)

    assert (told["result"], told["seen"], told["stopped"]) == ("succeeded", 1, 1)
    assert (told["saved_per_hour"], told["currency"], told["seconds"]) == (0.5, "USD", 30)
    assert "error" not in told


def test_a_scope_that_could_not_be_read_is_told_with_status_and_code() -> None:
    estate = an_estate(a_machine("ci-ada"), mlw_locked={"forbidden": True, "computes": []})

    (told,) = spend(estate).telemetry.named(Event.COMPUTE_WORKSPACE_UNREADABLE)

    assert told["scope_id"] == a_workspace("mlw-locked").id
    assert (told["status"], told["error_code"]) == (403, "AuthorizationFailed")


def test_a_run_that_failed_is_told_once_with_its_error() -> None:
    away = AzureRequestError("GET /subscriptions: 503", status=503, retryable=True)
    night = spend(ADA, prepare=lambda azure: azure.failures.update({"/subscriptions": away}))

    (told,) = night.telemetry.named(Event.COMPUTE_RUN_FINISHED)

    assert told["result"] == "failed"
    assert "GET /subscriptions: 503" in str(told["error"])


def test_metrics_add_up_what_was_seen_stopped_and_not() -> None:
    estate = an_estate(a_machine("ci-ada"), a_machine("ci-full", disk_full=True))

    telemetry = spend(estate).telemetry

    assert telemetry.total(Metric.COMPUTE_INSTANCES_SEEN) == 2
    assert telemetry.total(Metric.COMPUTE_INSTANCES_STOPPED) == 1
    assert telemetry.total(Metric.COMPUTE_INSTANCES_FAILED) == 1
    assert telemetry.total(Metric.COMPUTE_SAVING_HOURLY) == 0.5
    assert telemetry.total(Metric.COMPUTE_RUN_SECONDS) == 30


def test_a_dry_run_adds_nothing_to_what_was_stopped_and_saved() -> None:
    telemetry = spend(ADA, RunOrder(dry_run=True)).telemetry

    assert telemetry.total(Metric.COMPUTE_INSTANCES_STOPPED) == 0
    assert telemetry.total(Metric.COMPUTE_SAVING_HOURLY) == 0


def test_run_workspace_and_stop_have_a_span_each() -> None:
    spans = [span.name for span in spend(ADA).telemetry.spans]

    assert sorted(spans) == ["compute.run", "compute.stop", "compute.workspace"]


@pytest.mark.parametrize(
    ("behaviour", "level"), [({}, logging.INFO), ({"disk_full": True}, logging.ERROR)]
)
def test_the_last_line_of_a_run_is_as_loud_as_its_result(
    behaviour: dict[str, bool], level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    night = spend(an_estate({"name": "ci-ada", "behaviour": behaviour}))

    assert caplog.records[-1].levelno == level
    assert caplog.records[-1].getMessage() == night.report.summary


def test_no_signed_address_of_an_operation_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    night = spend(an_estate(a_machine("ci-ada", stop_fails=True), a_machine("ci-eve")))

    told = f"{night.report!r} {night.telemetry.events!r} {night.telemetry.spans!r} {caplog.text}"
    assert "ci-eve" in told
    assert "signature" not in told
