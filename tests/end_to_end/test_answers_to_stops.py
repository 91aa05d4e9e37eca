"""However Azure answers a stop, it is asked once, and the outcome is what a list showed."""

from typing import Any

import pytest

from tests.conftest import StartEmulator
from tests.end_to_end.conftest import StartHost
from tests.end_to_end.estate import a_workspace, an_estate, an_instance
from tests.end_to_end.observed import (
    arm_requests,
    instances,
    outcomes,
    states,
    stop_requests,
    untrue,
)
from tests.support.emulator import FAST, EmulatorProcess
from tests.support.local_host import LocalHost

ESTATE = an_estate(
    a_workspace(
        "mlw-churn",
        an_instance("ci-ada"),
        an_instance("ci-stop-fails", stop_fails=True),
    ),
    a_workspace("mlw-pricing", an_instance("ci-dina")),
)
LIST_OF_CHURN = "/mlw-churn/computes$"
HANG_SECONDS = 2
# The app waits a second for an effect here; a slow machine looks at least this often meanwhile.
PATIENT_LOOKS = 2
# What happens to the first stop of ci-ada, and how often ci-ada is asked then.
CUTS: dict[str, tuple[dict[str, Any], int]] = {
    "is cut off after it had its effect": ({"cut": "after_effect"}, 1),
    "is cut off amid the answer": ({"cut": "mid_body"}, 1),
    "is cut off before it had an effect": ({"cut": "before_effect"}, 2),
    "is throttled": ({"status": 429, "headers": {"Retry-After": "1"}}, 2),
    "is turned away": ({"status": 503}, 2),
    "is answered 500": ({"status": 500}, 2),
    "is lost behind a gateway": ({"status": 502}, 2),
    "is given up by a gateway": ({"status": 504}, 2),
}


@pytest.mark.parametrize("style", ["recorded", "spec", "both"])
def test_a_night_ends_alike_when_stops_are_answered_as(
    start_emulator: StartEmulator, start_host: StartHost, style: str
) -> None:
    emulator = start_emulator(*FAST, "--stop-reply", style)
    emulator.seed(ESTATE)

    answer = start_host(emulator).post("/api/compute/shutdown")

    report = answer.json()
    assert answer.status == 207
    assert outcomes(report) == {
        "ci-ada": "stopped",
        "ci-dina": "stopped",
        "ci-stop-fails": "stop_failed",
    }
    assert "could not be deallocated" in instances(report)["ci-stop-fails"]["detail"]
    assert sorted(stop_requests(emulator)) == ["ci-ada", "ci-dina", "ci-stop-fails"]


def test_lists_that_lag_behind_cause_no_second_stop(
    start_emulator: StartEmulator, start_host: StartHost
) -> None:
    emulator = start_emulator(*FAST, "--list-lag-seconds", "1.5")
    emulator.seed(an_estate(a_workspace("mlw-churn", an_instance("ci-ada"))))

    answer = start_host(emulator, STOP_PATIENCE_SECONDS="1").post("/api/compute/shutdown")

    (ada,) = answer.json()["instances"]
    assert (answer.status, ada["outcome"]) == (200, "stopped")
    assert ada["seconds"] > 1
    assert stop_requests(emulator) == ["ci-ada"]


@pytest.mark.parametrize(("effect", "times"), CUTS.values(), ids=CUTS.keys())
def test_an_instance_is_stopped_once_when_the_request(
    emulator: EmulatorProcess, host: LocalHost, effect: dict[str, Any], times: int
) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", an_instance("ci-ada"), an_instance("ci-bob"))))
    emulator.fault("/ci-ada/stop$", method="POST", **effect)

    answer = host.post("/api/compute/shutdown")

    (fault,) = emulator.faults()
    ada = emulator.computes()["ci-ada"]
    assert fault["hits"] == 1
    assert (answer.status, outcomes(answer.json())) == (
        200,
        {"ci-ada": "stopped", "ci-bob": "stopped"},
    )
    assert sorted(stop_requests(emulator)) == ["ci-ada"] * times + ["ci-bob"]
    assert [each["state"] for each in ada["history"]] == ["Running", "Stopping", "Stopped"]
    assert ada["stop_requests"] == 1


def test_a_stop_that_a_gateway_turned_away_is_looked_for_before_it_is_sent_again(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", an_instance("ci-ada"))))
    emulator.fault("/ci-ada/stop$", method="POST", status=503, headers={"Retry-After": "0"})

    host.post("/api/compute/shutdown")

    requests = [each["path"].rpartition("/")[2] for each in arm_requests(emulator)]
    first, second = (at for at, each in enumerate(requests) if each == "stop")
    assert requests[first:second].count("computes") >= PATIENT_LOOKS


def test_a_stop_that_hangs_does_not_make_its_neighbours_seem_slow(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", an_instance("ci-ada"), an_instance("ci-bob"))))
    emulator.fault("/ci-ada/stop$", method="POST", hang_seconds=2 * HANG_SECONDS)

    answer = host.post("/api/compute/shutdown", body={"deadline_seconds": 60})

    found = instances(answer.json())
    assert (answer.status, outcomes(answer.json())) == (
        200,
        {"ci-ada": "stopped", "ci-bob": "stopped"},
    )
    assert found["ci-bob"]["seconds"] < 2 * HANG_SECONDS < found["ci-ada"]["seconds"]


def test_a_workspace_that_hangs_does_not_delay_the_others(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(
        an_estate(
            a_workspace("mlw-churn", an_instance("ci-ada")),
            a_workspace("mlw-pricing", an_instance("ci-dina")),
        )
    )
    emulator.fault(LIST_OF_CHURN, method="GET", hang_seconds=HANG_SECONDS)

    answer = host.post("/api/compute/shutdown")

    others = instances(answer.json())["ci-dina"]
    order = [
        each["path"].split("/")[-2] for each in arm_requests(emulator) if "stop" in each["path"]
    ]
    assert answer.status == 200
    assert order == ["ci-dina", "ci-ada"]
    assert others["seconds"] < HANG_SECONDS
    assert states(emulator) == {"ci-ada": "Stopped", "ci-dina": "Stopped"}


def test_a_workspace_that_hangs_to_the_end_spares_the_others(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(ESTATE)
    emulator.fault(LIST_OF_CHURN, method="GET", times=None, hang_seconds=60)

    answer = host.post("/api/compute/shutdown", body={"deadline_seconds": 2})

    report = answer.json()
    (unread,) = [each for each in report["workspaces"] if each["error"]]
    assert (answer.status, outcomes(report)) == (207, {"ci-dina": "stopped"})
    assert unread["id"].endswith("/mlw-churn")
    assert "no answer in time" in unread["error"]


@pytest.mark.parametrize(
    "effect",
    [{"status": 503}, {"malformed_json": True}, {"cut": "mid_body"}],
    ids=["answered 503", "half a document", "cut off"],
)
def test_a_look_that_fails_is_made_up_for_by_the_next(
    emulator: EmulatorProcess, host: LocalHost, effect: dict[str, Any]
) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", an_instance("ci-ada"))))
    emulator.fault(LIST_OF_CHURN, method="GET", skip=1, times=2, **effect)

    answer = host.post("/api/compute/shutdown")

    assert (answer.status, outcomes(answer.json())) == (200, {"ci-ada": "stopped"})
    assert untrue(answer.json(), emulator) == []
    assert stop_requests(emulator) == ["ci-ada"]
