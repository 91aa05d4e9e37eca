"""Compute instances on the wire, and what stop, start and restart do to them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from azure_emulator.estate.states import State
from tests.azure_emulator.conftest import WORKSPACE, Arm, eventually

Machines = Callable[..., Arm]
SERVICE_PRINCIPAL = "5e2f80b4-7c19-4d6a-b3e5-1f9a6c82d047"
SLOW = {"stop_seconds": 10_000}
OTHER_TYPES = [
    "AKS",
    "AmlCompute",
    "DataFactory",
    "DataLakeAnalytics",
    "Databricks",
    "HDInsight",
    "Kubernetes",
    "SynapseSpark",
    "VirtualMachine",
]


def error_of(document: dict[str, Any]) -> tuple[str, str]:
    return document["error"]["code"], document["error"]["message"]


@pytest.mark.parametrize("state", [*State, None])
def test_every_state_is_shown_as_azure_spells_it(machines: Machines, state: str | None) -> None:
    arm = machines({"name": "ci-ada", "state": state, "behaviour": {"never_settles": True}})

    assert arm.instance("ci-ada")["state"] == state


def test_while_it_is_created_much_is_null_or_missing(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "state": None, "behaviour": {"never_settles": True}})

    document = arm.get(f"{WORKSPACE}/computes/ci-ada").json()

    inner = document["properties"]["properties"]
    assert document["tags"] is None
    assert document["properties"]["provisioningState"] == "Creating"
    assert "computeLocation" not in document["properties"]
    assert "schedules" not in inner
    assert (inner["lastOperation"], inner["connectivityEndpoints"]) == (None, None)


def test_the_owner_may_have_no_name(machines: Machines) -> None:
    owner = {"object_id": "4b0c7a5e-2f91-4d36-a8e7-c15d90b3f642"}
    arm = machines({"name": "ci-ada", "owner": owner})

    created_by = arm.instance("ci-ada")["createdBy"]

    assert created_by["userId"] == owner["object_id"]
    assert "userName" not in created_by


def test_a_seed_may_override_what_is_on_the_wire(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "properties": {"idleTimeBeforeShutdown": "PT60M"}})

    assert arm.instance("ci-ada")["idleTimeBeforeShutdown"] == "PT60M"


@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_other_computes_are_listed_and_cannot_be_stopped(machines: Machines, kind: str) -> None:
    arm = machines({"name": "other", "compute_type": kind})

    listed = arm.get(f"{WORKSPACE}/computes").json()["value"]
    reply = arm.stop("other")

    assert [found["properties"]["computeType"] for found in listed] == [kind]
    assert reply.status == 400
    assert error_of(reply.json())[1] == f"StopCompute with computeType {kind} is not supported."


def test_a_stop_is_answered_as_recorded_and_seen_stopped_in_the_end(machines: Machines) -> None:
    arm = machines({"name": "ci-ada"})

    reply = arm.stop("ci-ada")
    eventually(lambda: arm.instance("ci-ada")["state"] == "Stopped")

    operation = reply.headers["azure-asyncoperation"]
    assert (reply.status, reply.body) == (202, b"")
    assert not {"location", "retry-after"} & set(reply.headers)
    assert "/locations/westeurope/computeOperationsStatus/" in operation
    assert len(operation) > 4096
    last = arm.instance("ci-ada")["lastOperation"]
    assert (last["operationName"], last["operationStatus"]) == ("Stop", "Succeeded")
    assert arm.follow(operation).json() == {"status": "Succeeded", "percentComplete": 100.0}
    changes = [(c["state"], c["by"]) for c in arm.emulator.computes()["ci-ada"]["history"]]
    assert changes == [("Running", "seed"), ("Stopping", SERVICE_PRINCIPAL), ("Stopped", "azure")]


def test_the_last_operation_tells_when_it_began_also_once_it_is_over(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "behaviour": SLOW}, {"name": "ci-bob"})

    arm.stop("ci-ada")
    arm.stop("ci-bob")
    eventually(lambda: arm.instance("ci-bob")["state"] == "Stopped")

    ada, bob = arm.instance("ci-ada"), arm.instance("ci-bob")["lastOperation"]
    began = arm.emulator.computes()["ci-bob"]["history"][1]["at"]
    assert ada["state"] == "Stopping"
    assert ada["lastOperation"] == bob | {
        "operationStatus": "InProgress",
        "operationTime": ada["lastOperation"]["operationTime"],
    }
    assert datetime.fromisoformat(bob["operationTime"]) == datetime.fromisoformat(began)


def test_an_operation_is_in_progress_until_the_machine_is_off(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "behaviour": SLOW})

    operation = arm.stop("ci-ada").headers["azure-asyncoperation"]

    assert arm.follow(operation).json() == {"status": "InProgress"}


@pytest.mark.parametrize("state", ["JobRunning", "Unusable", "SetupFailed", "UserSetupFailed"])
def test_these_can_be_stopped_too(machines: Machines, state: str) -> None:
    arm = machines({"name": "ci-ada", "state": state})

    status = arm.stop("ci-ada").status
    eventually(lambda: arm.history("ci-ada")[-1] == "Stopped")

    assert (status, arm.history("ci-ada")) == (202, [state, "Stopping", "Stopped"])


@pytest.mark.parametrize("state", ["Starting", "Restarting", "Stopping", "Deleting", None])
def test_while_another_operation_runs_a_stop_is_409(machines: Machines, state: str | None) -> None:
    stays = {"never_settles": True, "never_stops": True}
    arm = machines({"name": "ci-ada", "state": state, "behaviour": stays})

    reply = arm.stop("ci-ada")

    assert (reply.status, error_of(reply.json())[0]) == (409, "Conflict")
    assert arm.emulator.computes()["ci-ada"]["stop_requests"] == 1


def test_a_second_stop_is_409_and_counted(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "behaviour": SLOW})

    statuses = [arm.stop("ci-ada").status, arm.stop("ci-ada").status]

    assert statuses == [202, 409]
    assert arm.emulator.computes()["ci-ada"]["stop_requests"] == 2


def test_stopping_what_is_stopped_changes_nothing(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "state": "Stopped"})

    reply = arm.stop("ci-ada")

    assert reply.status == 202
    assert arm.follow(reply.headers["azure-asyncoperation"]).json()["status"] == "Succeeded"
    assert arm.history("ci-ada") == ["Stopped"]


def test_a_full_disk_refuses_the_stop(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "behaviour": {"disk_full": True}})

    reply = arm.stop("ci-ada")

    assert reply.status == 400
    message = "StopCompute is not allowed when ComputeInstance disk is full."
    assert error_of(reply.json())[1] == message
    assert arm.history("ci-ada") == ["Running"]


def test_an_unusable_machine_may_refuse_the_stop(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "state": "Unusable", "behaviour": {"refuses_stop": True}})

    reply = arm.stop("ci-ada")

    assert (reply.status, error_of(reply.json())[0]) == (400, "UserError")
    assert "Unusable" in error_of(reply.json())[1]


def test_a_stop_that_fails_says_why_on_its_operation(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "behaviour": {"stop_fails": True}})

    operation = arm.stop("ci-ada").headers["azure-asyncoperation"]
    eventually(lambda: arm.instance("ci-ada")["state"] == "Running")

    assert arm.history("ci-ada") == ["Running", "Stopping", "Running"]
    last = arm.instance("ci-ada")["lastOperation"]
    assert (last["operationName"], last["operationStatus"]) == ("Stop", "StopFailed")
    document = arm.follow(operation).json()
    assert document["status"] == "Failed"
    assert document["error"]["code"] == "StopComputeInstanceFailed"


def test_one_never_leaves_stopping(machines: Machines) -> None:
    arm = machines({"name": "ci-stuck", "behaviour": {"never_stops": True}}, {"name": "ci-other"})

    arm.stop("ci-stuck")
    arm.stop("ci-other")
    eventually(lambda: arm.history("ci-other")[-1] == "Stopped")

    assert arm.history("ci-stuck") == ["Running", "Stopping"]


@pytest.mark.parametrize("trigger", ["User", "Schedule"])
def test_a_machine_started_again_is_never_seen_stopped(machines: Machines, trigger: str) -> None:
    again = {"starts_again_after": 5, "started_by": trigger}
    arm = machines({"name": "ci-ada", "behaviour": again})

    arm.stop("ci-ada")
    seen: list[str] = []

    def runs_again() -> bool:
        seen.append(arm.instance("ci-ada")["state"])
        return seen[-1] == "Running"

    eventually(runs_again)

    assert set(seen) <= {"Stopping", "Starting", "Running"}
    assert arm.history("ci-ada") == ["Running", "Stopping", "Stopped", "Starting", "Running"]
    last = arm.instance("ci-ada")["lastOperation"]
    assert (last["operationName"], last["operationTrigger"]) == ("Start", trigger)


def test_conflicts_end_after_a_while(machines: Machines) -> None:
    arm = machines(
        {"name": "ci-ada", "behaviour": {"conflict_until": 25}},
        {"name": "ci-bob", "behaviour": {"conflict_until": 100_000}},
    )

    eventually(lambda: arm.stop("ci-ada").status == 202)

    assert arm.stop("ci-bob").status == 409


def test_a_transitional_state_of_the_seed_settles(machines: Machines) -> None:
    arm = machines(
        {"name": "ci-ada", "state": "Starting"},
        {"name": "ci-bob", "state": "Stopping"},
        {"name": "ci-chen", "state": "Creating", "behaviour": {"settles_after": 1}},
    )

    eventually(lambda: arm.history("ci-ada")[-1] == "Running")

    assert arm.history("ci-bob") == ["Stopping", "Stopped"]
    assert arm.history("ci-chen") == ["Creating", "Running"]


def test_start_and_restart_take_a_machine_through_their_states(machines: Machines) -> None:
    arm = machines({"name": "ci-off", "state": "Stopped"}, {"name": "ci-on"})

    arm.post(f"{WORKSPACE}/computes/ci-off/start")
    arm.post(f"{WORKSPACE}/computes/ci-on/restart")
    eventually(lambda: arm.history("ci-on")[-1] == "Running")
    eventually(lambda: arm.history("ci-off")[-1] == "Running")

    assert arm.history("ci-off") == ["Stopped", "Starting", "Running"]
    assert arm.history("ci-on") == ["Running", "Restarting", "Running"]


def test_starting_what_runs_fails_after_the_202(machines: Machines) -> None:
    arm = machines({"name": "ci-ada"})

    reply = arm.post(f"{WORKSPACE}/computes/ci-ada/start")

    document = arm.follow(reply.headers["azure-asyncoperation"]).json()
    assert (reply.status, document["status"]) == (202, "Failed")
    assert document["error"]["code"] == "StartComputeInstanceOnlyAllowedInStoppedState"
