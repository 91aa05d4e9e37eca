"""A web service as model management shows it: all that azureml-core insists on, and what it may have.

Source: azureml-core 1.61, `_expected_payload_keys` of AciWebservice and AksWebservice and of the
requirements inside them; the rest is optional there.
"""

import json
from typing import Any

from azure_emulator.arm.call import Call
from azure_emulator.clock import recorded
from azure_emulator.estate.registered import SERVICE_ENVIRONMENT, models_of
from azure_emulator.estate.scoring import WebService
from azure_emulator.model_management.models import model_document


def wire(call: Call, service: WebService) -> bytes:
    of_kind = _aci if service.seed.compute_type == "ACI" else _aks
    uri = service.scoring_uri(call.settings.base_url)
    document = _common(call, service) | {"scoringUri": uri} | of_kind(service)
    return json.dumps(document).encode()


def _common(call: Call, service: WebService) -> dict[str, Any]:
    seed, made = service.seed, recorded(service.created_at)
    return {
        "id": seed.name,
        "name": seed.name,
        "computeType": seed.compute_type,
        "state": seed.state,
        "description": seed.description,
        "kvTags": seed.tags,
        "properties": seed.properties,
        "createdTime": made,
        "updatedTime": made,
        "createdBy": seed.created_by,
        "error": seed.error,
        "operationId": service.operation_id,
        "imageId": seed.image,
        "imageDigest": seed.image_digest,
        "deploymentType": "Http",
        "appInsightsEnabled": False,
        "authEnabled": seed.auth_enabled,
        "models": _models(call, service),
        "environmentImageRequest": _environment_image_request(service),
        "swaggerUri": None,
    }


def _models(call: Call, service: WebService) -> list[dict[str, Any]] | None:
    """Its models, where a caller wants what it refers to as well."""
    if not service.seed.models or call.query.get("expand", "").lower() != "true":
        return None
    workspace = call.workspace()
    known = models_of(workspace)
    return [model_document(workspace, known[name]) for name in service.seed.models if name in known]


def _environment_image_request(service: WebService) -> dict[str, Any] | None:
    """What a service was made of, if not of an image."""
    if not service.seed.models:
        return None
    environment, version = SERVICE_ENVIRONMENT
    return {
        "driverProgram": "score.py",
        "assets": [{"id": "score.py", "mimeType": "application/x-python", "unpack": False}],
        "modelIds": list(service.seed.models),
        "environment": {"name": environment, "version": version},
    }


def _aci(service: WebService) -> dict[str, Any]:
    return {
        "location": service.location,
        "containerResourceRequirements": {"cpu": 0.5, "memoryInGB": 1.0},
        "cname": None,
        "publicIp": "127.0.0.1",
        "publicFqdn": None,
        "sslEnabled": False,
        "sslCertificate": None,
        "sslKey": None,
        "encryptionProperties": None,
        "vnetConfiguration": None,
    }


def _aks(service: WebService) -> dict[str, Any]:
    seed = service.seed
    workspace = service.workspace_id.rpartition("/")[2]
    return {
        "computeName": seed.compute_name,
        "namespace": seed.namespace or f"azureml-{workspace}",
        "aadAuthEnabled": seed.token_auth_enabled,
        "autoScaler": {
            "autoscaleEnabled": False,
            "minReplicas": None,
            "maxReplicas": None,
            "refreshPeriodInSeconds": None,
            "targetUtilization": None,
        },
        "numReplicas": seed.replicas,
        "deploymentStatus": {
            "desiredReplicas": seed.replicas,
            "updatedReplicas": seed.replicas,
            "availableReplicas": seed.replicas if seed.state == "Healthy" else 0,
            "error": None,
        },
        "containerResourceRequirements": {
            "cpu": 0.1,
            "cpuLimit": None,
            "memoryInGB": 0.5,
            "memoryInGBLimit": None,
            "gpu": None,
        },
        "dataCollection": {"eventHubEnabled": False, "storageEnabled": False},
        "maxConcurrentRequestsPerContainer": 1,
        "maxQueueWaitMs": 500,
        "scoringTimeoutMs": 60_000,
        "livenessProbeRequirements": {
            "periodSeconds": 10,
            "initialDelaySeconds": 310,
            "timeoutSeconds": 2,
            "failureThreshold": 3,
            "successThreshold": 1,
        },
        "isDefault": None,
        "trafficPercentile": None,
        "type": None,
        "modelConfigMap": None,
    }
