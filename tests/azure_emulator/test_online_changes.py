"""Changes of AML v2 online endpoints: deployments, traffic, and who answers meanwhile."""

from collections import Counter
from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, Arm, estate, eventually
from tests.azure_emulator.scored import (
    GOLDEN,
    a_deployment,
    an_endpoint,
    endpoint_path,
    primary_key,
    score,
)
from tests.support.wire import Reply

HEADER = "azureml-model-deployment"
WRONG = {"content": {"response": [0.0]}}
ASSETS: list[dict[str, Any]] = [
    {"name": "weight-lm:4", "answers": [GOLDEN]},
    {"name": "weight-lm:5", "answers": [GOLDEN]},
    {"name": "weight-lm:6", "answers": [WRONG]},
    {"name": "weight-lm:7", "provisioning": "fails", "logs": "one\ntwo\n"},
    {"name": "weight-lm:8", "provisioning": "never_ends"},
]


@pytest.fixture
def weight(arm: Arm) -> Arm:
    """One endpoint, `weight`, with all traffic to blue, which has version 4 of its model."""
    blue = a_deployment(model="weight-lm:4", answers=[])
    endpoint = an_endpoint(deployments=[blue], provisioning_seconds=60, tags={"team": "growth"})
    arm.emulator.seed(estate(online_endpoints=[endpoint], assets=ASSETS))
    return arm


def deployment_path(name: str) -> str:
    return f"{endpoint_path()}/deployments/{name}"


def put(arm: Arm, name: str, version: int | str = 5, **properties: Any) -> Reply:
    model = f"{WORKSPACE}/models/weight-lm/versions/{version}"
    inner = {"endpointComputeType": "Managed", "model": model, **properties}
    document = {"location": "westeurope", "properties": inner}
    return arm.send("PUT", deployment_path(name), document)


def state_of(arm: Arm, name: str = "") -> str:
    """The provisioning state of a deployment, or of the endpoint."""
    path = deployment_path(name) if name else endpoint_path()
    state: str = arm.get(path).json()["properties"]["provisioningState"]
    return state


def comes_to_be(arm: Arm, state: str, name: str = "") -> None:
    eventually(lambda: state_of(arm, name) == state)


def divide(arm: Arm, **traffic: int) -> Reply:
    document = arm.get(endpoint_path()).json()
    document["properties"]["traffic"] = traffic
    return arm.send("PUT", endpoint_path(), document)


def who_answers(arm: Arm, times: int = 100) -> Counter[str]:
    key = primary_key(arm)
    return Counter(score(arm, key).headers[HEADER] for _ in range(times))


def test_a_new_deployment_is_created_and_then_answers_by_its_name(weight: Arm) -> None:
    reply = put(weight, "green")

    assert (reply.status, reply.json()["properties"]["provisioningState"]) == (201, "Creating")
    comes_to_be(weight, "Succeeded", "green")
    status = weight.follow(reply.headers["azure-asyncoperation"]).json()
    assert status == {"status": "Succeeded"}
    assert score(weight, primary_key(weight), deployment="green").json() == GOLDEN["content"]
    assert who_answers(weight) == {"blue": 100}


def test_what_was_put_is_shown_as_it_was_sent(weight: Arm) -> None:
    probe = {"initialDelay": "PT5M", "failureThreshold": 30}
    put(weight, "green", readinessProbe=probe, environmentVariables={"redeploy_id": "r-1"})

    shown = weight.get(deployment_path("green")).json()["properties"]

    assert shown["readinessProbe"] == probe
    assert shown["environmentVariables"] == {"redeploy_id": "r-1"}
    assert shown["model"] == f"{WORKSPACE}/models/weight-lm/versions/5"


def test_a_deployment_of_the_same_model_answers_as_the_other_does(weight: Arm) -> None:
    blue = weight.get(deployment_path("blue")).json()
    weight.emulator.seed(estate(online_endpoints=[an_endpoint(provisioning_seconds=0)]))

    inner = blue["properties"] | {"model": None}
    weight.send("PUT", deployment_path("green"), blue | {"properties": inner})

    comes_to_be(weight, "Succeeded", "green")
    assert score(weight, primary_key(weight), deployment="green").json() == GOLDEN["content"]


