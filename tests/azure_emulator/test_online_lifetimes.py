"""Online endpoints come and go, and get new keys, as Resource Manager has it."""

from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, Arm, estate, eventually
from tests.support.wire import Reply

FRESH = f"{WORKSPACE}/onlineEndpoints/fresh"
ANSWER = {"body": {"x": 1}, "content": {"p": 0.5}}
ALL_RIGHTS = {"access": {"service_principal": [{"actions": ["*"]}]}}


@pytest.fixture
def azure(arm: Arm) -> Arm:
    """A workspace without endpoints, and a model that answers wherever it is deployed."""
    assets = [{"name": "glm:1", "answers": [ANSWER]}]
    arm.emulator.seed(estate(assets=assets) | ALL_RIGHTS)
    return arm


def an_endpoint(**properties: Any) -> dict[str, Any]:
    inner = {"authMode": "Key", "description": "New.", **properties}
    identity = {"type": "SystemAssigned"}
    return {"location": "westeurope", "identity": identity, "properties": inner}


def make(azure: Arm) -> Reply:
    made = azure.send("PUT", FRESH, an_endpoint())
    eventually(lambda: state(azure) == "Succeeded")
    return made


def state(azure: Arm) -> str:
    found: str = azure.get(FRESH).json().get("properties", {}).get("provisioningState", "")
    return found


def deploy(azure: Arm) -> None:
    model = f"{WORKSPACE}/models/glm/versions/1"
    inner = {"endpointComputeType": "Managed", "model": model}
    body = {
        "location": "westeurope",
        "sku": {"name": "Default", "capacity": 1},
        "properties": inner,
    }
    azure.send("PUT", f"{FRESH}/deployments/blue", body)
    blue = f"{FRESH}/deployments/blue"
    eventually(lambda: azure.get(blue).json()["properties"]["provisioningState"] == "Succeeded")


def score(azure: Arm, key: str) -> int:
    uri = azure.get(FRESH).json()["properties"]["scoringUri"]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return azure.emulator.wire.send("POST", uri, body=b'{"x": 1}', headers=headers).status


def keys(azure: Arm) -> dict[str, str]:
    found: dict[str, str] = azure.post(f"{FRESH}/listKeys").json()
    return found


def test_a_new_endpoint_answers_once_it_has_a_deployment_with_traffic(azure: Arm) -> None:
    made = make(azure)
    deploy(azure)
    key = keys(azure)["primaryKey"]
    before = score(azure, key)

    azure.send("PUT", FRESH, an_endpoint(traffic={"blue": 100}))

    assert (made.status, made.json()["properties"]["traffic"]) == (201, {})
    assert "azure-asyncoperation" in made.headers
    assert before != 200
    eventually(lambda: score(azure, key) == 200)


@pytest.mark.parametrize(
    ("name", "properties"),
    [("fresh", {"traffic": {"blue": 100}}), ("fresh", {"mirrorTraffic": {"blue": 10}}), ("f", {})],
    ids=["traffic to nobody", "mirrored to nobody", "short name"],
)
def test_an_endpoint_that_cannot_be_is_not_made(
    azure: Arm, name: str, properties: dict[str, Any]
) -> None:
    path = FRESH.replace("fresh", name)

    reply = azure.send("PUT", path, an_endpoint(**properties))

    assert (reply.status, azure.get(path).status) == (400, 404)


def test_an_endpoint_goes_with_all_its_deployments(azure: Arm) -> None:
    make(azure)
    deploy(azure)
    uri = azure.get(FRESH).json()["properties"]["scoringUri"]

    first, second = (azure.send("DELETE", FRESH, b"") for _ in range(2))

    assert (first.status, second.status) == (202, 409)
    eventually(lambda: azure.get(FRESH).status == 404)
    assert azure.follow(first.headers["location"]).status == 204
    assert azure.send("DELETE", FRESH, b"").status == 204
    assert azure.emulator.wire.send("POST", uri).status == 404


def test_a_key_that_was_replaced_is_refused(azure: Arm) -> None:
    make(azure)
    deploy(azure)
    azure.send("PUT", FRESH, an_endpoint(traffic={"blue": 100}))
    before = keys(azure)
    eventually(lambda: score(azure, before["primaryKey"]) == 200)

    reply = azure.send("POST", f"{FRESH}/regenerateKeys", {"keyType": "Primary"})

    after = keys(azure)
    assert reply.status == 202
    assert before["secondaryKey"] == after["secondaryKey"]
    assert (score(azure, before["primaryKey"]), score(azure, after["primaryKey"])) == (401, 200)
