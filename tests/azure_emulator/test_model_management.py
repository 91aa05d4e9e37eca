"""AML v1 model management by hand: lists, reads, keys, tokens, logs and their refusals."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, Arm, estate, eventually
from tests.azure_emulator.scored import a_service, score, with_services
from tests.support.wire import Reply

SERVICES = f"/modelmanagement/v1.0{WORKSPACE}/services"
TOKENS = {"compute_type": "AKS", "auth_enabled": False, "token_auth_enabled": True}
# What azureml-core 1.61 does not read a service without.
COMMON = {"computeType", "createdTime", "description", "kvTags", "name", "properties"}
INSISTED_UPON = {
    "ACI": COMMON
    | {"appInsightsEnabled", "authEnabled", "cname", "containerResourceRequirements", "location"}
    | {"publicIp", "scoringUri", "sslCertificate", "sslEnabled", "sslKey"},
    "AKS": COMMON
    | {"appInsightsEnabled", "authEnabled", "autoScaler", "computeName", "dataCollection"}
    | {"containerResourceRequirements", "maxConcurrentRequestsPerContainer", "maxQueueWaitMs"}
    | {"numReplicas", "scoringTimeoutMs", "scoringUri", "livenessProbeRequirements"}
    | {"aadAuthEnabled"},
}


def ask(arm: Arm, path: str = "", *, method: str = "GET", token: str | None = None) -> Reply:
    headers = {"Authorization": f"Bearer {arm.token if token is None else token}"}
    return arm.emulator.wire.send(method, f"{SERVICES}{path}", headers=headers)


def names(reply: Reply) -> list[str]:
    return [each["name"] for each in reply.json()["value"]]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_services_are_listed_over_pages_without_an_api_version(arm: Arm, method: str) -> None:
    with_services(arm, *(a_service(name=f"service-{number}") for number in range(4)))

    first = ask(arm, "/list" if method == "POST" else "?expand=true", method=method)
    headers = {"Authorization": f"Bearer {arm.token}"}
    second = arm.emulator.wire.send(method, first.json()["nextLink"], headers=headers)

    assert names(first) + names(second) == [f"service-{number}" for number in range(4)]
    assert "nextLink" not in second.json()


@pytest.mark.parametrize("kind", ["ACI", "AKS"])
def test_a_service_has_all_that_the_sdk_insists_on(arm: Arm, kind: str) -> None:
    with_services(arm, a_service(compute_type=kind))

    found = ask(arm, "/weight").json()

    assert found.keys() >= INSISTED_UPON[kind]
    assert found["scoringUri"] == arm.emulator.state()["services"][0]["scoringUri"]


@pytest.mark.parametrize(
    ("narrowed", "left"),
    [
        ("computeType=AKS", ["on-aks"]),
        ("name=on-aci", ["on-aci"]),
        ("modelName=weight", ["on-aks"]),
        ("modelId=weight:9", []),
        ("imageName=weight&tags=team", ["on-aci"]),
        ("tags=team=risk", []),
        ("tags=team,other", []),
    ],
)
def test_a_list_is_narrowed_by_all_that_it_is_asked_for(
    arm: Arm, narrowed: str, left: list[str]
) -> None:
    on_aci = a_service(name="on-aci", image="weight:4", tags={"team": "growth"})
    on_aks = a_service(name="on-aks", compute_type="AKS", models=["weight:3"])
    with_services(arm, on_aci, on_aks)

    assert names(ask(arm, f"?{narrowed}")) == left


@pytest.mark.parametrize("kind", ["ACI", "AKS"])
def test_keys_are_those_that_open_the_service(arm: Arm, kind: str) -> None:
    with_services(arm, a_service(compute_type=kind))

    keys = ask(arm, "/weight/listkeys", method="POST").json()

    assert [score(arm, key).status for key in keys.values()] == [200, 200]
    assert keys["primaryKey"] != keys["secondaryKey"]
    assert not [key for key in keys.values() if key in json.dumps(arm.emulator.state())]


def test_a_token_opens_the_service_until_it_expires(arm: Arm) -> None:
    with_services(arm, a_service(**TOKENS, token_lifetime_seconds=600))

    reply = ask(arm, "/weight/token", method="POST")

    token = reply.json()
    assert reply.status == 201
    assert time.time() < token["refreshAfter"] < token["expiryOn"] <= time.time() + 600
    assert (score(arm, token["accessToken"]).status, score(arm).status) == (200, 401)


def test_a_service_that_signs_in_otherwise_has_no_token(arm: Arm) -> None:
    with_services(arm, a_service())

    reply = ask(arm, "/weight/token", method="POST")

    assert reply.status == 400
    assert reply.json().keys() == {"code", "statusCode", "message", "details", "correlation"}


@pytest.mark.parametrize(
    ("tail", "content"), [("?tail=1", "two\n"), ("?tail=0", ""), ("", "one\ntwo\n")]
)
def test_logs_are_as_long_as_asked_for(arm: Arm, tail: str, content: str) -> None:
    with_services(arm, a_service(logs="one\ntwo\n"))

    assert ask(arm, f"/weight/logs{tail}").json() == {"content": content}


def test_what_is_not_there_is_not_found(arm: Arm) -> None:
    with_services(arm, a_service())

    assert ask(arm, "/other").json()["code"] == "ServiceNotFound"
    assert ask(arm, "/other").status == ask(arm, "/other/listkeys", method="POST").status == 404


def test_a_stranger_is_told_to_sign_in(arm: Arm) -> None:
    with_services(arm, a_service())

    assert ask(arm, token="").status == ask(arm, token="another").status == 401


@pytest.mark.parametrize(
    "shut",
    [
        {"access": {"service_principal": [{"actions": ["*/workspaces/services/read"]}]}},
        {"forbidden": True},
    ],
    ids=["a reader", "forbidden"],
)
@pytest.mark.parametrize("action", ["listkeys", "token"])
def test_keys_and_tokens_want_an_action_of_their_own(
    arm: Arm, shut: Mapping[str, Any], action: str
) -> None:
    document = estate(services=[a_service(**TOKENS)], forbidden="forbidden" in shut)
    arm.emulator.seed(document | {name: v for name, v in shut.items() if name == "access"})

    reply = ask(arm, f"/weight/{action}", method="POST")

    assert (reply.status, reply.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert ask(arm).status == (403 if "forbidden" in shut else 200)


@pytest.mark.parametrize("action", ["regenerateKeys", ""], ids=["new keys", "deletion"])
def test_who_may_only_read_replaces_and_deletes_nothing(arm: Arm, action: str) -> None:
    access = {"service_principal": [{"actions": ["*/read"]}]}
    arm.emulator.seed(estate(services=[a_service()]) | {"access": access})

    path = f"{SERVICES}/weight"
    reply = (
        arm.send("POST", f"{path}/{action}", {"keyType": "Primary"})
        if action
        else arm.send("DELETE", path, b"")
    )

    assert (reply.status, reply.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert ask(arm, "/weight").status == 200


def test_a_service_answers_until_it_is_deleted_and_is_then_gone(arm: Arm) -> None:
    access = {"service_principal": [{"actions": ["*"]}]}
    arm.emulator.seed(estate(services=[a_service(auth_enabled=False)]) | {"access": access})

    reply = ask(arm, "/weight", method="DELETE")

    assert (reply.status, ask(arm, "/weight").json()["state"]) == (202, "Deleting")
    assert score(arm).status == 200
    eventually(lambda: ask(arm, "/weight").status == 404)
    assert arm.follow(reply.headers["operation-location"]).json()["state"] == "Succeeded"
    assert ask(arm, "/weight", method="DELETE").status == 204


def test_nothing_is_charged_to_resource_managers_buckets(arm: Arm) -> None:
    with_services(arm, a_service())

    ask(arm)

    assert arm.emulator.state()["buckets"] == []
    (record,) = arm.emulator.requests()
    assert record["action"] == "Microsoft.MachineLearningServices/workspaces/services/read"
    assert record["principal"]


def test_faults_strike_and_gaps_are_told(arm: Arm) -> None:
    with_services(arm, a_service())
    arm.emulator.fault("/services$", status=502)

    assert [ask(arm).status for _ in range(2)] == [502, 200]
    assert ask(arm, "/weight", method="PUT").status == 501


@pytest.mark.parametrize(
    "wrong",
    [{"token_auth_enabled": True}, {**TOKENS, "compute_type": "ACI"}, {"name": "Weight"}],
    ids=["keys and tokens", "tokens on ACI", "a capital"],
)
def test_a_service_that_cannot_be_is_refused(arm: Arm, wrong: Mapping[str, Any]) -> None:
    document = {"version": 1, **estate(services=[a_service(**wrong)])}

    assert arm.emulator.wire.send_json("POST", "/_emulator/seed", document).status == 400
