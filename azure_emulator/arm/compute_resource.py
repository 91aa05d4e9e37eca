"""A compute as Azure ML writes it; a compute instance with every property seen in recordings.

Source: ComputeResource of api-version 2025-12-01, and live traffic of December 2024 for what is
null or missing while a machine is being created.
"""

import json
import uuid
from typing import Any

from azure_emulator.arm.call import PROVIDER
from azure_emulator.arm.other_computes import properties_of
from azure_emulator.clock import recorded
from azure_emulator.entra.directory import TENANT_ID
from azure_emulator.estate.compute import Compute, LastOperation, Version
from azure_emulator.estate.states import State
from azure_emulator.seed import Owner

_NAMESPACE = uuid.UUID("a3c1d5f0-6f7b-4a3e-8a5e-2f6f0c7b9d42")
_PROVISIONING: dict[State | None, str] = {
    None: "Creating",
    State.CREATING: "Creating",
    State.CREATE_FAILED: "Failed",
    State.DELETING: "Deleting",
    State.SETTING_UP: "Creating",
    State.SETUP_FAILED: "Failed",
    State.RESIZING: "Updating",
}
_BEING_CREATED = {None, State.CREATING}
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
    return {
        "id": compute.id,
        "name": seed.name,
        "type": f"{PROVIDER}/workspaces/computes",
        "location": compute.location,
        "tags": seed.tags,
        "properties": _properties(compute, version),
    }


def _properties(compute: Compute, version: Version) -> dict[str, Any]:
    seed = compute.seed
    is_instance = seed.compute_type == "ComputeInstance"
    inner = _instance(compute, version) if is_instance else properties_of(seed)
    state = _PROVISIONING.get(version.state, "Succeeded") if is_instance else "Succeeded"
    properties = {
        "createdOn": recorded(_created_at(compute)),
        "modifiedOn": recorded(version.at if len(compute.versions) > 1 else _created_at(compute)),
        "disableLocalAuth": is_instance,
        "description": None,
        "resourceId": None,
        "computeType": seed.compute_type,
        "computeLocation": compute.location,
        "provisioningState": state,
        "provisioningErrors": _provisioning_errors(version) if is_instance else None,
        "provisioningWarnings": {},
        "isAttachedCompute": seed.compute_type not in {"ComputeInstance", "AmlCompute"},
        "properties": {**inner, **seed.properties},
    }
    if is_instance and version.state in _BEING_CREATED:
        del properties["computeLocation"]
    return properties


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


def _instance(compute: Compute, version: Version) -> dict[str, Any]:
    seed = compute.seed
    being_created = version.state in _BEING_CREATED
    inner: dict[str, Any] = {
        "vmSize": seed.vm_size,
        "subnet": None,
        "applicationSharingPolicy": "Personal",
        "sshSettings": {
            "sshPublicAccess": "Disabled",
            "adminUserName": "azureuser",
            "sshPort": 50000,
            "adminPublicKey": None,
        },
        "customServices": None,
        "osImageMetadata": None if being_created else _image(),
        "connectivityEndpoints": None if being_created else _endpoints(compute),
        "applications": [] if being_created else _applications(compute),
        "createdBy": _created_by(seed.owner),
        "errors": [],
        "state": version.state,
        "computeInstanceAuthorizationType": "personal",
        "personalComputeInstanceSettings": _assigned(seed.assigned_to),
        "setupScripts": None,
        "lastOperation": last_operation(version.last_operation),
        "schedules": {"computeStartStop": []},
        "idleTimeBeforeShutdown": None,
        "enableNodePublicIp": True,
        "enableSSO": True,
        "enableRootAccess": True,
        "enableOSPatching": False,
        "enableBatchPrivateLink": False,
        "releaseQuotaOnStop": False,
        "containers": [],
        "dataDisks": [],
        "dataMounts": [],
        "versions": None if being_created else {"runtime": "24.10.14"},
        "imageVersion": None,
        "imageSku": None,
        "autologgerSettings": None,
        "updateStatus": None,
    }
    if being_created:
        del inner["schedules"]
    return inner


def last_operation(last: LastOperation | None) -> dict[str, Any] | None:
    """Write the `lastOperation` property."""
    if last is None:
        return None
    return {
        "operationName": last.name,
        "operationTime": recorded(last.at),
        "operationStatus": last.status,
        "operationTrigger": last.trigger,
    }


def _image() -> dict[str, Any]:
    return {
        "currentImageVersion": "24.10.14",
        "latestImageVersion": "24.11.06",
        "isLatestOsImageVersion": False,
        "osPatchingStatus": {
            "patchStatus": "NotAvailable",
            "latestPatchTime": None,
            "rebootPending": False,
            "scheduledRebootTime": None,
        },
    }


def _endpoints(compute: Compute) -> dict[str, Any]:
    octets = uuid.uuid5(_NAMESPACE, compute.id.lower()).bytes
    # 203.0.113.0/24 is reserved for documentation; the private one is as AML gives it.
    return {"publicIpAddress": f"203.0.113.{octets[0]}", "privateIpAddress": f"10.0.0.{octets[1]}"}


def _applications(compute: Compute) -> list[dict[str, str]]:
    host = f"{compute.seed.name}.{compute.location}.instances.azureml.example"
    names = {"Jupyter": "tree", "Jupyter Lab": "lab", "RStudio": "rstudio"}
    return [
        {"displayName": name, "endpointUri": f"https://{host}/{path}/"}
        for name, path in names.items()
    ]


def _created_by(owner: Owner | None) -> dict[str, Any] | None:
    if owner is None:
        return None
    user = {"userOrgId": TENANT_ID, "userId": owner.object_id or _object_id(owner)}
    return user if owner.name is None else {"userName": owner.name, **user}


def _assigned(owner: Owner | None) -> dict[str, Any] | None:
    if owner is None:
        return None
    object_id = owner.object_id or _object_id(owner)
    return {"assignedUser": {"objectId": object_id, "tenantId": TENANT_ID}}


def _object_id(owner: Owner) -> str:
    return str(uuid.uuid5(_NAMESPACE, owner.name or "nobody"))
