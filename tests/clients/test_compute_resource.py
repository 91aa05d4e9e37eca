"""Reading clusters and guard rails as ARM writes them, whatever is missing or wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.compute_resource import read_compute
from shared.compute.instance import Compute
from shared.compute.native_settings import Cluster, GuardRails, NativeSchedule, ScaleSettings
from tests.support.builders import a_workspace

WORKSPACE = a_workspace()
SCALE = {"minNodeCount": 1, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT30M"}
NODES = {"idleNodeCount": 1, "runningNodeCount": 2, "leavingNodeCount": 1, "unusableNodeCount": 5}
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def read(inner: Any, *, kind: str = "AmlCompute", state: str = "Succeeded", **item: Any) -> Compute:
    outer = {"computeType": kind, "provisioningState": state, "properties": inner}
    return read_compute({"id": "/c", "name": "c", "properties": outer, **item}, WORKSPACE)


def rails(inner: Any, **item: Any) -> GuardRails:
    return read(inner, kind="ComputeInstance", **item).guard_rails


def test_a_cluster_is_read_as_specified() -> None:
    inner = {
        "scaleSettings": SCALE,
        "allocationState": "Steady",
        "currentNodeCount": 9,
        "nodeStateCounts": NODES,
    }

    scale = ScaleSettings(minimum=1, maximum=4, idle_time="PT30M")
    assert read(inner).cluster == Cluster(scale=scale, nodes=9, busy_nodes=3)


@pytest.mark.parametrize("state", ["Updating", "Creating", "Deleting"])
def test_a_cluster_that_is_being_changed_says_so(state: str) -> None:
    found = read({"scaleSettings": SCALE, "nodeStateCounts": NODES}, state=state).cluster

    assert found is not None
    assert found.updating


def test_a_cluster_that_resizes_is_not_steady() -> None:
    resizing = {"scaleSettings": SCALE, "nodeStateCounts": NODES, "allocationState": "Resizing"}

    found = read(resizing).cluster

    assert found is not None
    assert (found.steady, found.updating) == (False, False)


@pytest.mark.parametrize(
    "inner",
    [
        {},
        {"scaleSettings": None, "nodeStateCounts": NODES},
        {"scaleSettings": {"minNodeCount": 1}, "nodeStateCounts": NODES},
        {"scaleSettings": {"maxNodeCount": "4"}, "nodeStateCounts": NODES},
        {"scaleSettings": {"maxNodeCount": True}, "nodeStateCounts": NODES},
        {"scaleSettings": {"maxNodeCount": -1}, "nodeStateCounts": NODES},
        {"scaleSettings": SCALE},
        {"scaleSettings": SCALE, "nodeStateCounts": None},
    ],
)
def test_a_cluster_of_which_too_little_is_known_is_none_to_decide_about(inner: Any) -> None:
    assert read(inner).cluster is None


def test_a_minimum_that_is_left_out_is_0() -> None:
    found = read({"scaleSettings": {"maxNodeCount": 4}, "nodeStateCounts": NODES}).cluster

    assert found is not None
    assert found.scale == ScaleSettings(minimum=0, maximum=4)


def test_guard_rails_are_read_as_specified() -> None:
    cron = {
        "triggerType": "Cron",
        "action": "Start",
        "status": "Enabled",
        "cron": {"timeZone": "UTC", "startTime": "2026-01-01T00:00:00", "expression": "0 7 * * *"},
    }
    weekly = {
        "triggerType": "Recurrence",
        "action": "Stop",
        "status": "Disabled",
        "recurrence": {
            "frequency": "Week",
            "interval": 2,
            "timeZone": "GMT Standard Time",
            "schedule": {"hours": [19], "minutes": [0, 30], "weekDays": ["Friday"]},
        },
    }

    found = rails(
        {
            "idleTimeBeforeShutdown": "PT60M",
            "schedules": {"computeStartStop": [cron, weekly]},
            "applications": [{"displayName": "Jupyter"}, {"displayName": None}, None],
            "customServices": [{"name": "rstudio"}],
        },
        identity={"type": "SystemAssigned"},
    )

    assert found == GuardRails(
        idle_time="PT60M",
        applications=("Jupyter",),
        custom_services=("rstudio",),
        identity="SystemAssigned",
        schedules=(
            NativeSchedule(
                action="Start",
                enabled=True,
                time_zone="UTC",
                starts_at="2026-01-01T00:00:00",
                cron="0 7 * * *",
            ),
            NativeSchedule(
                action="Stop",
                enabled=False,
                time_zone="GMT Standard Time",
                frequency="Week",
                interval=2,
                hours=(19,),
                minutes=(0, 30),
                week_days=("Friday",),
            ),
        ),
    )


@pytest.mark.parametrize("identity", [None, {}, {"type": "None"}, {"type": None}, "None"])
def test_no_identity_is_none(identity: Any) -> None:
    assert rails({}, identity=identity).identity == ""


@given(
    inner=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            (
                "scaleSettings",
                "nodeStateCounts",
                "idleTimeBeforeShutdown",
                "applications",
                "customServices",
                "schedules",
            ),
            json,
        ),
    ),
    schedule=json,
    identity=json,
)
def test_nothing_on_the_wire_harms(inner: dict[str, Any], schedule: Any, identity: Any) -> None:
    trigger = {"triggerType": "Recurrence", "recurrence": {"schedule": schedule}}
    inner.setdefault("schedules", {"computeStartStop": [trigger, schedule]})

    found = read(inner, identity=identity)

    assert found.guard_rails.idle_after is None or found.guard_rails.idle_time
