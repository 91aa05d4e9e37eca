"""This repository's app, served by the local host, against the emulator."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.emulator import FAST, EmulatorProcess
from tests.support.local_host import LocalHost

FLEET = "subscriptions=1,workspaces=1,instances=4"
ENDS = ("", "_poison")
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with EmulatorProcess(options=(*FAST, "--fleet", FLEET)) as running:
        yield running


@pytest.fixture(scope="module")
def host(emulator: EmulatorProcess) -> Iterator[LocalHost]:
    with LocalHost(env_files=[emulator.env_file], env={"POLL_SECONDS": "0.3"}) as running:
        yield running


@pytest.mark.parametrize("past_due", [False, True], ids=["on time", "past due"])
def test_a_tick_stops_what_runs(
    emulator: EmulatorProcess,
    host: LocalHost,
    past_due: bool,  # noqa: FBT001  # a case
) -> None:
    emulator.reset()

    status = host.fire_timer("shutdown_timer", past_due=past_due)

    assert (status["status"], status["error"]) == ("succeeded", None)
    assert [each["state"] for each in emulator.state()["computes"]] == ["Stopped"] * 4


def test_one_copy_of_each_event_arrives_in_the_callers_trace(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.reset()
    caller = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}

    answer = host.post("/api/compute/shutdown", headers=caller, body={"reason": "test"})

    finished = [each for each in _events(emulator) if each[0] == "compute.run.finished"]
    assert answer.status == 200
    assert finished == [("compute.run.finished", TRACE_ID, "shutdown_now")]


def test_the_apps_routes_ask_for_a_key(host: LocalHost) -> None:
    plan = host.get("/api/compute/plan", key=None)
    shutdown = host.post("/api/compute/shutdown", key="wrong", body={})

    assert [plan.status, shutdown.status] == [401, 401]


def test_no_function_of_the_app_is_in_error_but_for_the_storage_of_queues(host: LocalHost) -> None:
    errors = {name: each["error"] for name, each in host.functions().items()}
    queues = {name: errors.pop(name) for name in list(errors) if "_queue" in name}

    assert set(errors) >= {"shutdown_timer", "shutdown_plan", "shutdown_now"}
    assert set(errors.values()) == {None}
    assert set(queues) == {f"{name}_queue{end}" for name in ("shutdown", "scoring") for end in ENDS}
    assert all("AzureWebJobsStorage" in str(error) for error in queues.values())


def _events(emulator: EmulatorProcess) -> list[tuple[str, str, str]]:
    """Return name, operation id and operation name of each custom event that arrived."""
    envelopes: list[dict[str, Any]] = emulator.telemetry()
    return [
        (
            each["data"]["baseData"]["name"],
            each["tags"]["ai.operation.id"],
            each["tags"]["ai.operation.name"],
        )
        for each in envelopes
        if each["data"]["baseType"] == "EventData"
    ]