@pytest.mark.parametrize("version", [7, 99], ids=["it crashes", "nobody knows it"])
def test_a_deployment_may_fail_and_says_why(weight: Arm, version: int) -> None:
    reply = put(weight, "green", version)

    comes_to_be(weight, "Failed", "green")
    status = weight.follow(reply.headers["azure-asyncoperation"]).json()
    assert (status["status"], status["error"]["code"]) == ("Failed", "ResourceNotReady")
    assert score(weight, primary_key(weight), deployment="green").status == 503
    assert who_answers(weight, 3) == {"blue": 3}


def test_a_deployment_may_never_be_ready_and_can_be_deleted(weight: Arm) -> None:
    reply = put(weight, "green", 8)

    operation = reply.headers["azure-asyncoperation"]
    assert weight.follow(operation).json() == {"status": "InProgress"}
    assert score(weight, primary_key(weight), deployment="green").status == 503
    assert weight.send("DELETE", deployment_path("green"), b"").status == 202
    eventually(lambda: weight.get(deployment_path("green")).status == 404)
    assert weight.follow(operation).json() == {"status": "Canceled"}


def test_a_deployment_that_is_changed_answers_anew_once_it_is(weight: Arm) -> None:
    reply = put(weight, "blue", 6)

    assert (reply.status, reply.json()["properties"]["provisioningState"]) == (200, "Updating")
    comes_to_be(weight, "Succeeded", "blue")
    assert score(weight, primary_key(weight)).json() == WRONG["content"]


def test_until_then_it_answers_as_before(weight: Arm) -> None:
    put(weight, "blue", 8)

    assert score(weight, primary_key(weight)).json() == GOLDEN["content"]


def test_traffic_is_divided_by_weight_once_the_endpoint_is_updated(weight: Arm) -> None:
    put(weight, "green")
    comes_to_be(weight, "Succeeded", "green")

    reply = divide(weight, blue=90, green=10)

    assert reply.json()["properties"]["provisioningState"] == "Updating"
    assert weight.get(endpoint_path()).json()["properties"]["traffic"] == {"blue": 90, "green": 10}
    comes_to_be(weight, "Succeeded")
    assert who_answers(weight) == {"blue": 90, "green": 10}
    divide(weight, green=100)
    comes_to_be(weight, "Succeeded")
    assert who_answers(weight) == {"green": 100}


def test_until_then_it_is_divided_as_before(arm: Arm) -> None:
    both = [a_deployment("blue"), a_deployment("green")]
    endpoint = an_endpoint(deployments=both, update_seconds=100_000)
    arm.emulator.seed(estate(online_endpoints=[endpoint]))

    divide(arm, green=100)

    assert arm.emulator.state()["endpoints"][0]["provisioningState"] == "Updating"
    assert who_answers(arm, 1) == {"blue": 1}


@pytest.mark.parametrize(
    "traffic", [{"blue": 90}, {"red": 100}, {"green": 100}], ids=["not 100", "nobody", "failed"]
)
def test_traffic_that_cannot_be_is_refused(weight: Arm, traffic: dict[str, int]) -> None:
    put(weight, "green", 7)
    comes_to_be(weight, "Failed", "green")

    assert divide(weight, **traffic).status == 400
    assert who_answers(weight, 1) == {"blue": 1}


def test_an_update_may_fail_and_leaves_the_traffic_as_it_was_whatever_is_shown(arm: Arm) -> None:
    both = [a_deployment(), a_deployment(name="green")]
    arm.emulator.seed(
        estate(online_endpoints=[an_endpoint(deployments=both, updates=["fails", "succeeds"])])
    )

    divide(arm, green=100)
    comes_to_be(arm, "Failed")
    shown = arm.get(endpoint_path()).json()["properties"]
    why = arm.follow(shown["properties"]["AzureAsyncOperationUri"]).json()
    failed = who_answers(arm, 20)
    divide(arm, green=100)
    comes_to_be(arm, "Succeeded")

    assert shown["traffic"] == {"green": 100}
    assert (why["status"], why["error"]["message"]) == (
        "Failed",
        "The traffic could not be divided.",
    )
    assert (set(failed), set(who_answers(arm, 20))) == ({"blue"}, {"green"})


