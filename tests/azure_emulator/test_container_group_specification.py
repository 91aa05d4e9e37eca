"""Container groups on the wire, held against the specification of Microsoft.ContainerInstance.

The names are those of the official 2025-09-01, in our own words: what a group, a container, a state
and an event may have, enumerations in full. Nothing there may be null.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.azure_emulator.conftest import Arm, eventually
from tests.azure_emulator.test_specification import leaves
from tests.support.container_groups import (
    GROUP_ID,
    REPOSITORY,
    a_container,
    a_group,
    seen,
    with_group,
)

STATE = {"state", "startTime", "exitCode", "finishTime", "detailStatus"}
EVENT = {"count", "firstTimestamp", "lastTimestamp", "name", "message", "type"}
ALLOWED: Mapping[str, set[str]] = {
    "resource": {*("id", "name", "type", "location", "tags", "zones", "identity", "properties")},
    "properties": {
        *("provisioningState", "secretReferences", "containers", "imageRegistryCredentials"),
        *("restartPolicy", "ipAddress", "osType", "volumes", "instanceView", "diagnostics"),
        *("subnetIds", "dnsConfig", "sku", "encryptionProperties", "initContainers", "extensions"),
        *("confidentialComputeProperties", "priority", "identityAcls", "containerGroupProfile"),
        *("standbyPoolProfile", "isCreatedFromStandbyPool"),
    },
    "view of a group": {"events", "state"},
    "view": {"restartCount", "currentState", "previousState", "events"},
    "state": STATE,
    "event": EVENT,
}
ENUMERATIONS = {
    "provisioningState": {
        *("NotSpecified", "Accepted", "Pending", "Updating", "Creating", "Repairing", "Unhealthy"),
        *("Failed", "Canceled", "Succeeded", "Deleting", "NotAccessible", "PreProvisioned"),
    },
    "restartPolicy": {"Always", "OnFailure", "Never"},
    "osType": {"Windows", "Linux"},
}
MOMENTS = {"startTime", "finishTime", "firstTimestamp", "lastTimestamp"}


def parts(group: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a group whose properties the specification lists."""
    properties = group["properties"]
    yield from (("resource", group), ("properties", properties))
    yield "view of a group", properties["instanceView"]
    for container in properties["containers"]:
        view = container["properties"]["instanceView"]
        yield "view", view
        yield from (
            ("state", view[each]) for each in ("currentState", "previousState") if each in view
        )
        yield from (("event", each) for each in view["events"])


def fits(name: str, value: Any) -> bool:
    if name in MOMENTS:
        return bool(re.fullmatch(r"[\d-]{10}T[\d:]{8}(\.\d+)?Z", value))
    return value is not None and value in ENUMERATIONS.get(name, {value})


@pytest.mark.parametrize(
    ("image", "so_far"),
    [
        ("1", lambda _: True),
        ("crashes", lambda container: container["restartCount"] > 0),
        ("never-ready", lambda container: container["state"] == "Running"),
    ],
)
def test_groups_in_every_condition_fit_the_specification(
    arm: Arm, image: str, so_far: Callable[[Any], bool]
) -> None:
    probe = {"httpGet": {"port": 8000}}
    container = a_container(image=f"{REPOSITORY}:{image}", readinessProbe=probe)
    with_group(arm.emulator, a_group(container), identity={"type": "SystemAssigned"})
    eventually(lambda: so_far(seen(arm.emulator)["containers"][0]))

    group = arm.get(GROUP_ID).json()

    beyond = [(kind, part.keys() - ALLOWED[kind]) for kind, part in parts(group)]
    assert [each for each in beyond if each[1]] == []
    assert [leaf for leaf in leaves(group) if not fits(*leaf)] == []
    assert group["type"] == "Microsoft.ContainerInstance/containerGroups"
    assert group["identity"].keys() == {"type", "principalId", "tenantId"}
