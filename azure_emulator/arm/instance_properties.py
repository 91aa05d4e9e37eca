"""The inner properties of a compute instance, with every one that was seen in recordings.

Source: ComputeInstanceProperties of api-version 2025-12-01, and live traffic of December 2024 for
what is null or missing while a machine is being created. Once it is there, what it does not have is
null only where the specification says so, else missing.
"""

import uuid
from typing import Any

from azure_emulator.clock import recorded
from azure_emulator.compute_seed import ComputeSeed, Owner
from azure_emulator.entra.directory import TENANT_ID
from azure_emulator.estate.compute import Compute, LastOperation, Version
from azure_emulator.estate.states import State

BEING_CREATED = frozenset({None, State.CREATING})
_NAMESPACE = uuid.UUID("a3c1d5f0-6f7b-4a3e-8a5e-2f6f0c7b9d42")
_RUNTIME = "24.10.14"
_APPLICATIONS = {"Jupyter": "tree", "Jupyter Lab": "lab"}


def properties_of(compute: Compute, version: Version) -> dict[str, Any]:
    being_created = version.state in BEING_CREATED
    inner = _settings(compute.seed) | {
        "state": version.state,
        "lastOperation": last_operation(version.last_operation),
    }
    # Somebody made it: azureml-core takes no instance without.
    inner["createdBy"] = _created_by(compute.seed.owner or Owner())
    if version.idle_time is not None or being_created:
        inner["idleTimeBeforeShutdown"] = version.idle_time
    return inner | (_not_yet() if being_created else _furnished(compute))


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


def made_up_id(text: str) -> str:
    """A GUID that is always the same for the same text."""
    return str(uuid.uuid5(_NAMESPACE, text))


def _settings(seed: ComputeSeed) -> dict[str, Any]:
    services = [service.document() for service in seed.custom_services]
    return {
        "vmSize": seed.vm_size,
        "subnet": None,
        "applicationSharingPolicy": "Personal",
        "sshSettings": {
            "sshPublicAccess": "Disabled",
            "adminUserName": "azureuser",
            "sshPort": 50000,
        },
        "customServices": services or None,
        "errors": [],
        "computeInstanceAuthorizationType": "personal",
        "personalComputeInstanceSettings": _assigned(seed.assigned_to),
        "setupScripts": None,
        "enableNodePublicIp": True,
        "enableSSO": True,
        "enableRootAccess": True,
        "enableOSPatching": False,
        "enableBatchPrivateLink": False,
        "releaseQuotaOnStop": False,
        "containers": [],
        "dataDisks": [],
        "dataMounts": [],
        "imageVersion": None,
        "imageSku": None,
        "autologgerSettings": None,
        "updateStatus": None,
    }


def _not_yet() -> dict[str, Any]:
    return {
        "osImageMetadata": None,
        "connectivityEndpoints": None,
        "applications": [],
        "versions": None,
    }


def _furnished(compute: Compute) -> dict[str, Any]:
    return {
        "osImageMetadata": {
            "currentImageVersion": _RUNTIME,
            "latestImageVersion": "24.11.06",
            "isLatestOsImageVersion": False,
            "osPatchingStatus": {"patchStatus": "Unknown", "rebootPending": False},
        },
        "connectivityEndpoints": _endpoints(compute),
        "applications": _applications(compute),
        "schedules": {"computeStartStop": _schedules(compute)},
        "versions": {"runtime": _RUNTIME},
    }


def _endpoints(compute: Compute) -> dict[str, Any]:
    octets = uuid.uuid5(_NAMESPACE, compute.id.lower()).bytes
    # 203.0.113.0/24 is reserved for documentation; the private one is as AML gives it.
    return {"publicIpAddress": f"203.0.113.{octets[0]}", "privateIpAddress": f"10.0.0.{octets[1]}"}


def _applications(compute: Compute) -> list[dict[str, Any]]:
    seed = compute.seed
    host = f"https://{seed.name}.{compute.location}.instances.azureml.example"
    if seed.applications is not None:
        return [{"endpointUri": f"{host}/", **a.document()} for a in seed.applications]
    paths = _APPLICATIONS | {service.name: service.name for service in seed.custom_services}
    return [{"displayName": name, "endpointUri": f"{host}/{path}/"} for name, path in paths.items()]


def _schedules(compute: Compute) -> list[dict[str, Any]]:
    return [
        {"id": made_up_id(f"{compute.id.lower()}/schedules/{number}"), **schedule.document()}
        for number, schedule in enumerate(compute.seed.schedules)
    ]


def _created_by(owner: Owner) -> dict[str, Any]:
    user = {"userOrgId": TENANT_ID, "userId": _object_id(owner)}
    return user if owner.name is None else {"userName": owner.name, **user}


def _assigned(owner: Owner | None) -> dict[str, Any] | None:
    if owner is None:
        return None
    return {"assignedUser": {"objectId": _object_id(owner), "tenantId": TENANT_ID}}


def _object_id(owner: Owner) -> str:
    return owner.object_id or made_up_id(owner.name or "nobody")
