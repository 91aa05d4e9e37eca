"""One failure spares the rest, and nothing that failed looks green."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.end_to_end.estate import a_workspace, an_estate, an_instance, workspace_id
from tests.end_to_end.observed import Snapshot, events, instances, states, untrue
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost
from tests.support.wire import Reply

HEALTHY = ("ci-ada", "ci-bob", "ci-hana")
LOCKED = workspace_id("mlw-locked")
TROUBLED = an_estate(
    a_workspace(
        "mlw-churn",
        an_instance("ci-ada"),
        an_instance("ci-full-disk", disk_full=True),
        an_instance("ci-stop-fails", stop_fails=True),
        an_instance("ci-bob"),
        an_instance("ci-never-stops", never_stops=True),
        an_instance("ci-started-again", starts_again_after=1, started_by="User"),
    ),
    a_workspace("mlw-locked", an_instance("ci-hidden"), forbidden=True),
    a_workspace("mlw-genomics", an_instance("ci-hana")),
)
# What is named, how it ended, and words of the reason.
FOUR = {
    "ci-full-disk": ("refused", "disk is full"),
    "ci-stop-fails": ("stop_failed", "could not be deallocated"),
    "ci-never-stops": ("still_stopping", "not stopped at the deadline"),
    "ci-started-again": ("started_again", "Start by User at"),
}


@dataclass(frozen=True, kw_only=True)
class Night:
    """The answer to a shutdown of the troubled estate, and what Azure saw of it."""

    answer: Reply
    azure: Snapshot

    @property
    def report(self) -> dict[str, Any]:
        parsed: dict[str, Any] = self.answer.json()
        return parsed


@pytest.fixture(scope="module")
def night(emulator_process: EmulatorProcess, host_process: LocalHost) -> Night:
    emulator_process.reset()
    emulator_process.seed(TROUBLED)
    answer = host_process.post("/api/compute/shutdown", body={"deadline_seconds": 10})
    return Night(answer=answer, azure=Snapshot.of(emulator_process))


def test_a_shutdown_over_http_names_the_five_and_stops_all_others(night: Night) -> None:
    report, seen = night.report, states(night.azure)

    assert (night.answer.status, report["result"]) == (207, "partial")
    assert {name: seen[name] for name in HEALTHY} == dict.fromkeys(HEALTHY, "Stopped")
    assert _endings(report) == {name: outcome for name, (outcome, _) in FOUR.items()}
    assert all(words in instances(report)[name]["detail"] for name, (_, words) in FOUR.items())
    assert [each["id"] for each in report["workspaces"] if each["error"]] == [LOCKED]


def test_the_locked_workspace_is_named_with_azures_reason(night: Night) -> None:
    (locked,) = [each for each in night.report["workspaces"] if each["id"] == LOCKED]

    assert locked["result"] == "unreadable"
    assert "AuthorizationFailed" in locked["error"]
    assert "Microsoft.MachineLearningServices/workspaces/computes/read" in locked["error"]


def test_the_report_is_what_the_emulator_saw(night: Night) -> None:
    history = {name: _path(compute) for name, compute in night.azure.computes().items()}

    assert untrue(night.report, night.azure) == []
    assert history["ci-ada"] == ["Running", "Stopping", "Stopped"]
    assert history["ci-full-disk"] == ["Running"]
    assert history["ci-stop-fails"] == ["Running", "Stopping", "Running"]
    assert history["ci-never-stops"] == ["Running", "Stopping"]
    assert history["ci-started-again"][:4] == ["Running", "Stopping", "Stopped", "Starting"]
    assert history["ci-hidden"] == ["Running"]


def test_a_report_that_claims_too_much_would_be_found_out(night: Night) -> None:
    claimed = [{**each, "state_after": "Stopped"} for each in night.report["instances"]]

    found = untrue({"instances": claimed}, night.azure)

    # One that was started again was Stopped for a moment, perhaps that of the look.
    assert {each.split()[0] for each in found} | {"ci-started-again"} == FOUR.keys()


def test_the_counts_add_up(night: Night) -> None:
    counts = night.report["counts"]

    assert counts["seen"] == len(HEALTHY) + len(FOUR)
    assert (counts["stopped"], counts["left"]) == (len(HEALTHY), 0)
    assert (counts["failed"], counts["unresolved"]) == (2, 2)


def test_the_timers_invocation_fails_and_the_event_says_partial(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(TROUBLED)

    status = host.fire_timer("shutdown_timer")

    (finished,) = events(emulator, "compute.run.finished")
    assert status["status"] == "failed"
    assert "partial: 7 instances seen, 3 stopped" in status["error"]
    assert (finished["trigger"], finished["result"]) == ("timer", "partial")
    assert {name: states(emulator)[name] for name in HEALTHY} == dict.fromkeys(HEALTHY, "Stopped")


def test_the_events_name_the_five_with_their_reasons(night: Night) -> None:
    told = {event["instance"]: event for event in events(night.azure, "compute.instance.outcome")}
    (unreadable,) = events(night.azure, "compute.workspace.unreadable")

    assert {name: told[name]["outcome"] for name in FOUR} == _endings(night.report)
    assert all(words in told[name]["detail"] for name, (_, words) in FOUR.items())
    assert (unreadable["scope_id"], unreadable["status"]) == (LOCKED, "403")
    assert {event["run_id"] for event in told.values()} == {night.report["run_id"]}


def test_a_forbidden_estate_is_no_report_but_a_failure(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    locked = a_workspace("mlw-locked", an_instance("ci-hidden"), forbidden=True)
    emulator.seed(an_estate(locked))

    answer = host.post("/api/compute/shutdown")
    status = host.fire_timer("shutdown_timer")

    assert (answer.status, _type(answer)) == (502, "application/problem+json")
    assert LOCKED in answer.json()["detail"]
    assert [e["result"] for e in events(emulator, "compute.run.finished")] == ["failed"] * 2
    assert status["status"] == "failed"


def test_an_azure_that_is_away_is_503_with_the_run_id(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.fault("^/subscriptions", times=None, status=503)

    answer = host.post("/api/compute/shutdown", body={"deadline_seconds": 2})

    (finished,) = events(emulator, "compute.run.finished")
    assert (answer.status, _type(answer)) == (503, "application/problem+json")
    assert answer.json()["run_id"] == finished["run_id"]
    assert finished["result"] == "failed"


def _endings(report: Mapping[str, Any]) -> dict[str, str]:
    return {n: each["outcome"] for n, each in instances(report).items() if n not in HEALTHY}


def _path(compute: Mapping[str, Any]) -> list[str | None]:
    return [each["state"] for each in compute["history"]]


def _type(answer: Reply) -> str:
    return answer.headers["content-type"]
