"""Online endpoints and deployments as Resource Manager shows them.

Source: Microsoft.MachineLearningServices 2025-12-01, OnlineEndpoint and OnlineDeployment. Keys are
never among the properties, as the specification promises.
"""

import json
import uuid
from typing import Any

from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.clock import recorded
from azure_emulator.estate.scoring import OnlineEndpoint
from azure_emulator.scoring_seed import OnlineDeploymentSeed

_NAMESPACE = uuid.UUID("b5d0a9a4-0f0e-4a5c-8f0b-4f9f5f1f7c21")
_DAYS_OLD = 45
_PROBE = {
    "failureThreshold": 30,
    "initialDelay": "PT10S",
    "period": "PT10S",
    "successThreshold": 1,
    "timeout": "PT2S",
}


def endpoint_wire(call: Call, endpoint: OnlineEndpoint) -> bytes:
    seed = endpoint.seed
    document = {
        **_resource(call, endpoint, of=endpoint.id, kind="workspaces/onlineEndpoints"),
        "tags": seed.tags,
        "kind": _kind(endpoint),
        "properties": _endpoint_properties(call, endpoint),
    }
    return json.dumps(document).encode()


def deployment_wire(
    call: Call, endpoint: OnlineEndpoint, deployment: OnlineDeploymentSeed
) -> bytes:
    resource_id = f"{endpoint.id}/deployments/{deployment.name}"
    kind = "workspaces/onlineEndpoints/deployments"
    document = {
        **_resource(call, endpoint, of=resource_id, kind=kind),
        "tags": deployment.tags,
        "kind": _kind(endpoint),
        "sku": {"name": "Default", "tier": "Standard", "capacity": deployment.instance_count},
        "properties": _deployment_properties(endpoint, deployment) | deployment.properties,
    }
    return json.dumps(document).encode()


def _kind(endpoint: OnlineEndpoint) -> str:
    return "Kubernetes" if endpoint.seed.compute else "Managed"


def _resource(call: Call, endpoint: OnlineEndpoint, *, of: str, kind: str) -> dict[str, Any]:
    made = endpoint.seed.created_at
    at = made.timestamp() if made else call.workspace().created_at - _DAYS_OLD * 86400
    return {
        "id": of,
        "name": of.rpartition("/")[2],
        "type": f"{PROVIDER}/{kind}",
        "location": endpoint.location,
        "identity": {
            "type": "SystemAssigned",
            "principalId": str(uuid.uuid5(_NAMESPACE, of.lower())),
            "tenantId": call.estate.tenant_id,
        },
        "systemData": {
            "createdAt": recorded(at),
            "createdBy": "platform@contoso.example",
            "createdByType": "User",
            "lastModifiedAt": recorded(at),
            "lastModifiedBy": "platform@contoso.example",
            "lastModifiedByType": "User",
        },
    }


def _endpoint_properties(call: Call, endpoint: OnlineEndpoint) -> dict[str, Any]:
    seed, uri = endpoint.seed, endpoint.scoring_uri(call.settings.base_url)
    compute = f"{endpoint.workspace_id}/computes/{seed.compute}" if seed.compute else None
    names = {key: deployment.name for key, deployment in endpoint.deployments.items()}
    # As azureml-examples reads it after a PUT (deploy-rest.sh).
    last = {"AzureAsyncOperationUri": endpoint.operation_uri} if endpoint.operation_uri else {}
    return {
        "authMode": seed.auth_mode,
        "description": seed.description,
        "keys": None,
        "properties": {"azureml.onlineendpointid": endpoint.id, **last},
        "scoringUri": uri,
        "swaggerUri": f"{uri.rpartition('/')[0]}/swagger.json",
        "provisioningState": seed.provisioning_state,
        "publicNetworkAccess": seed.public_network_access,
        "compute": compute,
        "traffic": {names.get(name, name): share for name, share in endpoint.traffic.items()},
        "mirrorTraffic": seed.mirror_traffic,
    }


def _deployment_properties(
    endpoint: OnlineEndpoint, deployment: OnlineDeploymentSeed
) -> dict[str, Any]:
    kind = _kind(endpoint)
    return {
        "endpointComputeType": kind,
        "provisioningState": deployment.provisioning_state,
        "description": None,
        "model": _asset(endpoint, "models", deployment.model),
        "modelMountPath": None,
        "environmentId": _asset(endpoint, "environments", deployment.environment),
        "environmentVariables": deployment.environment_variables,
        "codeConfiguration": None,
        "instanceType": deployment.instance_type if kind == "Managed" else "defaultinstancetype",
        "appInsightsEnabled": False,
        "egressPublicNetworkAccess": "Enabled",
        "livenessProbe": _PROBE,
        "readinessProbe": _PROBE,
        "requestSettings": {
            "maxConcurrentRequestsPerInstance": 1,
            "maxQueueWait": "PT0.5S",
            "requestTimeout": "PT5S",
        },
        "scaleSettings": {"scaleType": "Default"},
        "properties": {},
    }


def _asset(endpoint: OnlineEndpoint, kind: str, named: str | None) -> str | None:
    if named is None:
        return None
    name, _, version = named.partition(":")
    return f"{endpoint.workspace_id}/{kind}/{name}/versions/{version or 1}"
