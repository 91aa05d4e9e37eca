"""Registered models and environments, listed by name and by version."""

import pytest

from tests.azure_emulator.conftest import WORKSPACE, Arm, estate


@pytest.fixture
def azure(arm: Arm) -> Arm:
    assets = [
        {"name": "glm:9"},
        {"name": "glm:10"},
        {"name": "renv:1", "image": "contoso.azurecr.io/r:4.3"},
        {"name": "contoso.azurecr.io/weight:1"},
    ]
    endpoint = {"name": "churn", "deployments": [{"name": "blue", "model": "tree:2"}]}
    arm.emulator.seed(estate(assets=assets, online_endpoints=[endpoint]))
    return arm


@pytest.mark.parametrize(
    ("kind", "latest"), [("models", {"glm": "10", "tree": "2"}), ("environments", {"renv": "1"})]
)
def test_each_name_tells_its_latest_version(azure: Arm, kind: str, latest: dict[str, str]) -> None:
    listed = azure.get(f"{WORKSPACE}/{kind}").json()["value"]

    assert {each["name"]: each["properties"]["latestVersion"] for each in listed} == latest


def test_versions_are_as_each_one_is_read_alone_the_newest_first(azure: Arm) -> None:
    listed = azure.get(f"{WORKSPACE}/models/glm/versions").json()["value"]
    newest = azure.get(f"{WORKSPACE}/models/glm/versions", **{"$top": "1"}).json()["value"]

    assert [each["name"] for each in listed] == ["10", "9"]
    assert newest == listed[:1]
    assert listed == [azure.get(each["id"]).json() for each in listed]


@pytest.mark.parametrize("kind", ["models", "environments"])
def test_what_has_no_version_is_not_there(azure: Arm, kind: str) -> None:
    reply = azure.get(f"{WORKSPACE}/{kind}/none/versions")

    assert (reply.status, reply.json()["error"]["code"]) == (404, "ResourceNotFound")
