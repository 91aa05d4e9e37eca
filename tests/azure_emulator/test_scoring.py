"""Scoring URIs that the emulator serves itself: sign-in, fixed answers, and what goes wrong."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.azure_emulator.conftest import Arm, eventually, left_waiting
from tests.azure_emulator.scored import (
    GOLDEN,
    a_deployment,
    a_service,
    an_endpoint,
    endpoint_path,
    primary_key,
    score,
    scoring_uri,
    with_endpoints,
    with_services,
)

ENTRA = "https://ml.azure.com"
NO_ROLE = {"service_principal": [{"actions": ["*/read"]}]}


def test_a_key_gets_the_golden_answer_and_a_stranger_401(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint())
    keys = arm.post(f"{endpoint_path()}/listKeys").json()

    replies = [score(arm, key) for key in keys.values()]

    assert [reply.json() for reply in replies] == [GOLDEN["content"]] * 2
    assert score(arm, "another").status == score(arm).status == 401


def test_a_token_gets_an_answer_until_it_expires(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint(auth_mode="AMLToken", token_lifetime_seconds=0.5))
    token = arm.post(f"{endpoint_path()}/token").json()["accessToken"]

    at_first = score(arm, token).status
    eventually(lambda: score(arm, token).status == 401)

    assert at_first == 200


def test_entras_token_gets_an_answer_for_those_who_may_score(arm: Arm) -> None:
    token = arm.emulator.arm_token(ENTRA)
    with_endpoints(arm, an_endpoint(auth_mode="AADToken"))
    allowed = score(arm, token).status
    with_endpoints(arm, an_endpoint(auth_mode="AADToken"), access=NO_ROLE)

    assert allowed == 200
    assert score(arm, token).status == 403
    assert score(arm, arm.token).status == 401


def test_entras_token_needs_no_role_on_kubernetes(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint(auth_mode="AADToken", compute="k8s"), access=NO_ROLE)

    assert score(arm, arm.emulator.arm_token(ENTRA)).status == 200


def test_one_endpoints_key_opens_no_other(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint(name="first"), an_endpoint())

    assert score(arm, primary_key(arm)).status == 401


def test_traffic_is_divided_as_the_endpoint_says(arm: Arm) -> None:
    both = [a_deployment("blue"), a_deployment("green", answers=[{"content": "green"}])]
    with_endpoints(arm, an_endpoint(deployments=both, traffic={"blue": 75, "green": 25}))
    key = primary_key(arm)

    by = [score(arm, key).headers["azureml-model-deployment"] for _ in range(100)]

    assert (by.count("blue"), by.count("green")) == (75, 25)


def test_a_deployment_is_asked_by_name_whatever_the_traffic(arm: Arm) -> None:
    both = [a_deployment("blue"), a_deployment("green", answers=[{"content": "green"}])]
    with_endpoints(arm, an_endpoint(deployments=both))
    key = primary_key(arm)

    assert score(arm, key, deployment="Green").json() == "green"
    assert score(arm, key, deployment="red").status == 404


def test_without_traffic_nobody_answers(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint(traffic={}))

    assert score(arm, primary_key(arm)).status == 404


def test_the_first_answer_that_fits_is_given(arm: Arm) -> None:
    answers = [
        {"body": {"height": 1}, "content": [1]},
        {"method": "GET", "path": "/weight", "query": {"height": "138"}, "content": {"w": 161.85}},
        {"status": 422, "content": "no"},
    ]
    with_services(arm, a_service(auth_enabled=False, answers=answers))
    root = scoring_uri(arm).removesuffix("/score")

    found = arm.emulator.wire.get(f"{root}/weight?height=138&more=1")

    assert score(arm, body={"height": 1}).json() == [1]
    assert (score(arm).status, score(arm).json()) == (422, "no")
    assert found.json() == {"w": 161.85}
    assert arm.emulator.wire.get(f"{root}/weight?height=1").status == 404


def test_a_service_without_an_answer_says_400(arm: Arm) -> None:
    with_services(arm, a_service(auth_enabled=False))

    assert score(arm, body={"height": "tall"}).status == 400


@pytest.mark.parametrize("compute_type", ["ACI", "AKS"])
def test_the_root_of_a_service_says_healthy(arm: Arm, compute_type: str) -> None:
    with_services(arm, a_service(auth_enabled=False, compute_type=compute_type))

    reply = arm.emulator.wire.get(f"{scoring_uri(arm).removesuffix('/score')}/")

    assert (reply.status, reply.body) == (200, b"Healthy")


def test_a_text_is_answered_as_json_in_json(arm: Arm) -> None:
    with_services(arm, a_service(auth_enabled=False, answers=[{"content": '{"a": 1}'}]))

    assert score(arm).body == b'"{\\"a\\": 1}"'


@pytest.mark.parametrize(
    ("behaviour", "status", "words"),
    [
        ({"fails": True}, 500, b"unexpected error"),
        ({"no_replicas": True}, 503, b"No ready replicas for service weight"),
        ({"refuses_credentials": True}, 401, b""),
    ],
    ids=["fails", "no_replicas", "refuses_credentials"],
)
def test_a_service_can_go_wrong(
    arm: Arm, behaviour: dict[str, Any], status: int, words: bytes
) -> None:
    with_services(arm, a_service(auth_enabled=False, behaviour=behaviour))

    reply = score(arm)

    assert reply.status == status
    assert words in reply.body


def test_a_service_that_fails_is_healthy_at_its_root(arm: Arm) -> None:
    with_services(arm, a_service(auth_enabled=False, behaviour={"fails": True}))

    assert arm.emulator.wire.get(f"{scoring_uri(arm).removesuffix('/score')}/").status == 200


def test_a_service_that_hangs_never_answers(arm: Arm) -> None:
    with_services(arm, a_service(auth_enabled=False, behaviour={"hangs": True}))
    path = scoring_uri(arm).removeprefix(arm.emulator.url)

    connection = left_waiting(arm.emulator, "POST", path, until_struck=False)
    eventually(lambda: bool(arm.emulator.requests()))
    connection.close()

    (record,) = arm.emulator.requests()
    assert (record["path"], record["status"]) == (path, None)


def test_one_thread_lets_even_the_health_route_wait(arm: Arm) -> None:
    # The emulator's time scale here is 0.01: a score takes 0.3 s.
    slow = {"answer_seconds": 30, "one_at_a_time": True}
    with_services(arm, a_service(auth_enabled=False, behaviour=slow))
    uri = scoring_uri(arm)
    began = time.monotonic()

    with ThreadPoolExecutor() as pool:
        health = [pool.submit(arm.emulator.wire.get, uri.removesuffix("score")) for _ in range(3)]
        statuses = [each.result().status for each in health]

    assert statuses == [200] * 3
    assert time.monotonic() - began >= 0.9


def test_faults_strike_scoring_too(arm: Arm) -> None:
    with_services(arm, a_service(auth_enabled=False))
    arm.emulator.fault("^/scoring/.*/score$", status=502)

    assert [score(arm).status for _ in range(2)] == [502, 200]


def test_nothing_is_behind_a_uri_of_another_estate(arm: Arm) -> None:
    with_services(arm, a_service(auth_enabled=False))
    uri = scoring_uri(arm)
    with_services(arm)

    assert arm.emulator.wire.get(uri).status == 404
