"""Workspaces: by subscription, by resource group, one.

Source: Microsoft.MachineLearningServices 2025-12-01, Workspaces_ListBySubscription and its like.
"""

import json
import uuid
from functools import partial
from typing import Any

from azure_emulator.answers import JSON_TYPE, Answer, AzureError
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.paging import page
from azure_emulator.clock import recorded
from azure_emulator.estate.estate import Workspace
from azure_emulator.service_discovery import discovery_url

_NAMESPACE = uuid.UUID("6fb2d1c8-55a1-4d0e-9a57-0d1f3f8f3a11")


def list_by_subscription(call: Call) -> Answer:
    _require_registration(call)
    return _page(call, list(call.subscription.workspaces.values()))


def list_by_resource_group(call: Call) -> Answer:
    _require_registration(call)
    call.require_resource_group()
    group = call.names["group"].lower()
    found = [w for (of, _), w in call.subscription.workspaces.items() if of == group]
    return _page(call, found)


def get_workspace(call: Call) -> Answer:
    return Answer(body=_wire(call, call.workspace()), headers=(JSON_TYPE,))


def _require_registration(call: Call) -> None:
    if call.subscription.seed.registered:
        return
    raise AzureError(
        409,
        "MissingSubscriptionRegistration",
        f"The subscription is not registered to use namespace '{PROVIDER}'. See "
        "https://aka.ms/rps-not-found for how to register subscriptions.",
    )


def _page(call: Call, workspaces: list[Workspace]) -> Answer:
    kind = call.query.get("kind", "").lower()
    wanted = [w for w in workspaces if not kind or w.seed.kind.lower() in kind.split(",")]
    return page(call, wanted, encode=partial(_wire, call), parameter="$skip")


def _wire(call: Call, workspace: Workspace) -> bytes:
    if workspace.wire is None:
        workspace.wire = json.dumps(_document(call, workspace)).encode()
    return workspace.wire


def _document(call: Call, workspace: Workspace) -> dict[str, Any]:
    seed = workspace.seed
    workspace_id = str(uuid.uuid5(_NAMESPACE, workspace.id.lower()))
    tenant_id = call.estate.tenant_id
    return {
        "id": workspace.id,
        "name": seed.name,
        "type": f"{PROVIDER}/workspaces",
        "location": seed.location,
        "tags": dict(seed.tags),
        "etag": None,
        "kind": seed.kind,
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {
            "type": "SystemAssigned",
            "principalId": str(uuid.uuid5(_NAMESPACE, f"{workspace_id}/identity")),
            "tenantId": tenant_id,
        },
        "systemData": {
            "createdAt": recorded(workspace.created_at - 90 * 86400),
            "createdBy": "platform@contoso.example",
            "createdByType": "User",
            "lastModifiedAt": recorded(workspace.created_at - 86400),
            "lastModifiedBy": "platform@contoso.example",
            "lastModifiedByType": "User",
        },
        "properties": _properties(call, workspace, workspace_id=workspace_id),
    }


def _properties(call: Call, workspace: Workspace, *, workspace_id: str) -> dict[str, Any]:
    seed, base_url = workspace.seed, call.settings.base_url
    group, name = workspace.resource_group_id, seed.name.lower().replace("-", "").replace("_", "")
    return {
        "friendlyName": seed.friendly_name or seed.name,
        "description": "",
        "storageAccount": f"{group}/providers/Microsoft.Storage/storageAccounts/st{name}"[:120],
        "keyVault": f"{group}/providers/Microsoft.Keyvault/vaults/kv{name}",
        "applicationInsights": f"{group}/providers/Microsoft.insights/components/appi{name}",
        "hbiWorkspace": False,
        "tenantId": call.estate.tenant_id,
        "provisioningState": "Succeeded",
        "v1LegacyMode": False,
        "softDeleteEnabled": False,
        "creationTime": recorded(workspace.created_at - 90 * 86400),
        "storageHnsEnabled": False,
        "workspaceId": workspace_id,
        "privateLinkCount": 0,
        "publicNetworkAccess": "Enabled",
        "discoveryUrl": discovery_url(base_url),
        "mlFlowTrackingUri": f"azureml://{seed.location}.api.azureml.ms/mlflow/v1.0{workspace.id}",
        "sdkTelemetryAppInsightsKey": None,
        "enableDataIsolation": seed.kind in {"Hub", "Project"},
    }
