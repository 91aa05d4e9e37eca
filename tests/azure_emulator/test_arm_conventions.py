"""What clients of Resource Manager take for granted, whatever resource they ask for."""

from typing import Any

import pytest

from tests.azure_emulator.conftest import SUBSCRIPTION, WORKSPACE, Arm, estate, eventually
from tests.support.container_groups import GROUP_ID, a_group, with_group
from tests.support.emulator import ARM_VERSION
from tests.support.kubernetes import CLUSTER, a_manifest
from tests.support.wire import Reply

ROOT = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{ROOT}/resourceGroups/rg-ml"


def error(reply: Reply) -> tuple[int, str, str]:
    told = reply.json()["error"]
    return reply.status, told["code"], told["message"]


def everything() -> dict[str, Any]:
    """A workspace with a machine, an endpoint and its deployment; a group; a cluster."""
    endpoint = {"name": "churn", "deployments": [{"name": "blue"}]}
    document = estate({"name": "ci-ada"}, online_endpoints=[endpoint])
    (subscription,) = document["subscriptions"]
    image: dict[str, Any] = {"answers": []}
    groups = [
        {"name": "weight", **a_group()},
        {"name": "far", **a_group(), "resource_group": "rg-far", "tags": {"team": "growth"}},
    ]
    clusters = [
        {"name": "aks-ml", "deployments": [a_manifest(image="contoso.azurecr.io/weight:1")]}
    ]
    whole = {**subscription, "container_groups": groups, "managed_clusters": clusters}
    return {"images": {"contoso.azurecr.io/weight:1": image}, "subscriptions": [whole]}


@pytest.mark.parametrize("version", ["soon", "2025-13-01", "2025-02-30", "2025-12", "20251201"])
def test_a_version_that_is_no_date_is_invalid(arm: Arm, version: str) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    status, code, message = error(arm.follow(f"{WORKSPACE}?api-version={version}"))

    assert (status, code) == (400, "InvalidApiVersionParameter")
    assert message.startswith(f"The api-version '{version}' is invalid. The supported versions are")


@pytest.mark.parametrize("version", ["1999-01-01", "2099-01-01", "2099-01-01-preview"])
def test_no_provider_is_registered_for_a_version_that_never_was(arm: Arm, version: str) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    status, code, message = error(arm.follow(f"{WORKSPACE}/computes?api-version={version}"))

    assert (status, code) == (400, "NoRegisteredProviderFound")
    assert f"API version '{version}' for type 'workspaces/computes'" in message


def test_resource_manager_itself_names_the_versions_it_takes(arm: Arm) -> None:
    status, code, message = error(arm.follow("/subscriptions?api-version=1999-01-01"))

    assert (status, code) == (400, "InvalidApiVersionParameter")
    assert "2022-12-01" in message


@pytest.mark.parametrize(
    ("path", "status"),
    [(GROUP, 204), (WORKSPACE, 204), (f"{GROUP}-none", 404), (f"{WORKSPACE}-none", 404)],
)
def test_a_head_of_one_resource_says_whether_it_is_there(arm: Arm, path: str, status: int) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    reply = arm.emulator.wire.send(
        "HEAD",
        f"{path}?api-version={ARM_VERSION}",
        headers={"Authorization": f"Bearer {arm.token}"},
    )

    assert (reply.status, reply.body) == (status, b"")


