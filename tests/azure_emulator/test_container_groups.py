"""Container groups in Resource Manager: reads, PUT, restarts in place, and what goes wrong."""

import re
from typing import Any

import pytest

from tests.azure_emulator.conftest import Arm, eventually
from tests.support.container_groups import (
    GOLDEN,
    GOOD,
    GROUP_ID,
    REPOSITORY,
    SUBSCRIPTION,
    a_container,
    a_group,
    push,
    seen,
    with_group,
)

LIST = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/containerGroups"
PROBE = {"httpGet": {"port": 8000, "path": "/ready"}}
SECURE = {
    "imageRegistryCredentials": [
        {"server": "contoso.azurecr.io", "username": "puller", "password": "registry-secret"}
    ],
    "volumes": [
        {
            "name": "models",
            "azureFile": {
                "shareName": "models",
                "storageAccountName": "stmodels",
                "storageAccountKey": "share-secret",
            },
        },
        {"name": "conf", "secret": {"conf.R": "ZmlsZS1zZWNyZXQ="}},
    ],
    "diagnostics": {"logAnalytics": {"workspaceId": "w", "workspaceKey": "log-secret"}},
}


def group(arm: Arm) -> dict[str, Any]:
    found: dict[str, Any] = arm.get(GROUP_ID).json()
    return found


def view(arm: Arm) -> dict[str, Any]:
    """The instance view of the group's first container."""
    found: dict[str, Any] = group(arm)["properties"]["containers"][0]["properties"]["instanceView"]
    return found


def events(arm: Arm) -> dict[str, str]:
    return {each["name"]: each["message"] for each in view(arm)["events"]}


def settled(arm: Arm) -> bool:
    state = seen(arm.emulator)
    running = all(each["state"] == "Running" for each in state["containers"])
    return running and state["provisioningState"] == "Succeeded"


def test_a_group_of_the_seed_runs_and_its_pull_event_names_the_digest(arm: Arm) -> None:
    with_group(arm.emulator)

    found, events_ = group(arm), events(arm)

    assert found["properties"]["provisioningState"] == "Succeeded"
    assert found["properties"]["instanceView"]["state"] == "Running"
    assert view(arm)["currentState"]["state"] == "Running"
    image_id = seen(arm.emulator)["containers"][0]["imageId"]
    assert image_id.startswith(f"{REPOSITORY}@sha256:")
    assert events_["Pulled"] == f'Successfully pulled image "{image_id}"'


@pytest.mark.parametrize(
    "path", [LIST, GROUP_ID.rpartition("/")[0]], ids=["subscription", "resource group"]
)
def test_lists_hold_no_instance_views(arm: Arm, path: str) -> None:
    with_group(arm.emulator)

    (found,) = arm.get(path).json()["value"]

    assert found["id"] == GROUP_ID
    assert "instanceView" not in str(found)


def test_no_answer_shows_a_secure_value(arm: Arm) -> None:
    secret = {"name": "API_KEY", "secureValue": "env-secret"}
    plain = {"name": "PORT", "value": "8000"}
    container = a_container(environmentVariables=[secret, plain])
    with_group(arm.emulator, a_group(container, **SECURE))

    body = arm.get(GROUP_ID).body.decode() + arm.get(LIST).body.decode()

    assert not [each for each in ("env-", "registry-", "share-", "log-", "Zmls") if each in body]
    variables = group(arm)["properties"]["containers"][0]["properties"]["environmentVariables"]
    assert variables == [{"name": "API_KEY"}, plain]
    assert seen(arm.emulator)["secureValues"].keys() == {
        "containers/weight/environmentVariables/API_KEY",
        "imageRegistryCredentials/contoso.azurecr.io/password",
        "volumes/models/azureFile/storageAccountKey",
        "volumes/conf/secret/conf.R",
        "diagnostics/logAnalytics/workspaceKey",
    }


