"""Runs are remembered: what stopped machines is in the history, what did nothing is not."""

import time
from typing import Any

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.conftest import StartHost
from tests.end_to_end.estate import a_workspace, an_estate, an_instance
from tests.end_to_end.history import History
from tests.end_to_end.observed import (
    event_names,
    events,
    instances,
    metrics,
    outcomes,
    states,
    stop_requests,
    untrue,
)
from tests.support.azurite import without
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

RUNNING = ("ci-ada", "ci-bob")
ESTATE = an_estate(
    a_workspace("mlw-churn", *map(an_instance, RUNNING), an_instance("ci-off", state="Stopped")),
    a_workspace("mlw-pricing", an_instance("ci-full-disk", disk_full=True)),
)
AT_REST = an_estate(a_workspace("mlw-churn", an_instance("ci-off", state="Stopped")))
# Each part of the record is given up after some 3 s, and the stops take half a second.
BOUND_SECONDS = 30.0


def test_a_nights_report_is_remembered_as_azure_saw_the_night(
    emulator: EmulatorProcess, remembering_host: LocalHost
) -> None:
    emulator.seed(ESTATE)
    history = History.from_now(remembering_host)

    status = remembering_host.fire_timer("shutdown_timer")

    report = history.only_report()
    assert status["status"] == "failed"
    assert untrue(report, emulator) == []
    assert {name: each["state_after"] for name, each in instances(report).items()} == states(
        emulator
    )
    assert outcomes(report) == {
        **dict.fromkeys(RUNNING, "stopped"),
        "ci-off": "left",
        "ci-full-disk": "refused",
    }
    assert sorted(stop_requests(emulator)) == [*RUNNING, "ci-full-disk"]


def test_a_night_is_listed_with_its_result_and_its_counts(
    emulator: EmulatorProcess, remembering_host: LocalHost
) -> None:
    emulator.seed(ESTATE)
    history = History.from_now(remembering_host)

    remembering_host.fire_timer("shutdown_timer")

    (run,) = history.runs()
    (finished,) = events(emulator, "compute.run.finished")
    report = history.report(run["run_id"])
    assert (run["trigger"], run["dry_run"], run["result"]) == ("timer", False, "partial")
    assert (run["counts"], run["ended_at"]) == (report["counts"], report["ended_at"])
    assert (run["counts"]["stopped"], run["counts"]["failed"]) == (2, 1)
    assert finished["run_id"] == run["run_id"]


def test_a_tick_with_nothing_to_do_leaves_no_run_and_only_a_metric(
    emulator: EmulatorProcess, remembering_host: LocalHost
) -> None:
    emulator.seed(AT_REST)
    history = History.from_now(remembering_host)

    status = remembering_host.fire_timer("shutdown_timer")

    told = {name for name in metrics(emulator) if name.startswith("compute.")}
    assert status["status"] == "succeeded"
    assert history.runs() == []
    assert event_names(emulator) == []
    assert told == {"compute.run.seconds"}


def test_a_shutdown_over_http_is_remembered_as_it_was_answered(
    emulator: EmulatorProcess, remembering_host: LocalHost
) -> None:
    emulator.seed(ESTATE)
    history = History.from_now(remembering_host)

    answered = remembering_host.post("/api/compute/shutdown", body={"reason": "flood"}).json()

    (run,) = history.runs()
    assert (run["run_id"], run["trigger"], run["reason"]) == (answered["run_id"], "http", "flood")
    assert history.report(run["run_id"]) == answered


def test_a_shutdown_that_finds_nothing_to_do_is_remembered_too(
    emulator: EmulatorProcess, remembering_host: LocalHost
) -> None:
    emulator.seed(AT_REST)
    history = History.from_now(remembering_host)

    answered = remembering_host.post("/api/compute/shutdown").json()

    assert history.only_report("http") == answered


UNRECORDED: dict[str, tuple[str, str, dict[str, Any] | None, int]] = {
    "a plan": ("GET", "plan", None, 200),
    "a dry run": ("POST", "shutdown", {"dry_run": True}, 200),
    "a shutdown of what is not there": ("POST", "shutdown", {"instances": ["ci-gone"]}, 404),
}


@pytest.mark.parametrize(
    ("method", "action", "body", "status"), UNRECORDED.values(), ids=UNRECORDED.keys()
)
def test_no_run_is_remembered_of(  # noqa: PLR0913  # a case and two fixtures
    emulator: EmulatorProcess,
    remembering_host: LocalHost,
    *,
    method: str,
    action: str,
    body: dict[str, Any] | None,
    status: int,
) -> None:
    emulator.seed(ESTATE)
    history = History.from_now(remembering_host)

    answer = remembering_host.request(method, f"/api/compute/{action}", body=body)

    assert (answer.status, history.runs()) == (status, [])


def test_without_tables_the_night_stops_everything_and_says_that_history_is_lost(
    emulator: EmulatorProcess, azurite: Azurite, start_host: StartHost
) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", *map(an_instance, RUNNING))))
    host = start_host(
        emulator,
        AzureWebJobsStorage=without(azurite, "Table"),
        RUN_DEADLINE_SECONDS=f"{BOUND_SECONDS:g}",
    )

    began = time.monotonic()
    status = host.fire_timer("shutdown_timer")
    seconds = time.monotonic() - began

    lost = [event["operation"] for event in events(emulator, "history.lost")]
    assert (status["status"], status["error"]) == ("succeeded", None)
    assert states(emulator) == dict.fromkeys(RUNNING, "Stopped")
    assert sorted(stop_requests(emulator)) == list(RUNNING)
    assert "history" in lost
    assert len(lost) == len(set(lost))
    assert seconds < BOUND_SECONDS