def test_the_generic_list_has_all_tracked_resources(arm: Arm) -> None:
    arm.emulator.seed(everything())

    listed: dict[str, str] = {}
    page = arm.get(f"{ROOT}/resources").json()
    while page:
        listed |= {each["id"]: each["name"] for each in page["value"]}
        page = arm.follow(page["nextLink"]).json() if "nextLink" in page else None

    endpoint = f"{WORKSPACE}/onlineEndpoints/churn"
    assert listed == {
        WORKSPACE: "mlw-test",
        endpoint: "mlw-test/churn",
        f"{endpoint}/deployments/blue": "mlw-test/churn/blue",
        GROUP_ID: "weight",
        GROUP_ID.replace("rg-ml", "rg-far").replace("weight", "far"): "far",
        CLUSTER: "aks-ml",
    }


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("resourceType eq 'Microsoft.ContainerInstance/containerGroups'", ["weight", "far"]),
        ("resourcetype EQ 'microsoft.containerservice/MANAGEDCLUSTERS'", ["aks-ml"]),
        ("resourceGroup eq 'rg-far'", ["far"]),
        ("name eq 'weight' and location eq 'westeurope'", ["weight"]),
        ("resourceType eq 'Microsoft.Storage/storageAccounts'", []),
        ("tagName eq 'TEAM'", ["far"]),
        ("tagName eq 'team' and tagValue eq 'growth'", ["far"]),
        ("tagName eq 'team' and tagValue eq 'Growth'", []),
        ("tagName eq 'growth'", []),
    ],
)
def test_the_generic_list_is_narrowed_by_equal_fields(
    arm: Arm, asked: str, names: list[str]
) -> None:
    arm.emulator.seed(everything())

    reply = arm.get(f"{ROOT}/resources", **{"$filter": asked})

    assert [each["name"] for each in reply.json()["value"]] == names


@pytest.mark.parametrize(
    ("asked", "status"), [("tagName eq 'team'", 200), ("name eq 'rg-ml'", 501)]
)
def test_no_resource_group_has_a_tag(arm: Arm, asked: str, status: int) -> None:
    arm.emulator.seed(everything())

    reply = arm.get(f"{ROOT}/resourceGroups", **{"$filter": asked})

    assert (reply.status, reply.json().get("value", [])) == (status, [])


def test_a_resource_group_is_there_for_whatever_lies_in_it(arm: Arm) -> None:
    arm.emulator.seed(everything())

    groups = arm.get(f"{ROOT}/resourceGroups").json()["value"]
    within = arm.get(f"{ROOT}/resourceGroups/rg-far/resources").json()["value"]

    assert {each["name"] for each in groups} == {"rg-ml", "rg-far"}
    assert [each["name"] for each in within] == ["far"]


def test_every_emulated_namespace_is_registered(arm: Arm) -> None:
    arm.emulator.seed(estate())

    listed = arm.get(f"{ROOT}/providers").json()["value"]
    one = arm.get(f"{ROOT}/providers/microsoft.containerinstance").json()

    assert len(listed) == 3
    assert one in listed
    assert one["registrationState"] == "Registered"
    assert "2025-09-01" in one["resourceTypes"][0]["apiVersions"]


@pytest.mark.parametrize("body", [b"{bad", b"", b"[]", b"null", b'"text"'])
def test_a_body_that_is_no_document_is_invalid_content(arm: Arm, body: bytes) -> None:
    with_group(arm.emulator)

    status, code, _ = error(arm.send("PUT", GROUP_ID, body))

    assert (status, code) == (400, "InvalidRequestContent")


def test_a_group_is_deleted_once_and_is_gone(arm: Arm) -> None:
    with_group(arm.emulator, access={"service_principal": [{"actions": ["*"]}]})
    (url,) = (each["url"] for each in arm.emulator.state()["container_groups"])

    first, second = (arm.send("DELETE", GROUP_ID, b"") for _ in range(2))

    assert (first.status, first.json()["id"], second.status) == (200, GROUP_ID, 204)
    assert arm.get(GROUP_ID).status == 404
    assert arm.emulator.wire.get(f"{url}/weight").status == 404


def test_a_start_of_a_group_is_followed_at_its_location(arm: Arm) -> None:
    with_group(arm.emulator, stopped=True)

    started = arm.post(f"{GROUP_ID}/start")

    assert started.status == 202
    eventually(lambda: arm.follow(started.headers["location"]).status == 200)
    assert arm.get(GROUP_ID).json()["properties"]["instanceView"]["state"] == "Running"


def test_every_instance_was_made_by_somebody(arm: Arm) -> None:
    # azureml-core refuses a whole workspace in which one instance says nothing of it.
    arm.emulator.seed(estate({"name": "ci-ada"}))

    assert set(arm.instance("ci-ada")["createdBy"]) == {"userId", "userOrgId"}
