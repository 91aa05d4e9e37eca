"""Azure ML's own guard rails on an instance: idle shutdown, schedules, services, identity."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, Arm, estate
from tests.support.emulator import EmulatorError, EmulatorProcess
from tests.support.wire import Reply

Machines = Callable[..., Arm]
CRON = {"timeZone": "W. Europe Standard Time", "expression": "0 19 * * 1-5"}
STOP = {"action": "Stop", "triggerType": "Cron", "cron": CRON}


def set_idle_time(arm: Arm, document: Any, *, name: str = "ci-ada") -> Reply:
    path = f"{WORKSPACE}/computes/{name}/updateIdleShutdownSetting"
    return arm.send("POST", path, document)


def test_an_idle_time_is_set_at_once_and_nothing_else_changes(machines: Machines) -> None:
    arm = machines({"name": "ci-ada"})
    before = arm.instance("ci-ada")

    reply = set_idle_time(arm, {"idleTimeBeforeShutdown": "PT120M"})

    assert (reply.status, reply.body) == (200, b"")
    assert "idleTimeBeforeShutdown" not in before
    assert arm.instance("ci-ada") == before | {"idleTimeBeforeShutdown": "PT120M"}
    assert arm.history("ci-ada") == ["Running"]


@pytest.mark.parametrize("document", [{}, {"idleTimeBeforeShutdown": None}])
def test_no_idle_time_switches_it_off(machines: Machines, document: dict[str, Any]) -> None:
    arm = machines({"name": "ci-ada", "idle_time_before_shutdown": "PT60M"})
    before = arm.instance("ci-ada")["idleTimeBeforeShutdown"]

    set_idle_time(arm, document)

    assert before == "PT60M"
    assert "idleTimeBeforeShutdown" not in arm.instance("ci-ada")


@pytest.mark.parametrize("text", ["PT15M", "PT900S", "P3D", "PT72H", "P2DT23H59M60S"])
def test_from_15_minutes_to_3_days_are_allowed(machines: Machines, text: str) -> None:
    arm = machines({"name": "ci-ada"})

    assert set_idle_time(arm, {"idleTimeBeforeShutdown": text}).status == 200


@pytest.mark.parametrize(
    "value", ["PT14M59S", "P3DT1S", "P1W", "PT", "P", "", "90", "pt60m", 60, ["PT60M"], "PT٦0M"]
)
def test_every_other_idle_time_is_refused(machines: Machines, value: Any) -> None:
    arm = machines({"name": "ci-ada", "idle_time_before_shutdown": "PT60M"})

    reply = set_idle_time(arm, {"idleTimeBeforeShutdown": value})

    assert (reply.status, reply.json()["error"]["code"]) == (400, "UserError")
    assert "idleTimeBeforeShutdown" in reply.json()["error"]["message"]
    assert arm.instance("ci-ada")["idleTimeBeforeShutdown"] == "PT60M"


def test_an_idle_time_outlives_a_stop(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "behaviour": {"stop_seconds": 10_000}})
    set_idle_time(arm, {"idleTimeBeforeShutdown": "PT30M"})

    arm.stop("ci-ada")

    inner = arm.instance("ci-ada")
    assert (inner["state"], inner["idleTimeBeforeShutdown"]) == ("Stopping", "PT30M")


@pytest.mark.parametrize(
    ("compute", "status"),
    [
        ({"compute_type": "AmlCompute"}, 400),
        ({"state": "Deleting"}, 409),
        ({"state": None, "behaviour": {"never_settles": True}}, 409),
        ({"state": "Stopped"}, 200),
    ],
)
def test_not_every_compute_has_an_idle_shutdown(
    machines: Machines, compute: dict[str, Any], status: int
) -> None:
    arm = machines({"name": "ci-ada", **compute})

    assert set_idle_time(arm, {"idleTimeBeforeShutdown": "PT30M"}).status == status


@pytest.mark.parametrize("version", ["2021-07-01", "2023-08-01-preview", "2025-12-01"])
def test_old_and_preview_versions_may_ask_too(machines: Machines, version: str) -> None:
    arm = machines({"name": "ci-ada"})
    path = f"{WORKSPACE}/computes/ci-ada/updateIdleShutdownSetting?api-version={version}"

    reply = arm.send("POST", path, {"idleTimeBeforeShutdown": "PT30M"})

    assert reply.status == 200


def test_setting_an_idle_time_needs_its_own_grant(machines: Machines) -> None:
    arm = machines()
    stopper = {"actions": ["*/read", "*/stop/action"]}
    arm.emulator.seed(estate({"name": "ci-ada"}) | {"access": {"service_principal": [stopper]}})

    reply = set_idle_time(arm, {"idleTimeBeforeShutdown": "PT30M"})

    assert reply.status == 403
    assert "/computes/updateIdleShutdownSetting/action" in reply.json()["error"]["message"]


def test_native_schedules_are_shown_as_azure_writes_them(machines: Machines) -> None:
    weekly = {
        "frequency": "Week",
        "timeZone": "GMT Standard Time",
        "schedule": {"hours": [8], "minutes": [0], "weekDays": ["Monday"]},
    }
    start = {
        "action": "Start",
        "triggerType": "Recurrence",
        "status": "Disabled",
        "recurrence": weekly,
    }
    arm = machines({"name": "ci-ada", "schedules": [STOP, start]})

    first, second = arm.instance("ci-ada")["schedules"]["computeStartStop"]

    assert (
        first.items() >= (STOP | {"status": "Enabled", "provisioningStatus": "Completed"}).items()
    )
    assert (second["status"], second["recurrence"]) == ("Disabled", weekly | {"interval": 1})
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("compute", "names"),
    [
        ({"schedules": [STOP] * 5}, "schedules"),
        ({"schedules": [{"action": "Stop", "triggerType": "Cron"}]}, "triggerType Cron"),
        ({"schedules": [STOP | {"action": "Pause"}]}, "action"),
        ({"idle_time_before_shutdown": "PT5M"}, "idle_time_before_shutdown"),
        ({"last_operation": {"name": "Explode"}}, "last_operation.name"),
        ({"scale": {"min_node_count": 5}}, "min_node_count"),
        ({"nodes": {"idle": -1}}, "nodes.idle"),
        ({"identity": {"type": "Passport"}}, "identity.type"),
    ],
)
def test_a_seed_cannot_say_what_azure_would_not_hold(
    emulator: EmulatorProcess, compute: dict[str, Any], names: str
) -> None:
    with pytest.raises(EmulatorError, match=names):
        emulator.seed(estate({"name": "ci-ada", **compute}))


def test_a_custom_service_is_an_application_too(machines: Machines) -> None:
    service = {"name": "rstudio", "image": {"type": "docker", "reference": "rocker/rstudio"}}
    arm = machines({"name": "ci-ada", "custom_services": [service]}, {"name": "ci-bob"})

    inner, plain = arm.instance("ci-ada"), arm.instance("ci-bob")

    assert inner["customServices"] == [service]
    assert [found["displayName"] for found in inner["applications"]] == [
        "Jupyter",
        "Jupyter Lab",
        "rstudio",
    ]
    assert (plain["customServices"], len(plain["applications"])) == (None, 2)


def test_applications_may_be_named_one_by_one(machines: Machines) -> None:
    arm = machines({"name": "ci-ada", "applications": [{"displayName": "RStudio"}]})

    (found,) = arm.instance("ci-ada")["applications"]

    assert found["displayName"] == "RStudio"
    assert found["endpointUri"].startswith("https://ci-ada.westeurope.")


def test_an_identity_is_part_of_the_resource(machines: Machines) -> None:
    assigned = "/subscriptions/s/resourceGroups/g/providers/p/userAssignedIdentities/id-a"
    both = {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {assigned: {}}}
    arm = machines({"name": "ci-ada", "identity": both}, {"name": "ci-bob"})

    with_one, without = (
        arm.get(f"{WORKSPACE}/computes/{name}").json() for name in ("ci-ada", "ci-bob")
    )

    identity = with_one["identity"]
    assert (identity["type"], len(identity["principalId"])) == (both["type"], 36)
    assert identity["userAssignedIdentities"][assigned].keys() == {"principalId", "clientId"}
    assert "identity" not in without


def test_the_last_operation_may_be_said(machines: Machines) -> None:
    said = {"name": "Start", "minutes_ago": 30, "trigger": "IdleShutdown"}
    arm = machines({"name": "ci-ada", "last_operation": said}, {"name": "ci-now"})

    last = arm.instance("ci-ada")["lastOperation"]

    assert (last["operationName"], last["operationTrigger"]) == ("Start", "IdleShutdown")
    assert last["operationStatus"] == "Succeeded"
    assert arm.emulator.computes()["ci-ada"]["lastOperation"] == last


def test_an_override_holds_until_the_property_changes(machines: Machines) -> None:
    said = {"lastOperation": None, "idleTimeBeforeShutdown": "PT5M", "vmSize": "STANDARD_X"}
    arm = machines({"name": "ci-ada", "properties": said})
    before = arm.instance("ci-ada")

    arm.stop("ci-ada")
    after = arm.instance("ci-ada")

    assert before.items() >= said.items()
    assert after["lastOperation"]["operationName"] == "Stop"
    assert (after["idleTimeBeforeShutdown"], after["vmSize"]) == ("PT5M", "STANDARD_X")
