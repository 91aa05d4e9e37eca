"""The knobs for what Azure leaves open: the headers of a 202, and how late a list sees it."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, Arm, Replying, estate, eventually
from tests.conftest import StartEmulator
from tests.support.emulator import FAST, EmulatorProcess

LOCATED = {"location", "retry-after"}
ASYNC = {"azure-asyncoperation"}


def signed_in(emulator: EmulatorProcess, *computes: Mapping[str, Any]) -> Arm:
    emulator.seed(estate(*computes))
    return Arm(emulator=emulator, token=emulator.arm_token())


@pytest.mark.parametrize(
    ("style", "headers"), [("recorded", ASYNC), ("spec", LOCATED), ("both", ASYNC | LOCATED)]
)
def test_an_accepted_stop_points_to_its_operation(
    replying: Replying, style: str, headers: set[str]
) -> None:
    arm = signed_in(replying(style), {"name": "ci-ada"})

    reply = arm.stop("ci-ada")

    assert (reply.status, reply.body) == (202, b"")
    assert (LOCATED | ASYNC) & set(reply.headers) == headers


def test_clients_of_2020_are_told_200_as_they_were_promised(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    reply = arm.send("POST", f"{WORKSPACE}/computes/ci-ada/stop?api-version=2020-08-01", b"")

    assert (reply.status, reply.body) == (200, b"")
    assert arm.emulator.computes()["ci-ada"]["stop_requests"] == 1


def test_sizes_stand_where_clients_of_2020_look_for_them(arm: Arm) -> None:
    arm.emulator.seed(estate())
    provider = (
        WORKSPACE.partition("/resourceGroups/")[0] + "/providers/Microsoft.MachineLearningServices"
    )

    lists = [
        arm.follow(f"{provider}/locations/westeurope/vmSizes?api-version={version}").json()
        for version in ("2020-02-02", "2021-07-01")
    ]

    assert [list(found) for found in lists] == [["amlCompute"], ["value"]]
    assert lists[0]["amlCompute"] == lists[1]["value"]


def test_a_location_answers_202_until_the_end_is_known(replying: Replying) -> None:
    arm = signed_in(
        replying("spec"),
        {"name": "ci-ada"},
        {"name": "ci-bob", "behaviour": {"stop_fails": True}},
        {"name": "ci-chen", "behaviour": {"stop_seconds": 10_000}},
    )

    good, bad, open_ = (
        arm.stop(name).headers["location"] for name in ("ci-ada", "ci-bob", "ci-chen")
    )
    eventually(lambda: 202 not in {arm.follow(good).status, arm.follow(bad).status})

    going_on = arm.follow(open_)
    assert (going_on.status, set(going_on.headers) >= LOCATED) == (202, True)
    assert arm.follow(good).status == 200
    assert arm.follow(bad).json()["error"]["code"] == "StopComputeInstanceFailed"


def test_reads_may_lag_behind_while_the_truth_does_not(start_emulator: StartEmulator) -> None:
    emulator = start_emulator(*FAST, "--list-lag-seconds", "1000")
    arm = signed_in(emulator, {"name": "ci-ada"})

    arm.stop("ci-ada")
    eventually(lambda: arm.history("ci-ada")[-1] == "Stopped")

    listed = arm.get(f"{WORKSPACE}/computes").json()["value"]
    assert [found["properties"]["properties"]["state"] for found in listed] == ["Running"]
    assert arm.instance("ci-ada")["state"] == "Running"
