"""What is on the wire, held against the specification of Microsoft.MachineLearningServices.

The names and values are those of the official 2025-12-01 and of the common types v3, in our own
words: enumerations in full, the properties that may be null, and what each answer has to have.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from azure_emulator.estate.states import State
from tests.azure_emulator.conftest import SUBSCRIPTION, WORKSPACE, Arm
from tests.support.wire import Reply

Machines = Callable[..., Arm]
NULLABLE = {
    *("tags", "sku", "description", "resourceId", "provisioningErrors", "subnet", "schedules"),
    *("autologgerSettings", "sshSettings", "customServices", "computeInstanceAuthorizationType"),
    *("enableOSPatching", "enableRootAccess", "enableSSO", "releaseQuotaOnStop", "setupScripts"),
    *("personalComputeInstanceSettings", "lastOperation", "enableNodePublicIp", "containers"),
    *("dataDisks", "dataMounts", "publicIpAddress", "privateIpAddress", "userName", "userId"),
    *("clusterFqdn", "systemServices", "agentCount", "agentVmSize", "sslConfiguration"),
    *("aksNetworkingConfiguration", "loadBalancerSubnet", "runtime", "virtualMachineImage"),
}
# Recorded in live traffic, unknown to the specification.
BEYOND = {"imageVersion", "imageSku", "updateStatus", "etag", "sdkTelemetryAppInsightsKey"}
ENUMERATIONS: dict[str, set[str]] = {
    "provisioningState": {
        *("Unknown", "Updating", "Creating", "Deleting", "Succeeded", "Failed", "Canceled")
    },
    "operationName": {"Create", "Start", "Stop", "Restart", "Resize", "Reimage", "Delete"},
    "operationStatus": {
        *("InProgress", "Succeeded", "CreateFailed", "StartFailed", "StopFailed"),
        *("RestartFailed", "ResizeFailed", "ReimageFailed", "DeleteFailed"),
    },
    "operationTrigger": {"User", "Schedule", "IdleShutdown"},
    "applicationSharingPolicy": {"Personal", "Shared"},
    "computeInstanceAuthorizationType": {"personal"},
    "sshPublicAccess": {"Enabled", "Disabled"},
    "patchStatus": {"CompletedWithWarnings", "Failed", "InProgress", "Succeeded", "Unknown"},
    "allocationState": {"Steady", "Resizing"},
    "vmPriority": {"Dedicated", "LowPriority"},
    "osType": {"Linux", "Windows"},
    "remoteLoginPortPublicAccess": {"Enabled", "Disabled", "NotSpecified"},
    "vmTier": {"Standard", "LowPriority", "Spot"},
    "unitOfMeasure": {"OneHour"},
    "publicNetworkAccess": {"Enabled", "Disabled"},
}
MOMENTS = {
    *("createdOn", "modifiedOn", "operationTime", "allocationStateTransitionTime"),
    *("createdAt", "lastModifiedAt"),
}
KINDS = {
    *("AKS", "AmlCompute", "ComputeInstance", "DataFactory", "DataLakeAnalytics", "Databricks"),
    *("HDInsight", "Kubernetes", "SynapseSpark", "VirtualMachine"),
}
LOCATION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices"


def leaves(document: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All values that are no objects or lists, each with the name of its property."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from leaves(value, key)
    elif isinstance(document, list):
        for value in document:
            yield from leaves(value, name)
    else:
        yield name, document


def complaints(document: Any) -> list[tuple[str, Any]]:
    """What the specification does not let stand."""
    return [leaf for leaf in leaves(document) if not fits(*leaf)]


def fits(name: str, value: Any) -> bool:
    if value is None:
        return name in NULLABLE | BEYOND
    if name in ENUMERATIONS:
        return value in ENUMERATIONS[name]
    return name not in MOMENTS or bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00", value)
    )


def one_of_each() -> list[dict[str, Any]]:
    stays = {"never_settles": True}
    user = {"name": "ada@contoso.example"}
    return [
        *({"name": f"of-{kind.lower()}", "compute_type": kind} for kind in sorted(KINDS)),
        *(
            {"name": f"ci-{state.lower()}", "state": state, "behaviour": stays, "owner": user}
            for state in State
            if state is not State.CREATING
        ),
    ]


def listed(arm: Arm) -> list[dict[str, Any]]:
    document = arm.get(f"{WORKSPACE}/computes").json()
    found: list[dict[str, Any]] = document["value"]
    while "nextLink" in document:
        document = arm.follow(document["nextLink"]).json()
        found += document["value"]
    return found


def test_computes_of_every_type_and_state_fit_the_specification(machines: Machines) -> None:
    arm = machines(*one_of_each())

    found = listed(arm)

    assert {compute["properties"]["computeType"] for compute in found} == KINDS
    assert len(found) == len(one_of_each())
    assert [c for compute in found for c in complaints(compute)] == []
    for compute in found:
        assert compute.keys() >= {"id", "name", "type", "location", "tags", "properties"}
        assert compute["type"] == "Microsoft.MachineLearningServices/workspaces/computes"


def test_while_it_is_created_recordings_go_before_the_specification(machines: Machines) -> None:
    stays = {"never_settles": True}
    arm = machines({"name": "ci-ada", "state": None, "behaviour": stays})

    (compute,) = listed(arm)

    null = {name for name, value in complaints(compute) if value is None}
    assert {"state", "idleTimeBeforeShutdown", "osImageMetadata", "connectivityEndpoints"} <= null
    assert [value for _, value in complaints(compute) if value is not None] == []


def test_workspaces_and_sizes_fit_the_specification(machines: Machines) -> None:
    arm = machines()

    workspace = arm.get(WORKSPACE).json()
    sizes = arm.get(f"{LOCATION}/locations/westeurope/vmSizes").json()["value"]

    assert complaints(workspace) == complaints(sizes) == []
    assert workspace.keys() >= {"id", "name", "type", "location", "kind", "sku", "properties"}
    for size in sizes:
        assert isinstance(size["vCPUs"], int)
        assert {"name", "family", "gpus", "memoryGB", "supportedComputeTypes"} <= size.keys()


def test_an_operation_says_its_status_as_the_common_types_do(machines: Machines) -> None:
    stuck = {"never_stops": True}
    arm = machines({"name": "ci-ada", "behaviour": stuck}, {"name": "ci-bob", "state": "Running"})

    stopping = arm.follow(arm.stop("ci-ada").headers["azure-asyncoperation"]).json()
    started = arm.post(f"{WORKSPACE}/computes/ci-bob/start")
    failed = arm.follow(started.headers["azure-asyncoperation"]).json()

    assert stopping["status"] == "InProgress"
    assert failed["status"] == "Failed"
    assert failed["error"].keys() == {"code", "message"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda arm: arm.follow(WORKSPACE),
        lambda arm: arm.emulator.wire.get(f"{WORKSPACE}?api-version=2025-12-01"),
        lambda arm: arm.get(f"{WORKSPACE}/computes/ci-none"),
        lambda arm: arm.stop("cpu-cluster"),
        lambda arm: arm.stop("ci-starting"),
        lambda arm: arm.send("PATCH", f"{WORKSPACE}/computes/cpu-cluster", {}),
        lambda arm: arm.post(f"{WORKSPACE}/computes/ci-starting/resize"),
    ],
    ids=["400", "401", "404", "400 type", "409", "400 body", "501"],
)
def test_every_error_is_in_the_common_envelope(
    machines: Machines, ask: Callable[[Arm], Reply]
) -> None:
    arm = machines(
        {"name": "cpu-cluster", "compute_type": "AmlCompute"},
        {"name": "ci-starting", "state": "Starting", "behaviour": {"never_settles": True}},
    )

    reply = ask(arm)

    document = reply.json()
    assert reply.status >= 400
    assert document.keys() == {"error"}
    assert document["error"].keys() == {"code", "message"}
    assert all(isinstance(text, str) and text for text in document["error"].values())
