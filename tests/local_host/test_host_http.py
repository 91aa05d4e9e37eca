"""HTTP functions behave as behind the Functions host."""

import re
from pathlib import Path

import pytest

from tests.support.local_host import MASTER_KEY, LocalHost


def test_a_function_sees_the_whole_request(host: LocalHost) -> None:
    answer = host.post(
        "/v1/greetings/Ada%20L?a=1&a=2&b=%26", headers={"X-Greeting": "hi"}, body="näme"
    )

    seen = answer.json()
    assert answer.status == 207
    assert answer.headers["content-type"] == "application/json"
    assert (seen["method"], seen["body"], seen["greeting"]) == ("POST", "näme", "hi")
    assert seen["params"] == {"a": "1,2", "b": "&"}
    assert seen["route_params"] == {"name": "Ada L"}
    assert seen["url"] == f"{host.url}/v1/greetings/Ada%20L?a=1&a=2&b=%26"
    assert seen["function_name"] == "greet"
    assert seen["invocation_id"] == answer.headers["x-ms-invocation-id"]


def test_each_invocation_has_a_trace_of_its_own(host: LocalHost) -> None:
    first, second = (host.get("/v1/greetings").json()["trace_parent"] for _ in range(2))

    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", first)
    assert first.split("-")[1] != second.split("-")[1]


def test_an_invocation_continues_the_trace_of_its_caller(host: LocalHost) -> None:
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

    answer = host.get("/v1/greetings", headers={"traceparent": f"00-{trace_id}-{span_id}-01"})

    _, seen_trace, seen_span, _ = answer.json()["trace_parent"].split("-")
    assert seen_trace == trace_id
    assert seen_span != span_id


@pytest.mark.parametrize("key", [None, "wrong", ""], ids=["no key", "a wrong key", "an empty key"])
def test_a_function_level_route_refuses(host: LocalHost, key: str | None) -> None:
    answer = host.get("/v1/greetings", key=key)

    assert (answer.status, answer.body) == (401, b"")


def test_the_function_key_may_come_as_code_or_header(host: LocalHost) -> None:
    by_code = host.get("/v1/greetings?code=test-function-key", key=None)
    by_master = host.get("/v1/greetings", key=MASTER_KEY)
    header_wins = host.get("/v1/greetings?code=test-function-key", key="wrong")

    assert [by_code.status, by_master.status, header_wins.status] == [207, 207, 401]


def test_an_admin_level_route_takes_the_master_key_only(host: LocalHost) -> None:
    assert host.get("/v1/guarded").status == 401
    assert host.get("/v1/guarded", key=MASTER_KEY).status == 200


def test_an_anonymous_route_takes_any_method_and_no_key(host: LocalHost) -> None:
    answers = [host.request(method, "/v1/public", key=None) for method in ("GET", "DELETE")]

    assert [each.body for each in answers] == [b"GET from a thread", b"DELETE from a thread"]
    assert answers[0].headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/unknown"),
        ("GET", "/greetings"),
        ("GET", "/"),
        ("DELETE", "/v1/greetings"),
        ("HEAD", "/v1/greetings"),
        ("GET", "/v1/things/abc"),
    ],
    ids=[
        "an unknown route",
        "a route without its prefix",
        "the root",
        "a method the route does not list",
        "HEAD where only GET is listed",
        "a parameter against its constraint",
    ],
)
def test_not_found_is_the_answer_to(host: LocalHost, method: str, path: str) -> None:
    answer = host.request(method, path)

    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/things/special", b"special {}"),
        ("/v1/THINGS/Special/", b"special {}"),
        ("/v1/things/42", b"thing 42"),
        ("/v1/files/a/b%2Fc/d%20e", b"files a/b%2Fc/d e"),
        ("/v1/files", b"files None"),
    ],
    ids=[
        "a literal wins over a parameter",
        "case and a trailing slash do not matter",
        "an integer constraint",
        "a catch-all keeps an encoded slash",
        "a catch-all may be empty",
    ],
)
def test_a_route_matches(host: LocalHost, path: str, body: bytes) -> None:
    assert host.get(path).body == body


def test_a_handler_that_raises_is_answered_500_without_a_body(host: LocalHost) -> None:
    answer = host.get("/v1/broken")

    status = host.invocation(answer.headers["x-ms-invocation-id"])
    assert (answer.status, answer.body) == (500, b"")
    assert status["status"] == "failed"
    assert status["error"] == "LookupError: no answer to GET"
    assert "LookupError: no answer to GET" in host.stderr


def test_a_mapping_is_no_http_answer(host: LocalHost) -> None:
    answer = host.get("/v1/mapping")

    assert (answer.status, answer.body) == (500, b"")


def test_repeated_headers_and_the_mime_type_reach_the_caller(host: LocalHost) -> None:
    answer = host.post("/v1/cookies", body="x;y")

    assert answer.body == b"x;y"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "set-cookie" in answer.headers


def test_no_log_shows_a_key(host: LocalHost) -> None:
    host.get("/v1/greetings?code=test-function-key", key=MASTER_KEY)

    assert "test-function-key" not in host.stderr + host.stdout
    assert MASTER_KEY not in host.stderr + host.stdout


def test_the_app_does_not_see_the_keys_in_its_environment(host: LocalHost) -> None:
    assert host.get("/v1/environment/LOCAL_HOST_MASTER_KEY").body == b"not set"
    assert host.get("/v1/environment/LOCAL_HOST_FUNCTION_KEY").body == b"not set"


def test_the_environment_is_set_by_the_env_files_and_the_later_one_wins(
    sample_app: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.env", tmp_path / "second.env"
    first.write_text('A=one\nB="quoted # $HOME"=x\n', encoding="utf-8")
    second.write_text("A=two\n", encoding="utf-8")

    with LocalHost(app_root=sample_app, env_files=[first, second], env={"A": "zero"}) as host:
        values = [host.get(f"/v1/environment/{name}").body for name in "AB"]

    assert values == [b"two", b'"quoted # $HOME"=x']
