"""Subscriptions, workspaces, machine sizes: what is listed, in pages, and what is kept back."""

from typing import Any

import pytest

from tests.azure_emulator.conftest import SUBSCRIPTION, WORKSPACE, Arm, estate

OTHER = "22222222-2222-4222-8222-222222222222"
WORKSPACES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/workspaces"


def all_pages(arm: Arm, path: str) -> list[list[dict[str, Any]]]:
    document = arm.get(path).json()
    pages = [document["value"]]
    while "nextLink" in document:
        document = arm.follow(document["nextLink"]).json()
        pages.append(document["value"])
    return pages


def test_the_default_seed_shows_two_subscriptions_with_their_workspaces(arm: Arm) -> None:
    subscriptions = arm.get("/subscriptions").json()["value"]

    assert [found["displayName"] for found in subscriptions] == [
        "Data Science Production",
        "Research",
    ]


def test_only_subscriptions_with_a_grant_are_listed(arm: Arm) -> None:
    grant = {"scope": f"/subscriptions/{OTHER}", "actions": ["*"]}
    arm.emulator.seed(
        {
            "subscriptions": [{"id": SUBSCRIPTION}, {"id": OTHER}],
            "access": {"service_principal": [grant]},
        }
    )

    listed = arm.get("/subscriptions").json()["value"]

    assert [found["subscriptionId"] for found in listed] == [OTHER]


def test_pages_follow_the_next_link_to_the_end(arm: Arm) -> None:
    arm.emulator.seed(estate(*({"name": f"ci-{letter}a"} for letter in "abcdefg")))

    pages = all_pages(arm, f"{WORKSPACE}/computes")

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [c["name"] for page in pages for c in page] == [f"ci-{n}a" for n in "abcdefg"]


def test_the_regions_own_service_shows_the_same_computes_and_charges_no_bucket(arm: Arm) -> None:
    arm.emulator.seed(estate(*({"name": f"ci-{letter}a"} for letter in "abcd")))
    path = f"/rp/workspaces{WORKSPACE}/computes"

    pages = all_pages(arm, path)

    assert [c["name"] for page in pages for c in page] == [f"ci-{n}a" for n in "abcd"]
    assert arm.emulator.state()["buckets"] == []


def test_resources_are_listed_by_type(arm: Arm) -> None:
    arm.emulator.seed(estate())
    path = f"/subscriptions/{SUBSCRIPTION}/resources"
    kind = "Microsoft.MachineLearningServices/workspaces"

    lists = [
        [found["id"] for found in arm.get(path, **{"$filter": text}).json()["value"]]
        for text in (f"resourceType eq '{kind}'", "resourceType eq 'Microsoft.Compute/disks'")
    ]

    assert lists == [[WORKSPACE], []]


def test_a_page_may_begin_at_a_number_as_in_the_specification(arm: Arm) -> None:
    arm.emulator.seed(estate(*({"name": f"ci-{letter}a"} for letter in "abcd")))

    document = arm.get(f"{WORKSPACE}/computes", **{"$skip": "2"}).json()

    assert [found["name"] for found in document["value"]] == ["ci-ca", "ci-da"]
    assert "nextLink" not in document


@pytest.mark.parametrize("token", ["-1", "3.0", "٣", "9999999999", "ZnJvbTotNQ==", "\x00", "é"])
def test_a_made_up_page_token_is_refused(arm: Arm, token: str) -> None:
    arm.emulator.seed(estate())

    reply = arm.get(f"{WORKSPACE}/computes", **{"$skip": token})

    assert reply.status == 400


def test_parameter_names_ignore_case(arm: Arm) -> None:
    assert arm.follow("/subscriptions?API-Version=2022-12-01").status == 200


def test_a_forbidden_workspace_is_listed_but_cannot_be_looked_into(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}, forbidden=True))

    listed = [found["id"] for found in arm.get(WORKSPACES).json()["value"]]
    statuses = [
        arm.get(WORKSPACE).status,
        arm.get(f"{WORKSPACE}/computes").status,
        arm.stop("ci-ada").status,
    ]

    assert listed == [WORKSPACE]
    assert statuses == [403, 403, 403]


def test_workspaces_are_found_by_resource_group_and_kind(arm: Arm) -> None:
    arm.emulator.seed(
        {
            "subscriptions": [
                {
                    "id": SUBSCRIPTION,
                    "workspaces": [
                        {"name": "mlw-one", "resource_group": "rg-a"},
                        {"name": "mlw-two", "resource_group": "rg-b"},
                        {"name": "hub-two", "resource_group": "rg-b", "kind": "Hub"},
                    ],
                }
            ]
        }
    )
    group = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG-B"
        "/providers/Microsoft.MachineLearningServices/workspaces"
    )

    by_group = [found["name"] for found in arm.get(group).json()["value"]]
    by_kind = [found["name"] for found in arm.get(WORKSPACES, kind="hub").json()["value"]]

    assert (by_group, by_kind) == (["mlw-two", "hub-two"], ["hub-two"])


def test_an_unregistered_provider_has_no_workspaces(arm: Arm) -> None:
    arm.emulator.seed({"subscriptions": [{"id": SUBSCRIPTION, "registered": False}]})

    reply = arm.get(WORKSPACES)
    provider = arm.get(
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices"
    ).json()

    code = reply.json()["error"]["code"]
    assert (reply.status, code) == (409, "MissingSubscriptionRegistration")
    assert provider["registrationState"] == "NotRegistered"


def test_machine_sizes_have_prices(arm: Arm) -> None:
    path = (
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices"
        "/locations/westeurope/vmSizes"
    )
    arm.emulator.seed(estate())

    sizes = {size["name"]: size for size in arm.get(path).json()["value"]}

    prices = sizes["Standard_DS3_v2"]["estimatedVMPrices"]
    assert (prices["billingCurrency"], prices["unitOfMeasure"]) == ("USD", "OneHour")
    linux = {"retailPrice": 0.29, "osType": "Linux", "vmTier": "Standard"}
    assert linux in prices["values"]
    assert "estimatedVMPrices" not in sizes["Standard_ND40rs_v2"]


def test_usages_count_the_cores_that_run_of_the_regions_quota(arm: Arm) -> None:
    running = {"name": "ci-on", "vm_size": "STANDARD_DS3_V2"}
    off = {"name": "ci-off", "state": "Stopped"}
    cluster = {
        "name": "cluster",
        "compute_type": "AmlCompute",
        "vm_size": "Standard_DS2_v2",
        "nodes": {"running": 3},
    }
    arm.emulator.seed(estate(running, off, cluster))
    location = (
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices"
        "/locations/westeurope"
    )

    usages = {u["name"]["value"]: u for u in arm.get(f"{location}/usages").json()["value"]}
    quotas = {q["name"]["value"]: q for q in arm.get(f"{location}/quotas").json()["value"]}

    family = "standardDSv2Family"
    assert (usages[family]["currentValue"], usages[family]["limit"]) == (4 + 3 * 2, 100)
    assert quotas[family]["limit"] == 100
    assert usages["standardESv3Family"]["currentValue"] == 0


def test_a_workspace_has_the_datastore_of_its_artifacts(arm: Arm) -> None:
    arm.emulator.seed(estate())

    (listed,) = arm.get(f"{WORKSPACE}/datastores").json()["value"]

    assert listed == arm.get(f"{WORKSPACE}/datastores/workspaceartifactstore").json()
