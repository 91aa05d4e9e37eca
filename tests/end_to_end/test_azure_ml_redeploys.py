"""Services of Azure ML redeployed by the app itself, and the list of those of SDK v1 that are left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.scoring_file import put_file
from tests.support.builders import SUBSCRIPTION, a_workspace
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.local_host import LocalHost
from tests.support.redeploy_proofs import begun, ended

WORKSPACE = a_workspace().id
PATIENCE_SECONDS = 240
RIGHT = {"response": [161.8533]}
ASSETS = [
    {"name": "weight-lm:4", "answers": [{"content": RIGHT}]},
    {"name": "weight-lm:5", "answers": [{"content": RIGHT}]},
    {"name": "weight-lm:6", "answers": [{"content": {"response": [0.0]}}]},
]
GOLDEN = {
    "name": "height 138",
    "method": "POST",
    "path": "/score",
    "body": {"height": 138},
    "expect": [{"at": "$.response[0]", "equals": 161.8533, "absolute": 5e-5}],
}
IDS = {
    "right-online": "onlineEndpoints/first",
    "wrong-online": "onlineEndpoints/second",
    "wrong-v1": "services/weight",
}
pytestmark = pytest.mark.timeout(PATIENCE_SECONDS + 60)


@pytest.fixture
def host(
    emulator: EmulatorProcess, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalHost]:
    """The app; two online endpoints and a v1 service, all of version 4 of a model."""
    workspace = {
        "name": "mlw-churn",
        "assets": ASSETS,
        "online_endpoints": [
            {
                "name": name,
                "deployments": [{"name": "blue", "model": "weight-lm:4"}],
                "provisioning_seconds": 5,
                "update_seconds": 5,
            }
            for name in ("first", "second")
        ],
        "services": [{"name": "weight", "models": ["weight-lm:4"], "update_seconds": 5}],
    }
    emulator.seed({"subscriptions": [{"id": SUBSCRIPTION, "workspaces": [workspace]}]})
    own = tmp_path_factory.mktemp("azure-ml") / "own.env"
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "SCORING_SERVICES": put_file(azurite, {"version": 1, "services": []}),
    }
    write_env_file(own, settings)
    with LocalHost(env_files=[emulator.env_file, own]) as running:
        yield running


def declare(azurite: Azurite) -> Mapping[str, str]:
    """Put the services into the file, under names that no other test has, and return those."""
    names = {each: f"{each}-{uuid4().hex[:8]}" for each in IDS}
    services = [
        {
            "name": names[each],
            "kind": "aml-v1" if each.endswith("v1") else "aml-online",
            "resource_id": f"{WORKSPACE}/{resource}",
            "credential": {"from_azure": "key"},
            "checks": {"golden": [GOLDEN]},
        }
        for each, resource in IDS.items()
    ]
    put_file(azurite, {"version": 1, "services": services})
    return names


def told(end: Mapping[str, Any]) -> str:
    """How it came to its end, for whoever reads a failure."""
    return f"{end['text']} {[each['text'] for each in end['steps']]}"


def test_a_right_model_gets_the_traffic_and_wrong_ones_are_undone_and_the_old_proven(
    host: LocalHost, azurite: Azurite, emulator: EmulatorProcess
) -> None:
    names = declare(azurite)
    models = {"right-online": "weight-lm:5"}

    # Side by side: most of a redeploy is waiting.
    locations = {
        each: begun(host, name, model=models.get(each, "weight-lm:6"))
        for each, name in names.items()
    }
    ends = {
        each: ended(host, location, seconds=PATIENCE_SECONDS)
        for each, location in locations.items()
    }

    states = {each: end["state"] for each, end in ends.items()}
    wanted = {"right-online": "succeeded", "wrong-online": "undone", "wrong-v1": "undone"}
    assert states == wanted, [told(end) for end in ends.values()]
    first, second = emulator.state()["endpoints"]
    (green,) = first["deployments"]
    assert (green["model"], first["traffic"]) == ("weight-lm:5", {green["name"]: 100})
    assert [each["name"] for each in second["deployments"]] == ["blue"]
    assert second["traffic"] == {"blue": 100}
    assert emulator.state()["services"][0]["models"] == ["weight-lm:4"]


def test_what_is_left_of_sdk_v1_is_listed_with_what_it_becomes(host: LocalHost) -> None:
    answer = host.get("/api/scoring/v1-sunset")

    (left,) = answer.json()["services"]
    assert (answer.status, left["resource_id"]) == (200, f"{WORKSPACE}/services/weight")
    assert left["successor"]["resource_id"] == f"{WORKSPACE}/onlineEndpoints/weight"
    assert left["successor"]["is_there"] is False


def test_where_a_workspace_says_no_the_list_says_so(
    host: LocalHost, emulator: EmulatorProcess
) -> None:
    emulator.fault("/services$", status=403, times=None)

    answer = host.get("/api/scoring/v1-sunset")

    assert (answer.status, answer.json()["services"]) == (207, [])
    assert [each["scope"] for each in answer.json()["unread"]] == [WORKSPACE]
