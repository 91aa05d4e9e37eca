"""Container groups as Resource Manager shows them.

Source: Microsoft.ContainerInstance 2025-09-01, ContainerGroup and its examples. A list holds no
instance views.
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from azure_emulator.arm.call import Call
from azure_emulator.arm.container_group_secrets import shown
from azure_emulator.estate.container_groups import ContainerGroup
from azure_emulator.estate.containers import WARNING, Container, ContainerState, Event

TYPE = "Microsoft.ContainerInstance/containerGroups"
_NAMESPACE = uuid.UUID("0f0c4d52-61c8-4d0e-9a53-3e3c5f8f6d10")
_PERIOD_SECONDS = 10.0


def group_wire(call: Call, group: ContainerGroup, *, listed: bool = False) -> bytes:
    """Return the JSON of a group; `listed`: without instance views."""
    document = shown(group.document)
    properties = document["properties"]
    properties["provisioningState"] = group.provisioning_state
    _add_address(properties, group, location=document["location"])
    if not listed:
        properties["instanceView"] = {"events": [], "state": group.state}
        for container in properties["containers"]:
            found = group.containers[container["name"]]
            container["properties"]["instanceView"] = _view(call, found, container["properties"])
    identity = _identity(call, group) if document.get("identity") else {}
    resource = {"id": group.id, "name": group.name, "type": TYPE, **document, **identity}
    return json.dumps(resource).encode()


def _add_address(properties: dict[str, Any], group: ContainerGroup, *, location: str) -> None:
    address = properties.get("ipAddress")
    if not address or group.behaviour.never_gets_an_address:
        return
    address.setdefault("ip", f"20.0.{len(group.name)}.{len(group.id) % 250}")
    if address.get("dnsNameLabel"):
        region = location.lower().replace(" ", "")
        address["fqdn"] = f"{address['dnsNameLabel']}.{region}.azurecontainer.io"


def _identity(call: Call, group: ContainerGroup) -> dict[str, Any]:
    identity = dict(group.document["identity"])
    principal = str(uuid.uuid5(_NAMESPACE, group.id.lower()))
    if "SystemAssigned" in identity.get("type", ""):
        identity |= {"principalId": principal, "tenantId": call.estate.tenant_id}
    assigned = identity.get("userAssignedIdentities")
    if assigned:
        ids = {"principalId": principal, "clientId": str(uuid.uuid5(_NAMESPACE, principal))}
        identity["userAssignedIdentities"] = dict.fromkeys(assigned, ids)
    return {"identity": identity}


def _view(call: Call, container: Container, properties: dict[str, Any]) -> dict[str, Any]:
    events = [*container.events, *_probe_events(call, container, properties)]
    view: dict[str, Any] = {
        "restartCount": container.restarts,
        "currentState": _state(container.current),
        "events": [_event(each) for each in events],
    }
    if container.previous:
        view["previousState"] = _state(container.previous)
    return view


def _probe_events(call: Call, container: Container, properties: dict[str, Any]) -> list[Event]:
    """Tell how often the readiness probe failed since the start, if there is a probe."""
    began, probe = container.current.started_at, properties.get("readinessProbe")
    if not (container.running and container.image and probe and began):
        return []
    now, scale, seed = call.clock.now(), call.clock.scale, container.image.seed
    until = now if seed.starts == "never_ready" else min(now, began + seed.ready_seconds * scale)
    period = float(probe.get("periodSeconds") or _PERIOD_SECONDS) * scale
    message = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    failed = Event(
        name="Unhealthy",
        type=WARNING,
        message=message,
        first=began,
        last=until,
        count=int((until - began) / period) + 1,
    )
    return [failed]


def _state(state: ContainerState) -> dict[str, Any]:
    said = {
        "state": state.state,
        "startTime": _moment(state.started_at),
        "finishTime": _moment(state.finished_at),
        "exitCode": state.exit_code,
    }
    present = {name: value for name, value in said.items() if value is not None}
    return {**present, "detailStatus": state.detail}


def _event(event: Event) -> dict[str, Any]:
    return {
        "count": event.count,
        "firstTimestamp": _moment(event.first),
        "lastTimestamp": _moment(event.last),
        "name": event.name,
        "message": event.message,
        "type": event.type,
    }


def _moment(at: float | None) -> str | None:
    """Milliseconds and `Z`."""
    if at is None:
        return None
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
