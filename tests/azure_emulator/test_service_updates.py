"""Updates of AML v1 web services: JSON Patch in, an operation out, and who answers meanwhile."""

from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, Arm, estate, eventually
from tests.azure_emulator.scored import GOLDEN, a_service
from tests.support.wire import Reply

ROOT = f"/modelmanagement/v1.0{WORKSPACE}"
SERVICE = f"{ROOT}/services/weight"
WRONG = {"content": {"response": [0.0]}}
ASSETS: list[dict[str, Any]] = [
    {"name": "weight:4", "answers": [GOLDEN]},
    {"name": "weight:5", "answers": [WRONG]},
    {"name": "weight:7", "provisioning": "fails"},
    {"name": "weight:8", "provisioning": "never_ends"},
]


@pytest.fixture
def weight(arm: Arm) -> Arm:
    """A service without sign-in, of image 4."""
    return with_service(arm, image="weight:4")


def with_service(arm: Arm, **seed: Any) -> Arm:
    service = a_service(answers=[], auth_enabled=False, **seed)
    arm.emulator.seed(estate(services=[service], assets=ASSETS))
    return arm


def patch(arm: Arm, path: str, value: Any) -> Reply:
    changes = [{"op": "replace", "path": path, "value": value}]
    kind = "application/json-patch+json"
    return arm.send("PATCH", f"{SERVICE}?expand=true", changes, content_type=kind)


def shown(arm: Arm) -> dict[str, Any]:
    found: dict[str, Any] = arm.get(SERVICE).json()
    return found


def comes_to_be(arm: Arm, state: str) -> None:
    eventually(lambda: shown(arm)["state"] == state)


def score(arm: Arm) -> Reply:
    (service,) = arm.emulator.state()["services"]
    headers = {"Content-Type": "application/json"}
    uri = service["scoringUri"]
    return arm.emulator.wire.send("POST", uri, body=b'{"height": 138}', headers=headers)


def test_an_update_is_accepted_and_named_and_then_answers(weight: Arm) -> None:
    reply = patch(weight, "/imageId", "weight:5")

    operation = reply.headers["operation-location"]
    assert (reply.status, operation.rpartition("/")[0].endswith("/operations")) == (202, True)
    comes_to_be(weight, "Healthy")
    assert weight.follow(operation).json()["state"] == "Succeeded"
    assert shown(weight)["operationId"] == operation.rpartition("/")[2]
    assert score(weight).json() == WRONG["content"]


def test_until_then_it_answers_as_before_and_takes_no_other_update(weight: Arm) -> None:
    reply = patch(weight, "/imageId", "weight:8")

    operation = weight.follow(reply.headers["operation-location"]).json()
    assert (operation["state"], shown(weight)["state"]) == ("Running", "Transitioning")
    assert score(weight).json() == GOLDEN["content"]
    assert patch(weight, "/imageId", "weight:5").status == 409


@pytest.mark.parametrize("image", ["weight:7", "weight:99"], ids=["crashes", "not known"])
def test_an_update_that_fails_leaves_nothing_that_answers(weight: Arm, image: str) -> None:
    reply = patch(weight, "/imageId", image)

    comes_to_be(weight, "Failed")
    operation = weight.follow(reply.headers["operation-location"]).json()
    assert (operation["state"], operation["error"]["code"]) == ("Failed", "DeploymentTimedOut")
    assert score(weight).status == 503


def test_a_property_is_added_to_the_others_and_changes_no_answer(arm: Arm) -> None:
    with_service(arm, image="weight:4", properties={"owner": "ada"})

    patch(arm, "/properties/redeploy_id", "r-1")

    comes_to_be(arm, "Healthy")
    assert shown(arm)["properties"] == {"owner": "ada", "redeploy_id": "r-1"}
    assert score(arm).json() == GOLDEN["content"]


def test_a_service_of_models_is_given_another_by_its_environment_image_request(arm: Arm) -> None:
    with_service(arm, models=["weight:4"])
    request = shown(arm)["environmentImageRequest"]

    patch(arm, "/environmentImageRequest", request | {"modelIds": ["weight:5"]})

    comes_to_be(arm, "Healthy")
    assert shown(arm)["environmentImageRequest"]["modelIds"] == ["weight:5"]
    assert score(arm).json() == WRONG["content"]


def test_what_it_does_not_know_it_does_not_take(weight: Arm) -> None:
    assert patch(weight, "/sslKey", "secret").status == 501
    assert shown(weight)["state"] == "Healthy"


@pytest.mark.parametrize(("kind", "action"), [("ACI", "aci/write"), ("AKS", "aks/write")])
def test_who_may_only_read_updates_nothing(arm: Arm, kind: str, action: str) -> None:
    service = a_service(compute_type=kind)
    access = {"service_principal": [{"actions": ["*/read"]}]}
    arm.emulator.seed(estate(services=[service]) | {"access": access})

    reply = patch(arm, "/imageId", "weight:5")

    assert reply.status == 403
    assert action in reply.json()["error"]["message"]
