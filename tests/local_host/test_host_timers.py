"""Timers, manual starts and the record of invocations."""

import re
from pathlib import Path

import pytest

from tests.support.local_host import MASTER_KEY, LocalHost, poll


def test_a_timer_is_due_on_its_schedule_and_never_past_due_then(
    sample_app: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "settings.env"
    settings.write_text("SAMPLE_SCHEDULE=* * * * * *\n", encoding="utf-8")

    with LocalHost(app_root=sample_app, env_files=[settings]) as host:
        logs = poll(
            lambda: host.stderr if host.stderr.count("sample tick") > 1 else None,
            seconds=20,
            what="two ticks",
        )

    assert "tick, past due: False" in logs
    assert "tick, past due: True" not in logs


@pytest.mark.parametrize("past_due", [False, True], ids=["on time", "past due"])
def test_a_timer_fired_by_hand_is(host: LocalHost, past_due: bool) -> None:  # noqa: FBT001  # a case
    status = host.fire_timer("tick", past_due=past_due)

    assert status["function"] == "tick"
    assert (status["status"], status["error"]) == ("succeeded", None)
    assert f"tick, past due: {past_due}" in host.stderr
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", status["started_at"])
    assert status["started_at"] <= status["ended_at"]


@pytest.mark.parametrize(
    ("timer", "error"),
    [
        ("fails", "ValueError: boom, past due: False"),
        ("lost", "'%SAMPLE_MISSING_SCHEDULE%' does not resolve to a value"),
        ("misspelt", "'every night' was not recognized as a valid cron expression"),
        ("answers", "a non-None value"),
        ("cancels", "CancelledError"),
        ("exits", "SystemExit: past due: False"),
        ("hangs", "Timeout value of 0:00:02 exceeded"),
        ("consume", "connection string 'AzureWebJobsStorage' does not exist"),
    ],
    ids=[
        "its handler raises",
        "its schedule names a missing setting",
        "its schedule is none",
        "its handler returns something",
        "its handler raises CancelledError",
        "its handler exits",
        "its handler outlives the function timeout",
        "its trigger needs storage",
    ],
)
def test_an_invocation_fails_when(host: LocalHost, timer: str, error: str) -> None:
    status = host.fire_timer(timer)

    assert status["status"] == "failed"
    assert error in status["error"]
    # One function's end is not the host's.
    assert host.fire_timer("tick")["status"] == "succeeded"


def test_a_timed_out_handler_is_cancelled(host: LocalHost) -> None:
    host.fire_timer("hangs", past_due=True)

    found = poll(
        lambda: "hangs cleans up, past due: True" in host.stderr or None,
        seconds=20,
        what="the handler's clean-up",
    )
    assert found


def test_runs_of_one_timer_do_not_overlap(host: LocalHost) -> None:
    first, second = (host.start_function("dozes") for _ in range(2))

    ends = [host.wait_for(each)["ended_at"] for each in (first, second)]

    assert ends[0] < ends[1]
    assert host.invocation(second)["status"] == "succeeded"


def test_the_list_of_functions_names_triggers_and_errors(host: LocalHost) -> None:
    functions = host.functions()

    assert functions["greet"] == {
        "name": "greet",
        "trigger": "httpTrigger",
        "route": "/v1/greetings/{name?}",
        "methods": ["GET", "POST"],
        "error": None,
    }
    assert functions["tick"]["schedule"] == "0 0 0 29 2 *"
    assert functions["tick"]["trigger"] == "timerTrigger"
    assert functions["lost"]["error"] == "'%SAMPLE_MISSING_SCHEDULE%' does not resolve to a value"
    assert functions["lost"]["schedule"] == "%SAMPLE_MISSING_SCHEDULE%"
    assert "'AzureWebJobsStorage' does not exist" in functions["consume"]["error"]
    assert functions["consume"]["queueName"] == "work"


def test_errors_of_functions_are_printed_at_the_start(host: LocalHost) -> None:
    assert "lost: timerTrigger in error: '%SAMPLE_MISSING_SCHEDULE%'" in host.stdout
    assert f"tick: timerTrigger {'0 0 0 29 2 *'}" in host.stdout


def test_an_http_function_may_be_started_by_hand(host: LocalHost) -> None:
    assert host.wait_for(host.start_function("greet", "hello"))["status"] == "succeeded"


def test_the_admin_routes_ask_for_the_master_key(host: LocalHost) -> None:
    listing = [host.get("/admin/functions", key=key).status for key in (None, "test-function-key")]
    starting = host.post("/admin/functions/tick", body={"input": ""})

    assert [*listing, starting.status] == [401, 401, 401]


@pytest.mark.parametrize(
    "body", ["", "no json", "[]", '{"input": 1}'], ids=["nothing", "text", "a list", "a number"]
)
def test_a_manual_start_is_refused_with(host: LocalHost, body: str) -> None:
    answer = host.post("/admin/functions/tick", key=MASTER_KEY, body=body)

    assert answer.status == 400


def test_unknown_functions_and_invocations_are_not_found(host: LocalHost) -> None:
    assert host.post("/admin/functions/nobody", key=MASTER_KEY, body={"input": ""}).status == 404
    assert host.get("/_local/invocations/none").status == 404


def test_a_function_is_found_whatever_the_case_of_its_name(host: LocalHost) -> None:
    assert host.fire_timer("TICK")["function"] == "tick"
