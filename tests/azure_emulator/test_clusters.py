"""AmlCompute clusters on the wire, and what an update of their bounds does to them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, Arm, estate, eventually
from tests.conftest import StartEmulator
from tests.support.wire import Reply

Machines = Callable[..., Arm]
CLUSTER = f"{WORKSPACE}/computes/cpu-cluster"


def a_cluster(**settings: Any) -> dict[str, Any]:
    return {"name": "cpu-cluster", "compute_type": "AmlCompute", **settings}


def scale_settings(**settings: Any) -> dict[str, Any]:
    return {"properties": {"properties": {"scaleSettings": settings}}}


def patch(arm: Arm, document: Any, *, path: str = CLUSTER) -> Reply:
    return arm.send("PATCH", path, document)


def counts(inner: dict[str, Any]) -> dict[str, int]:
    """The nodes by state, without those of which there are none."""
    found = inner["nodeStateCounts"].items()
    return {name.removesuffix("NodeCount"): number for name, number in found if number}


def test_a_cluster_keeps_the_nodes_that_its_minimum_asks_for(machines: Machines) -> None:
    arm = machines(a_cluster(scale={"min_node_count": 2, "max_node_count": 6}))

    inner = arm.instance("cpu-cluster")

    assert inner["scaleSettings"] == {
        "minNodeCount": 2,
        "maxNodeCount": 6,
        "nodeIdleTimeBeforeScaleDown": "PT120S",
    }
    assert (inner["currentNodeCount"], inner["targetNodeCount"]) == (2, 2)
    assert (counts(inner), inner["allocationState"]) == ({"idle": 2}, "Steady")


def test_a_new_minimum_of_zero_lets_idle_nodes_go_and_busy_ones_stay(machines: Machines) -> None:
    bounds = {"min_node_count": 3, "max_node_count": 6, "node_idle_time_before_scale_down": "PT5S"}
    arm = machines(a_cluster(scale=bounds, nodes={"idle": 2, "running": 1}))

    reply = patch(arm, scale_settings(minNodeCount=0, maxNodeCount=6))
    eventually(lambda: counts(arm.instance("cpu-cluster")) == {"running": 1})

    properties = reply.json()["properties"]
    assert (reply.status, properties["provisioningState"]) == (200, "Updating")
    assert properties["properties"]["scaleSettings"]["minNodeCount"] == 0
    operation = arm.follow(reply.headers["azure-asyncoperation"]).json()
    assert operation["status"] == "Succeeded"
    document = arm.get(CLUSTER).json()
    assert document["properties"]["provisioningState"] == "Succeeded"
    assert document["properties"]["properties"]["scaleSettings"] == {
        "minNodeCount": 0,
        "maxNodeCount": 6,
        "nodeIdleTimeBeforeScaleDown": "PT5S",
    }


def test_a_higher_minimum_brings_nodes(machines: Machines) -> None:
    arm = machines(a_cluster())

    patch(arm, scale_settings(minNodeCount=2, maxNodeCount=4))
    eventually(lambda: arm.instance("cpu-cluster")["allocationState"] == "Resizing")
    preparing = counts(arm.instance("cpu-cluster"))
    eventually(lambda: arm.instance("cpu-cluster")["allocationState"] == "Steady")

    assert preparing == {"preparing": 2}
    assert counts(arm.instance("cpu-cluster")) == {"idle": 2}


def test_the_body_of_2020_is_understood_too(machines: Machines) -> None:
    arm = machines(a_cluster())

    reply = patch(arm, {"properties": {"scaleSettings": {"maxNodeCount": 9}}})

    assert reply.status == 200
    assert arm.instance("cpu-cluster")["scaleSettings"]["maxNodeCount"] == 9


def test_a_second_update_during_the_first_is_409(start_emulator: StartEmulator) -> None:
    emulator = start_emulator("--time-scale", "100")
    arm = Arm(emulator=emulator, token=emulator.arm_token())
    emulator.seed(estate(a_cluster()))
    wanted = scale_settings(maxNodeCount=9)

    statuses = [patch(arm, wanted).status, patch(arm, wanted).status]

    assert statuses == [200, 409]


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({}, "properties"),
        ({"properties": {}}, "scaleSettings"),
        (scale_settings(minNodeCount=0), "maxNodeCount"),
        (scale_settings(maxNodeCount="4"), "maxNodeCount"),
        (scale_settings(maxNodeCount=-1), "maxNodeCount"),
        (scale_settings(maxNodeCount=1, minNodeCount=2), "minNodeCount is above"),
        (scale_settings(maxNodeCount=1, nodeIdleTimeBeforeScaleDown="120"), "ISO 8601"),
    ],
)
def test_wrong_scale_settings_are_refused_by_name(
    machines: Machines, document: dict[str, Any], names: str
) -> None:
    arm = machines(a_cluster())

    reply = patch(arm, document)

    assert (reply.status, reply.json()["error"]["code"]) == (400, "UserError")
    assert names in reply.json()["error"]["message"]
    assert arm.instance("cpu-cluster")["scaleSettings"]["maxNodeCount"] == 4


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(machines: Machines, body: bytes) -> None:
    arm = machines(a_cluster())

    reply = arm.send("PATCH", CLUSTER, body)

    assert (reply.status, reply.json()["error"]["code"]) == (400, "InvalidRequestContent")


def test_a_huge_body_is_refused(machines: Machines) -> None:
    arm = machines(a_cluster())

    reply = arm.send("PATCH", CLUSTER, b"[" + b" " * 5_000_000 + b"]")

    assert (reply.status, reply.json()["error"]["code"]) == (413, "RequestContentTooLarge")


def test_another_media_type_is_refused(machines: Machines) -> None:
    arm = machines(a_cluster())

    reply = arm.send("PATCH", CLUSTER, b"<a/>", content_type="application/xml")

    assert reply.status == 415


def test_an_instance_has_no_scale(machines: Machines) -> None:
    arm = machines({"name": "ci-ada"})

    reply = patch(arm, scale_settings(maxNodeCount=1), path=f"{WORKSPACE}/computes/ci-ada")

    message = reply.json()["error"]["message"]
    assert (reply.status, message) == (
        400,
        "UpdateCompute with computeType ComputeInstance is not supported.",
    )


def test_an_update_needs_a_grant_and_is_a_write(machines: Machines) -> None:
    arm = machines(a_cluster())

    patch(arm, scale_settings(maxNodeCount=1))

    record = arm.emulator.requests()[-1]
    assert record["bucket"] == "writes"
    assert record["action"] == "Microsoft.MachineLearningServices/workspaces/computes/write"
    assert json.dumps(record).count("scaleSettings") == 0
