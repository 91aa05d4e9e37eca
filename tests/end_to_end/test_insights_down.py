"""App Insights being down, or not configured, never harms a run."""

import time
from typing import Any

import pytest

from tests.end_to_end.conftest import StartHost
from tests.end_to_end.estate import a_workspace, an_estate, an_instance
from tests.end_to_end.observed import states
from tests.support.emulator import EmulatorProcess

ESTATE = an_estate(a_workspace("mlw-churn", an_instance("ci-ada"), an_instance("ci-bob")))
ALL_STOPPED = {"ci-ada": "Stopped", "ci-bob": "Stopped"}
# A flush is given up after 5 s, a run after six; a slow machine may take longer to get there. Who
# waited for a hanging request would take far longer.
BOUND_SECONDS = 30.0
HANGS_SECONDS = 120
DOWN: dict[str, dict[str, Any]] = {
    "answers 503": {"status": 503},
    "hangs": {"hang_seconds": HANGS_SECONDS},
}


@pytest.mark.parametrize("effect", DOWN.values(), ids=DOWN.keys())
def test_a_run_succeeds_in_bounded_time_while_ingestion(
    emulator: EmulatorProcess, start_host: StartHost, effect: dict[str, Any]
) -> None:
    emulator.seed(ESTATE)
    emulator.fault("/v2.1/track$", times=None, **effect)
    host = start_host(emulator)

    began = time.monotonic()
    status = host.fire_timer("shutdown_timer")
    seconds = time.monotonic() - began
    exit_status = host.stop(seconds=30)

    assert (status["status"], status["error"]) == ("succeeded", None)
    assert states(emulator) == ALL_STOPPED
    assert seconds < BOUND_SECONDS
    assert exit_status == 0


UNUSABLE = {
    "is not set": "",
    "is broken": "InstrumentationKey",
    "leads nowhere": "InstrumentationKey=6f1d2a80-93c4-4b7e-a5d8-0c3e7b914f26;"
    "IngestionEndpoint=https://127.0.0.1:9",
}


@pytest.mark.parametrize("connection_string", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_the_app_runs_the_same_when_the_connection_string(
    emulator: EmulatorProcess, start_host: StartHost, connection_string: str
) -> None:
    emulator.seed(ESTATE)
    host = start_host(emulator, APPLICATIONINSIGHTS_CONNECTION_STRING=connection_string)

    began = time.monotonic()
    answer = host.post("/api/compute/shutdown")
    seconds = time.monotonic() - began

    assert (answer.status, answer.json()["result"]) == (200, "succeeded")
    assert states(emulator) == ALL_STOPPED
    assert emulator.telemetry() == []
    assert seconds < BOUND_SECONDS
