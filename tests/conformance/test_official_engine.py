"""The engine that Azure runs indexes and invokes this app, against the emulator.

azure-functions-runtime is the library that Azure loads for v2-model apps on Python 3.13 and later.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulator import FAST, EmulatorProcess
from tests.support.engine import Call, run_engine

REPOSITORY = Path(__file__).resolve().parents[2]
FLEET = "subscriptions=2,workspaces=1,instances=4"
INSTANCES = 8
FUNCTIONS = {"shutdown_timer", "shutdown_plan", "shutdown_now"}

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 13),
    reason="azure-functions-runtime, the engine that Azure runs, needs Python 3.13",
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """As empty as an environment can be in which Python starts."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    """Eight instances in two subscriptions, more than a page each; all run and none is exempt."""
    with EmulatorProcess(options=(*FAST, "--fleet", FLEET)) as running:
        yield running


@pytest.fixture
def settings(environment: dict[str, str], emulator: EmulatorProcess) -> dict[str, str]:
    # The setting with which a deployed app runs on 3.13: logs leave by OpenTelemetry, once.
    chosen = {"POLL_SECONDS": "0.3", "PYTHON_ENABLE_OPENTELEMETRY": "true"}
    return environment | dict(emulator.env) | chosen


def test_the_engine_indexes_every_function_without_any_setting(environment: dict[str, str]) -> None:
    result = run_engine(REPOSITORY, env=environment)

    assert result["worker"]["error"] is None
    triggers = {each["name"]: each["bindings"][0] for each in result["functions"]}
    assert set(triggers) >= FUNCTIONS
    assert triggers["shutdown_queue"]["queueName"] == "compute-shares"
    assert triggers["shutdown_queue_poison"]["queueName"] == "compute-shares-poison"
    assert triggers["scoring_queue"]["queueName"] == "scoring-redeploy-steps"
    assert triggers["scoring_queue_poison"]["queueName"] == "scoring-redeploy-steps-poison"
    assert triggers["shutdown_timer"]["schedule"] == "%SHUTDOWN_SCHEDULE%"
    assert _route(triggers["shutdown_plan"]) == ("compute/plan", ["GET"], "FUNCTION")
    assert _route(triggers["shutdown_now"]) == ("compute/shutdown", ["POST"], "FUNCTION")


def test_broken_settings_fail_every_invocation_and_tell_the_log_only(
    environment: dict[str, str],
) -> None:
    calls = (Call(function="shutdown_timer"), Call(function="shutdown_plan"))

    timer, plan = run_engine(REPOSITORY, *calls, env=environment)["invocations"]

    assert not timer["succeeded"]
    assert "KEY_VAULT_URL" in timer["error"]
    assert plan["http"]["status"] == 500
    assert "KEY_VAULT_URL" not in plan["http"]["body"]


@pytest.mark.parametrize("past_due", [False, True], ids=["on time", "past due"])
def test_a_tick_stops_what_runs(
    emulator: EmulatorProcess,
    settings: dict[str, str],
    past_due: bool,  # noqa: FBT001  # a case
) -> None:
    call = Call(function="shutdown_timer", past_due=past_due)

    result = run_engine(REPOSITORY, call, env=settings)

    assert result["invocations"][0]["error"] is None
    assert _states(emulator) == ["Stopped"] * INSTANCES


def test_the_plan_is_answered_and_changes_nothing(
    emulator: EmulatorProcess, settings: dict[str, str]
) -> None:
    result = run_engine(REPOSITORY, Call(function="shutdown_plan"), env=settings)

    answer = result["invocations"][0]["http"]
    report = json.loads(answer["body"])
    assert answer["status"] == 200
    assert [each["outcome"] for each in report["instances"]] == ["planned"] * INSTANCES
    assert _states(emulator) == ["Running"] * INSTANCES


def test_a_shutdown_over_http_stops_what_runs(
    emulator: EmulatorProcess, settings: dict[str, str]
) -> None:
    call = Call(function="shutdown_now", method="POST", body='{"reason": "conformance"}')

    answer = run_engine(REPOSITORY, call, env=settings)["invocations"][0]["http"]

    assert answer["status"] == 200
    assert json.loads(answer["body"])["reason"] == "conformance"
    assert _states(emulator) == ["Stopped"] * INSTANCES


def test_a_bad_request_is_answered_by_the_app_itself(settings: dict[str, str]) -> None:
    call = Call(function="shutdown_now", method="POST", body="no json")

    answer = run_engine(REPOSITORY, call, env=settings)["invocations"][0]["http"]

    assert answer["status"] == 400
    assert answer["headers"]["content-type"] == "application/problem+json"


def test_one_copy_of_each_record_arrives_in_the_hosts_operation(
    emulator: EmulatorProcess, settings: dict[str, str]
) -> None:
    result = run_engine(REPOSITORY, Call(function="shutdown_timer"), env=settings)

    trace_id = result["invocations"][0]["trace_id"]
    finished = [each for each in _events(emulator) if each["name"] == "compute.run.finished"]
    assert [each["operation"] for each in finished] == [trace_id]


def _route(binding: Mapping[str, Any]) -> tuple[str, list[str], str]:
    return binding["route"], binding["methods"], binding["authLevel"]


def _states(emulator: EmulatorProcess) -> list[str]:
    """Return the state of every compute instance, as the emulator itself knows it."""
    return [each["state"] for each in emulator.state()["computes"]]


def _events(emulator: EmulatorProcess) -> list[dict[str, Any]]:
    """Return name and operation id of each custom event that arrived."""
    return [
        {"name": each["data"]["baseData"]["name"], "operation": each["tags"]["ai.operation.id"]}
        for each in emulator.telemetry()
        if each["data"]["baseType"] == "EventData"
    ]
