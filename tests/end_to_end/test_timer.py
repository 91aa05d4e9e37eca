"""The nightly tick stops machines, whether the host fires it on time or late."""

import pytest

from tests.end_to_end.estate import a_workspace, an_estate, an_instance
from tests.end_to_end.observed import events, states, stop_requests
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

RUNNING = ("ci-ada", "ci-bob")
PAST_DUE = pytest.mark.parametrize("past_due", [False, True], ids=["on time", "past due"])


@PAST_DUE
def test_a_tick_stops_what_runs(
    emulator: EmulatorProcess,
    host: LocalHost,
    past_due: bool,  # noqa: FBT001  # a case
) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", *map(an_instance, RUNNING))))

    status = host.fire_timer("shutdown_timer", past_due=past_due)

    assert (status["status"], status["error"]) == ("succeeded", None)
    assert states(emulator) == dict.fromkeys(RUNNING, "Stopped")
    assert sorted(stop_requests(emulator)) == list(RUNNING)


@PAST_DUE
def test_the_runs_event_says_whether_the_tick_was_past_due(
    emulator: EmulatorProcess,
    host: LocalHost,
    past_due: bool,  # noqa: FBT001  # a case
) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", an_instance("ci-ada"))))

    host.fire_timer("shutdown_timer", past_due=past_due)

    said = [event["past_due"] for event in events(emulator, "compute.run.started")]
    assert said == [str(past_due).lower()]


def test_a_second_tick_finds_nothing_left_to_do(emulator: EmulatorProcess, host: LocalHost) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", *map(an_instance, RUNNING))))
    host.fire_timer("shutdown_timer")

    status = host.fire_timer("shutdown_timer")

    assert status["status"] == "succeeded"
    assert len(stop_requests(emulator)) == len(RUNNING)


def test_the_default_estates_night_succeeds_and_spares_what_is_tagged_or_works(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    status = host.fire_timer("shutdown_timer")

    left_on = {name for name, state in states(emulator).items() if state != "Stopped"}
    assert status["status"] == "succeeded"
    assert {"ci-nightly-report", "ci-elasticity"} <= left_on
    assert not {"ci-ada", "ci-bob-gpu", "ci-emil", "ci-goran", "ci-hana"} & left_on
