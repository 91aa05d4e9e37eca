"""A compute as Azure ML writes it: the envelope of Resource Manager around what is particular.

Source: ComputeResource of api-version 2025-12-01, and live traffic of December 2024.
"""

import json
from typing import Any

from azure_emulator.arm import instance_properties, other_computes
from azure_emulator.arm.call import PROVIDER
from azure_emulator.arm.instance_properties import made_up_id
from azure_emulator.clock import recorded
from azure_emulator.entra.directory import TENANT_ID
from azure_emulator.estate.compute import Compute, Version
from azure_emulator.estate.states import State
from azure_emulator.native_settings import Identity

_PROVISIONING: dict[State | None, str] = {
    None: "Creating",
    State.CREATING: "Creating",
    State.CREATE_FAILED: "Failed",
    State.DELETING: "Deleting",
    State.SETTING_UP: "Creating",
    State.SETUP_FAILED: "Failed",
    State.RESIZING: "Updating",
}
_OF_AZURE_ML = frozenset({"ComputeInstance", "AmlCompute"})
_DAYS_OLD = 45


def wire(compute: Compute, version: Version) -> bytes:
    """The resource as JSON; encoded once for each version, since a fleet's lists repeat it."""
    if version.wire is None:
        version.wire = _encode(_document(compute, version))
    return version.wire


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _document(compute: Compute, version: Version) -> dict[str, Any]:
    seed = compute.seed
    document = {
        "id": compute.id,
        "name": seed.name,
        "type": f"{PROVIDER}/workspaces/computes",
        "location": compute.location,
        "tags": seed.tags,
        "properties": _properties(compute, version),
    }
    if seed.identity is not None:
        document["identity"] = _identity(compute, seed.identity)
    return document


def _properties(compute: Compute, version: Version) -> dict[str, Any]:
    seed = compute.seed
    is_instance = seed.compute_type == "ComputeInstance"
    properties = {
        "createdOn": recorded(_created_at(compute)),
        "modifiedOn": recorded(version.at if len(compute.versions) > 1 else _created_at(compute)),
        "disableLocalAuth": is_instance,
        "description": None,
        "resourceId": None,
        "computeType": seed.compute_type,
        "computeLocation": compute.location,
        "provisioningState": _provisioning_state(compute, version),
        "provisioningErrors": _provisioning_errors(version) if is_instance else None,
        "provisioningWarnings": {},
        "isAttachedCompute": seed.compute_type not in _OF_AZURE_ML,
        "properties": _inner(compute, version),
    }
    if is_instance and version.state in instance_properties.BEING_CREATED:
        del properties["computeLocation"]
    return properties


def _inner(compute: Compute, version: Version) -> dict[str, Any]:
    seed = compute.seed
    if seed.compute_type == "ComputeInstance":
        inner = instance_properties.properties_of(compute, version)
    else:
        inner = other_computes.properties_of(seed, version)
    said = {name: v for name, v in seed.properties.items() if name not in version.changed}
    return inner | said


def _provisioning_state(compute: Compute, version: Version) -> str:
    if compute.seed.compute_type == "ComputeInstance":
        return _PROVISIONING.get(version.state, "Succeeded")
    return "Updating" if version.cluster and version.cluster.updating else "Succeeded"


def _created_at(compute: Compute) -> float:
    seed = compute.seed
    if seed.created_at is not None:
        return seed.created_at.timestamp()
    return compute.versions[0].at - _DAYS_OLD * 86400


def _provisioning_errors(version: Version) -> list[dict[str, Any]] | None:
    if version.state not in {State.CREATE_FAILED, State.SETUP_FAILED}:
        return None
    message = "The compute instance could not be set up; its creation script ended with an error."
    return [{"error": {"code": "UserError", "message": message}}]


def _identity(compute: Compute, identity: Identity) -> dict[str, Any]:
    document = identity.document()
    if "SystemAssigned" in identity.type:
        principal_id = made_up_id(f"{compute.id.lower()}/identity")
        document = {"principalId": principal_id, "tenantId": TENANT_ID, **document}
    for name, assigned in document.get("userAssignedIdentities", {}).items():
        assigned.setdefault("principalId", made_up_id(f"{name.lower()}/principal"))
        assigned.setdefault("clientId", made_up_id(f"{name.lower()}/client"))
    return document
