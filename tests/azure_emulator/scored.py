"""Seeds of what answers scoring requests, and scoring by hand."""

import json
from collections.abc import Mapping
from typing import Any

from tests.azure_emulator.conftest import WORKSPACE, Arm, estate
from tests.support.wire import Reply

GOLDEN = {"body": {"height": 138}, "content": {"response": [161.8533]}}
REQUEST = {"height": 138}


def an_endpoint(**seed: Any) -> dict[str, Any]:
    """An endpoint with one deployment, blue, unless told otherwise."""
    return {"name": "weight", "deployments": [a_deployment()], **seed}


def a_deployment(name: str = "blue", **seed: Any) -> dict[str, Any]:
    return {"name": name, "answers": [GOLDEN], **seed}


def a_service(**seed: Any) -> dict[str, Any]:
    return {"name": "weight", "answers": [GOLDEN], **seed}


def with_endpoints(arm: Arm, *endpoints: Mapping[str, Any], **seed: Any) -> Arm:
    arm.emulator.seed(estate(online_endpoints=endpoints) | seed)
    return arm


def with_services(arm: Arm, *services: Mapping[str, Any]) -> Arm:
    arm.emulator.seed(estate(services=services))
    return arm


def endpoint_path(name: str = "weight") -> str:
    return f"{WORKSPACE}/onlineEndpoints/{name}"


def primary_key(arm: Arm) -> str:
    key: str = arm.post(f"{endpoint_path()}/listKeys").json()["primaryKey"]
    return key


def scoring_uri(arm: Arm) -> str:
    """Where the first endpoint or service is scored, by the control plane."""
    state = arm.emulator.state()
    uri: str = (state["endpoints"] + state["services"])[0]["scoringUri"]
    return uri


def score(arm: Arm, secret: str = "", *, body: Any = None, deployment: str = "") -> Reply:
    """POST to the scoring URI of the first endpoint or service."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
    if deployment:
        headers["azureml-model-deployment"] = deployment
    content = json.dumps(REQUEST if body is None else body).encode()
    return arm.emulator.wire.send("POST", scoring_uri(arm), body=content, headers=headers)