def test_an_update_may_never_end(arm: Arm) -> None:
    arm.emulator.seed(
        estate(online_endpoints=[an_endpoint(updates=["never_ends"], update_seconds=0)])
    )

    divide(arm, blue=100)
    second = divide(arm, blue=100)

    assert (state_of(arm), second.status) == ("Updating", 409)


def test_a_patch_of_a_deployment_scales_it_and_it_answers_all_the_while(weight: Arm) -> None:
    change = {"tags": {"team": "risk"}, "sku": {"name": "Default", "capacity": 3}}

    reply = weight.send("PATCH", deployment_path("blue"), change)

    assert (reply.status, state_of(weight, "blue")) == (202, "Scaling")
    assert score(weight, primary_key(weight)).json() == GOLDEN["content"]
    comes_to_be(weight, "Succeeded", "blue")
    shown = weight.get(deployment_path("blue")).json()
    assert (shown["sku"]["capacity"], shown["tags"]) == (3, {"team": "risk"})
    assert score(weight, primary_key(weight)).json() == GOLDEN["content"]
    assert weight.follow(reply.headers["location"]).status == 204


def test_a_patch_of_a_deployment_that_is_changed_or_not_there_is_refused(weight: Arm) -> None:
    put(weight, "green", 8)

    replies = [weight.send("PATCH", deployment_path(name), {}) for name in ("green", "red")]

    assert [reply.status for reply in replies] == [409, 404]


def test_what_has_traffic_is_not_deleted(weight: Arm) -> None:
    assert weight.send("DELETE", deployment_path("blue"), b"").status == 400


def test_deleting_is_followed_by_location_and_twice_is_no_error(weight: Arm) -> None:
    put(weight, "green")
    comes_to_be(weight, "Succeeded", "green")

    reply = weight.send("DELETE", deployment_path("green"), b"")

    assert (reply.status, weight.follow(reply.headers["location"]).status) == (202, 202)
    eventually(lambda: weight.follow(reply.headers["location"]).status == 204)
    assert weight.send("DELETE", deployment_path("green"), b"").status == 204


def test_two_changes_at_once_are_a_conflict(arm: Arm) -> None:
    endpoint = an_endpoint(provisioning_seconds=100_000, update_seconds=100_000)
    arm.emulator.seed(estate(online_endpoints=[endpoint]))

    replies = [put(arm, "blue"), put(arm, "blue"), divide(arm, blue=100), divide(arm, blue=100)]

    assert [reply.status for reply in replies] == [200, 409, 200, 409]


def test_a_put_of_an_endpoint_forgets_what_it_leaves_out(weight: Arm) -> None:
    document = weight.get(endpoint_path()).json()
    del document["tags"]

    weight.send("PUT", endpoint_path(), document)

    assert weight.get(endpoint_path()).json()["tags"] == {}


def test_a_patch_of_an_endpoint_knows_tags_and_no_traffic(weight: Arm) -> None:
    body = {"tags": {"team": "risk"}, "properties": {"traffic": {}}}

    shown = weight.send("PATCH", endpoint_path(), body).json()

    assert (shown["tags"], shown["properties"]["traffic"]) == ({"team": "risk"}, {"blue": 100})


@pytest.mark.parametrize(
    "wrong",
    [{"location": None}, {"properties": {}}, {"properties": {"endpointComputeType": "Kubernetes"}}],
    ids=["no location", "no type", "another type"],
)
def test_a_deployment_that_makes_no_sense_is_refused(weight: Arm, wrong: dict[str, Any]) -> None:
    document = {"location": "westeurope", "properties": {"endpointComputeType": "Managed"}}

    assert weight.send("PUT", deployment_path("green"), document | wrong).status == 400


def test_logs_are_told_as_many_as_are_wanted(weight: Arm) -> None:
    put(weight, "green", 7)
    comes_to_be(weight, "Failed", "green")

    told = weight.send("POST", f"{deployment_path('green')}/getLogs", {"tail": 1}).json()

    assert told == {"content": "two\n"}


def test_who_may_only_read_changes_nothing(weight: Arm) -> None:
    document = estate(online_endpoints=[an_endpoint()])
    weight.emulator.seed(document | {"access": {"service_principal": [{"actions": ["*/read"]}]}})

    replies = [put(weight, "green"), divide(weight, blue=100)]

    assert [reply.status for reply in replies] == [403, 403]
    assert "deployments/write" in replies[0].json()["error"]["message"]
