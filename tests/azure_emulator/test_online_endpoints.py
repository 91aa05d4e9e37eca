"""AML v2 online endpoints in Resource Manager: lists, reads, keys, tokens."""

import json
import time
from typing import Any

import pytest

from tests.azure_emulator.conftest import SUBSCRIPTION, WORKSPACE, Arm, estate
from tests.azure_emulator.scored import (
    a_deployment,
    an_endpoint,
    endpoint_path,
    primary_key,
    with_endpoints,
)

READER = {"service_principal": [{"actions": ["*/read"]}]}


def test_endpoints_are_listed_over_pages_in_the_order_of_the_seed(arm: Arm) -> None:
    names = [f"endpoint-{number}" for number in range(5)]
    with_endpoints(arm, *(an_endpoint(name=name) for name in names))

    first = arm.get(f"{WORKSPACE}/onlineEndpoints").json()
    second = arm.follow(first["nextLink"]).json()

    assert [each["name"] for each in (*first["value"], *second["value"])] == names
    assert "nextLink" not in second


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"computeType": "Managed"}, ["managed"]),
        ({"computeType": "kubernetes"}, ["on-cluster"]),
        ({"name": "managed"}, ["managed"]),
        ({"name": "other"}, []),
    ],
    ids=["managed", "kubernetes", "name", "no such name"],
)
def test_a_list_is_narrowed_to_what_is_asked_for(
    arm: Arm, query: dict[str, str], found: list[str]
) -> None:
    with_endpoints(arm, an_endpoint(name="managed"), an_endpoint(name="on-cluster", compute="k8s"))

    listed = arm.get(f"{WORKSPACE}/onlineEndpoints", **query).json()["value"]

    assert [each["name"] for each in listed] == found


def test_an_endpoint_is_read_in_any_spelling_with_all_a_prober_needs(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint(tags={"team": "growth"}, auth_mode="AMLToken"))

    found = arm.get(endpoint_path("WEIGHT")).json()

    properties = found["properties"]
    assert (found["id"], found["tags"]) == (endpoint_path(), {"team": "growth"})
    assert (properties["authMode"], properties["traffic"]) == ("AMLToken", {"blue": 100})
    assert properties["scoringUri"] == arm.emulator.state()["endpoints"][0]["scoringUri"]


def test_a_scoring_uri_of_the_seeds_is_shown_as_it_is(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint(scoring_uri="http://127.0.0.7:8000/score"))

    properties = arm.get(endpoint_path()).json()["properties"]

    assert properties["scoringUri"] == "http://127.0.0.7:8000/score"


def test_deployments_are_listed_and_read_with_model_and_size(arm: Arm) -> None:
    blue = a_deployment(model="weight-lm:4", instance_count=2, provisioning_state="Scaling")
    with_endpoints(arm, an_endpoint(deployments=[blue, a_deployment("green")]))

    listed = arm.get(f"{endpoint_path()}/deployments").json()["value"]
    found = arm.get(f"{endpoint_path()}/deployments/Blue").json()

    assert [each["name"] for each in listed] == ["blue", "green"]
    assert found == listed[0]
    assert found["properties"]["model"] == f"{WORKSPACE}/models/weight-lm/versions/4"
    assert (found["sku"]["capacity"], found["properties"]["provisioningState"]) == (2, "Scaling")


@pytest.mark.parametrize("path", ["/onlineEndpoints/none", "/onlineEndpoints/weight/deployments/x"])
def test_what_is_not_there_is_not_found(arm: Arm, path: str) -> None:
    with_endpoints(arm, an_endpoint())

    reply = arm.get(f"{WORKSPACE}{path}")

    assert (reply.status, reply.json()["error"]["code"]) == (404, "ResourceNotFound")


def test_keys_are_made_anew_with_each_estate_and_differ(arm: Arm) -> None:
    before = with_endpoints(arm, an_endpoint(), an_endpoint(name="other"))
    keys = before.post(f"{endpoint_path()}/listKeys").json()
    others = before.post(f"{endpoint_path('other')}/listKeys").json()
    after = with_endpoints(arm, an_endpoint())

    assert keys.keys() == {"primaryKey", "secondaryKey"}
    assert len({*keys.values(), *others.values(), primary_key(after)}) == 5


def test_a_token_says_in_unix_seconds_how_long_it_lasts(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint(auth_mode="AMLToken", token_lifetime_seconds=900))

    token = arm.post(f"{endpoint_path()}/token").json()

    left = token["expiryTimeUtc"] - time.time()
    assert 850 < left <= 900
    assert time.time() < token["refreshAfterTimeUtc"] < token["expiryTimeUtc"]
    assert (token["tokenType"], bool(token["accessToken"])) == ("Bearer", True)


@pytest.mark.parametrize(
    ("mode", "action"), [("AMLToken", "listKeys"), ("Key", "token"), ("AADToken", "listKeys")]
)
def test_an_endpoint_hands_out_only_what_it_signs_in_with(arm: Arm, mode: str, action: str) -> None:
    with_endpoints(arm, an_endpoint(auth_mode=mode))

    assert arm.post(f"{endpoint_path()}/{action}").status == 400


@pytest.mark.parametrize("action", ["listKeys", "token"])
def test_a_reader_gets_no_keys_and_no_tokens(arm: Arm, action: str) -> None:
    with_endpoints(arm, an_endpoint(), access=READER)

    reply = arm.post(f"{endpoint_path()}/{action}")

    assert arm.get(endpoint_path()).status == 200
    assert reply.status == 403
    assert f"onlineEndpoints/{action}/action" in reply.json()["error"]["message"]


def test_a_forbidden_workspace_shows_no_endpoints(arm: Arm) -> None:
    arm.emulator.seed(estate(online_endpoints=[an_endpoint()], forbidden=True))

    assert arm.get(f"{WORKSPACE}/onlineEndpoints").status == 403


def test_the_state_and_the_lists_show_no_key(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint())
    keys = arm.post(f"{endpoint_path()}/listKeys").json().values()

    shown = json.dumps([arm.emulator.state(), arm.get(f"{WORKSPACE}/onlineEndpoints").json()])

    assert not [key for key in keys if key in shown]
    (endpoint,) = arm.emulator.state()["endpoints"]
    (blue,) = endpoint["deployments"]
    assert (blue["name"], blue["provisioningState"], blue["requests"]) == ("blue", "Succeeded", 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"traffic": {"red": 100}},
        {"traffic": {"blue": 60}},
        {"scoring_uri": "https://weight.westeurope.inference.ml.azure.com/score"},
        {"deployments": [a_deployment("blue"), a_deployment("Blue")]},
    ],
    ids=["traffic to nobody", "not 100", "public", "twice"],
)
def test_a_seed_that_makes_no_sense_is_refused(arm: Arm, wrong: dict[str, Any]) -> None:
    document = {"version": 1, **estate(online_endpoints=[an_endpoint(**wrong)])}

    reply = arm.emulator.wire.send_json("POST", "/_emulator/seed", document)

    assert reply.status == 400
    assert "online_endpoints" in reply.json()["error"]["message"]


def test_another_subscriptions_endpoints_are_not_there(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint())
    other = endpoint_path().replace(SUBSCRIPTION, "99999999-9999-4999-8999-999999999999")

    assert arm.get(other).status == 404
