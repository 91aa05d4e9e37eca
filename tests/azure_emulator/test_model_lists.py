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
    blue = {"name": "blue", "model": "tree:2", "environment": "plumber:3"}
    endpoint = {"name": "churn", "deployments": [blue]}
    arm.emulator.seed(estate(assets=assets, online_endpoints=[endpoint]))
    return arm


@pytest.mark.parametrize(
    ("kind", "latest"),
    [("models", {"glm": "10", "tree": "2"}), ("environments", {"renv": "1", "plumber": "3"})],
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


def test_a_model_is_where_its_datastore_path_says_in_the_long_form(azure: Arm) -> None:
    shown = azure.get(f"{WORKSPACE}/models/glm/versions/10").json()["properties"]

    workspace = WORKSPACE.replace("/providers/Microsoft.MachineLearningServices", "")
    store = f"azureml:/{workspace}/datastores/workspaceartifactstore"
    assert shown["modelUri"] == f"{store}/paths/LocalUpload/glm/10/model.bin"


@pytest.mark.parametrize("kind", ["models", "environments"])
def test_a_name_is_read_alone_as_it_is_listed(azure: Arm, kind: str) -> None:
    listed = azure.get(f"{WORKSPACE}/{kind}").json()["value"]

    assert listed == [azure.get(each["id"]).json() for each in listed]
    assert azure.get(f"{WORKSPACE}/{kind}/none").status == 404


@pytest.mark.parametrize("kind", ["models", "environments"])
def test_what_has_no_version_is_not_there(azure: Arm, kind: str) -> None:
    reply = azure.get(f"{WORKSPACE}/{kind}/none/versions")

    assert (reply.status, reply.json()["error"]["code"]) == (404, "ResourceNotFound")


def test_an_environment_that_merely_runs_is_there_and_of_no_image_by_name(azure: Arm) -> None:
    shown = azure.get(f"{WORKSPACE}/environments/plumber/versions/3").json()["properties"]

    assert (shown["image"], shown["condaFile"]) == (None, None)
    assert shown["build"]["dockerfilePath"] == "Dockerfile"


@pytest.mark.parametrize("model", ["glm:10", "tree:2"], ids=["an asset", "it merely runs"])
def test_model_management_knows_the_models_that_resource_manager_knows(
    azure: Arm, model: str
) -> None:
    name, _, version = model.partition(":")

    alone = azure.get(f"/modelmanagement/v1.0{WORKSPACE}/models/{model}").json()

    assert (alone["name"], str(alone["version"])) == (name, version)
    assert azure.get(f"{WORKSPACE}/models/{name}/versions/{version}").status == 200


def test_a_list_of_model_management_goes_on_where_its_link_leads(azure: Arm) -> None:
    azure.emulator.seed(estate(assets=[{"name": f"glm:{version}"} for version in range(1, 5)]))

    first = azure.get(f"/modelmanagement/v1.0{WORKSPACE}/models").json()
    second = azure.follow(first["nextLink"]).json()

    # As azureml-core reads it out of the link.
    assert "$skipToken=" in first["nextLink"]
    listed = [each["id"] for each in (*first["value"], *second["value"])]
    assert listed == ["glm:4", "glm:3", "glm:2", "glm:1"]