def test_a_put_replaces_all_and_restarts_in_place(arm: Arm) -> None:
    secret = {"name": "API_KEY", "secureValue": "env-secret"}
    with_group(arm.emulator, a_group(a_container(environmentVariables=[secret])))
    before = seen(arm.emulator)["containers"][0]

    reply = arm.send("PUT", GROUP_ID, a_group(a_container(image=f"{REPOSITORY}:2")))
    eventually(lambda: settled(arm))

    after = seen(arm.emulator)
    assert (reply.status, reply.json()["properties"]["provisioningState"]) == (200, "Pending")
    assert after["containers"][0]["startedAt"] > before["startedAt"]
    assert after["containers"][0]["imageId"] != before["imageId"]
    assert (after["secureValues"], after["effects"]["puts"]) == ({}, 1)


def test_a_put_makes_a_group_that_was_not_there(arm: Arm) -> None:
    with_group(arm.emulator)

    reply = arm.send("PUT", f"{GROUP_ID}-2", a_group())

    assert reply.status == 201
    assert len(arm.get(LIST).json()["value"]) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (a_group(a_container(image=f"{REPOSITORY}:99")), "InaccessibleImage"),
        (a_group(restartPolicy="Never"), "InvalidContainerGroupUpdate"),
        ({"location": "westeurope", "properties": {"containers": []}}, "UserError"),
    ],
    ids=["image", "restart policy", "no container"],
)
def test_a_wrong_put_is_refused_and_changes_nothing(arm: Arm, body: Any, code: str) -> None:
    with_group(arm.emulator)
    before = seen(arm.emulator)

    reply = arm.send("PUT", GROUP_ID, body)

    assert (reply.status, reply.json()["error"]["code"]) == (400, code)
    assert seen(arm.emulator) == before


def test_a_restart_pulls_what_the_tag_leads_to_now(arm: Arm) -> None:
    with_group(arm.emulator)
    before = seen(arm.emulator)["containers"][0]
    digest = push(arm.emulator, GOOD, logs="new\n")

    reply = arm.post(f"{GROUP_ID}/restart")
    eventually(lambda: digest in (seen(arm.emulator)["containers"][0]["imageId"] or ""))
    eventually(lambda: settled(arm))

    assert (reply.status, reply.body) == (204, b"")
    assert seen(arm.emulator)["containers"][0]["startedAt"] > before["startedAt"]
    assert arm.get(f"{GROUP_ID}/containers/weight/logs", tail="1").json() == {"content": "new\n"}


@pytest.mark.parametrize(("tail", "lines"), [("0", 0), ("1", 1), ("9", 2), ("²", 2)])
def test_a_log_has_as_many_lines_as_are_asked_for(arm: Arm, tail: str, lines: int) -> None:
    with_group(arm.emulator, images={GOOD: {"logs": "one\ntwo\n"}})

    shown = arm.get(f"{GROUP_ID}/containers/weight/logs", tail=tail, timestamps="true").json()

    written = shown["content"].splitlines()
    assert len(written) == lines
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z (one|two)", line) for line in written)


def test_a_group_in_transition_refuses_to_be_changed(arm: Arm) -> None:
    with_group(arm.emulator, behaviour={"begins_after_seconds": 600})
    arm.send("PUT", GROUP_ID, a_group())

    refused = [arm.send("PUT", GROUP_ID, a_group()), arm.post(f"{GROUP_ID}/restart")]

    codes = [(each.status, each.json()["error"]["code"]) for each in refused]
    assert codes == [(409, "ContainerGroupTransitioning")] * 2


def test_a_stopped_group_is_started_anew(arm: Arm) -> None:
    with_group(arm.emulator)
    states = [arm.post(f"{GROUP_ID}/start").status, arm.post(f"{GROUP_ID}/stop").status]
    assert group(arm)["properties"]["instanceView"]["state"] == "Stopped"

    states += [arm.post(f"{GROUP_ID}/restart").status, arm.post(f"{GROUP_ID}/start").status]
    eventually(lambda: settled(arm))

    assert states == [204, 204, 409, 202]


