"""What the local host makes of an app is what the official engine makes of it."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local_host.broken_apps import BROKEN_APPS, write_app
from tests.support.engine import Call, run_engine
from tests.support.local_host import MASTER_KEY, LocalHost

SAMPLE_APP = Path(__file__).resolve().parents[1] / "local_host" / "sample_app"
SETTINGS = {"SAMPLE_SCHEDULE": "0 0 0 29 2 *"}
# Of the rest Azure's worker never answers (cancels, hangs, blocks) or does not survive (exits).
TIMERS = ("tick", "fails", "answers", "dozes")

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 13),
    reason="azure-functions-runtime, the engine that Azure runs, needs Python 3.13",
)


@pytest.fixture(scope="module")
def engine() -> dict[str, Any]:
    calls = [Call(function=name, past_due=True) for name in TIMERS]
    greeting = Call(
        function="greet",
        method="POST",
        query={"a": "1"},
        route_params={"name": "Ada"},
        headers={"x-greeting": "hi"},
        body="hello",
    )
    others = [Call(function=name) for name in ("public", "broken", "mapping", "cookies")]
    env = {"PATH": os.environ["PATH"], **SETTINGS}
    return run_engine(SAMPLE_APP, *calls, greeting, *others, env=env)


@pytest.fixture(scope="module")
def host() -> Iterator[LocalHost]:
    with LocalHost(app_root=SAMPLE_APP, env=SETTINGS) as running:
        yield running


def test_both_find_the_same_functions(engine: dict[str, Any], host: LocalHost) -> None:
    indexed = {each["name"]: each["bindings"][0]["type"] for each in engine["functions"]}
    listed = {each["name"]: each["trigger"] for each in host.functions().values()}

    assert engine["worker"]["error"] is None
    assert indexed == listed


@pytest.mark.parametrize("timer", TIMERS)
def test_a_timer_ends_the_same_way(engine: dict[str, Any], host: LocalHost, timer: str) -> None:
    expected = _invocation(engine, timer)

    status = host.fire_timer(timer, past_due=True)

    assert (status["status"] == "succeeded") == expected["succeeded"]
    if timer == "fails":
        assert status["error"] == expected["error"] == "ValueError: boom, past due: True"


def test_a_handler_gets_the_same_request(engine: dict[str, Any], host: LocalHost) -> None:
    expected = _http(engine, "greet")

    answer = host.post("/v1/greetings/Ada?a=1", headers={"X-Greeting": "hi"}, body="hello")

    assert (answer.status, answer.headers["content-type"]) == (
        expected["status"],
        expected["headers"]["content-type"],
    )
    alike = ("method", "params", "route_params", "greeting", "body", "function_name")
    seen, wanted = answer.json(), json.loads(expected["body"])
    assert {name: seen[name] for name in alike} == {name: wanted[name] for name in alike}


def test_a_string_is_an_answer(engine: dict[str, Any], host: LocalHost) -> None:
    assert host.get("/v1/public").body.decode() == _http(engine, "public")["body"]


def test_the_default_content_type_is_the_same(engine: dict[str, Any], host: LocalHost) -> None:
    expected = _http(engine, "cookies")["headers"]["content-type"]

    assert host.get("/v1/cookies").headers["content-type"] == expected


@pytest.mark.parametrize("function", ["broken", "mapping"])
def test_an_http_function_fails_in_both(
    engine: dict[str, Any], host: LocalHost, function: str
) -> None:
    assert not _invocation(engine, function)["succeeded"]
    assert host.get(f"/v1/{function}", key=MASTER_KEY).status == 500


@pytest.mark.parametrize("app", [each[0] for each in BROKEN_APPS.values()], ids=BROKEN_APPS.keys())
def test_the_engine_indexes_no_function_of_an_app_that(tmp_path: Path, app: str) -> None:
    write_app(tmp_path, app)

    result = run_engine(tmp_path, env={"PATH": os.environ["PATH"]})

    assert not result["worker"]["succeeded"]
    assert result["functions"] == []


def _invocation(engine: dict[str, Any], function: str) -> dict[str, Any]:
    found: dict[str, Any] = next(e for e in engine["invocations"] if e["function"] == function)
    return found


def _http(engine: dict[str, Any], function: str) -> dict[str, Any]:
    http: dict[str, Any] = _invocation(engine, function)["http"]
    return http
