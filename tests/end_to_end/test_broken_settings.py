"""Settings that are missing or broken: all told at once, by every function, to the log only."""

from collections.abc import Iterator

import pytest

from tests.support.emulator import ONLY_WHEN_FIRED
from tests.support.local_host import LocalHost

BROKEN = {
    **ONLY_WHEN_FIRED,
    "POLL_SECONDS": "soon",
    "AZURE_CLOUD": "AzureMoon",
    "ARM_BUCKETS": "plenty",
    "RUN_DEADLINE_SECONDS": "0",
}
NAMED = {"KEY_VAULT_URL", "POLL_SECONDS", "AZURE_CLOUD", "ARM_BUCKETS", "RUN_DEADLINE_SECONDS"}
FUNCTIONS = {"shutdown_timer", "shutdown_plan", "shutdown_now"}
QUEUE_FUNCTIONS = {
    "shutdown_queue",
    "shutdown_queue_poison",
    "scoring_queue",
    "scoring_queue_poison",
}
ROUTES = [("GET", "/api/compute/plan"), ("POST", "/api/compute/shutdown")]


@pytest.fixture(scope="module")
def broken_host() -> Iterator[LocalHost]:
    with LocalHost(env=BROKEN) as running:
        yield running


def test_the_timer_fails_with_all_of_them(broken_host: LocalHost) -> None:
    status = broken_host.fire_timer("shutdown_timer")

    assert status["status"] == "failed"
    assert status["error"].startswith("SettingsError: ")
    assert {name for name in NAMED if name in status["error"]} == NAMED


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_answer_is_500_and_the_list_stands_in_the_log(
    broken_host: LocalHost, method: str, path: str
) -> None:
    before = len(broken_host.stderr)

    answer = broken_host.request(method, path)

    body, log = answer.body.decode(), broken_host.stderr[before:]
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert not [name for name in NAMED if name in body]
    assert {name for name in NAMED if name in log} == NAMED


def test_no_value_of_a_setting_is_told(broken_host: LocalHost) -> None:
    broken_host.post("/api/compute/shutdown")

    assert not [word for word in ("soon", "AzureMoon", "plenty") if word in broken_host.stderr]


def test_the_functions_are_indexed_all_the_same(broken_host: LocalHost) -> None:
    functions = broken_host.functions()

    assert set(functions) >= FUNCTIONS
    errors = {each["error"] for name, each in functions.items() if name not in QUEUE_FUNCTIONS}
    assert errors == {None}


def test_a_schedule_without_its_setting_is_an_error_of_that_function_only() -> None:
    with LocalHost(env=ONLY_WHEN_FIRED | {"SHUTDOWN_SCHEDULE": ""}) as host:
        errors = _errors(host)
        fired = host.fire_timer("shutdown_timer")
        answer = host.get("/api/compute/plan")

    assert "%SHUTDOWN_SCHEDULE%" in str(errors.pop("shutdown_timer"))
    assert set(errors.values()) == {None}
    assert (fired["status"], answer.status) == ("failed", 500)
    assert "%SHUTDOWN_SCHEDULE%" in fired["error"]


def test_a_schedule_that_is_none_is_an_error_of_that_function_only() -> None:
    with LocalHost(env=ONLY_WHEN_FIRED | {"SHUTDOWN_SCHEDULE": "at ten"}) as host:
        errors = _errors(host)

    assert errors.pop("shutdown_timer")
    assert set(errors.values()) == {None}


def _errors(host: LocalHost) -> dict[str, str | None]:
    """What each function lacks; without storage, the queues' functions lack that."""
    functions = host.functions().items()
    return {name: each["error"] for name, each in functions if name not in QUEUE_FUNCTIONS}