def test_tags_are_patched_without_a_restart(arm: Arm) -> None:
    with_group(arm.emulator)
    before = view(arm)

    reply = arm.send("PATCH", GROUP_ID, {"tags": {"team": "growth"}})

    assert (reply.status, reply.json()["tags"]) == (200, {"team": "growth"})
    assert view(arm) == before


def test_a_crash_loop_is_told_with_its_exit_code_and_count(arm: Arm) -> None:
    with_group(arm.emulator)

    arm.send("PUT", GROUP_ID, a_group(a_container(image=f"{REPOSITORY}:crashes")))
    eventually(lambda: view(arm)["restartCount"] >= 2)

    found = view(arm)
    assert found["previousState"]["exitCode"] == 1
    assert found["currentState"]["state"] in {"Waiting", "Running", "Terminated"}
    assert "BackOff" in events(arm)


def test_what_may_not_start_again_fails(arm: Arm) -> None:
    with_group(
        arm.emulator, a_group(a_container(image=f"{REPOSITORY}:crashes"), restartPolicy="Never")
    )

    eventually(lambda: group(arm)["properties"]["instanceView"]["state"] == "Failed")

    assert view(arm)["currentState"]["exitCode"] == 1


def test_a_pull_that_fails_leaves_the_container_waiting(arm: Arm) -> None:
    with_group(arm.emulator, behaviour={"accepts_any_image": True})

    arm.send("PUT", GROUP_ID, a_group(a_container(image=f"{REPOSITORY}:99")))
    eventually(lambda: group(arm)["properties"]["provisioningState"] == "Failed")

    assert view(arm)["currentState"]["detailStatus"] == "ImagePullBackOff"
    assert events(arm)["Failed"].startswith(f'Failed to pull image "{REPOSITORY}:99"')


def test_one_that_is_never_ready_runs_but_its_probe_fails_on(arm: Arm) -> None:
    container = a_container(image=f"{REPOSITORY}:never-ready", readinessProbe=PROBE)
    with_group(arm.emulator, a_group(container))
    eventually(lambda: settled(arm))
    first = next(each for each in view(arm)["events"] if each["name"] == "Unhealthy")

    eventually(lambda: view(arm)["events"][-1]["count"] > first["count"])

    assert view(arm)["events"][-1]["lastTimestamp"] > first["lastTimestamp"]
    assert arm.emulator.wire.get(f"{seen(arm.emulator)['url']}/weight").status == 503


def test_what_runs_answers_without_a_sign_in(arm: Arm) -> None:
    with_group(arm.emulator)

    reply = arm.emulator.wire.get(f"{seen(arm.emulator)['url']}/weight")

    assert (reply.status, reply.json()) == (200, GOLDEN["content"])
    assert seen(arm.emulator)["requests"] == 1


def test_a_reader_may_change_nothing(arm: Arm) -> None:
    with_group(arm.emulator, access={"service_principal": [{"actions": ["*/read"]}]})

    refused = [
        arm.send("PUT", GROUP_ID, a_group()),
        *(arm.post(f"{GROUP_ID}/{action}") for action in ("start", "stop", "restart")),
    ]

    assert [each.status for each in refused] == [403] * 4
    assert arm.get(f"{GROUP_ID}/containers/weight/logs").status == 200


def test_a_group_that_is_not_there_is_not_found(arm: Arm) -> None:
    reply = arm.get(GROUP_ID)

    assert (reply.status, reply.json()["error"]["code"]) == (404, "SubscriptionNotFound")
    with_group(arm.emulator)
    assert arm.get(f"{GROUP_ID}-2").json()["error"]["code"] == "ResourceNotFound"
    assert arm.get(f"{GROUP_ID}/containers/none/logs").status == 404
