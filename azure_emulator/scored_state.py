"""What answers, as the control plane shows it: the truth, but never a key, a token, a secure value."""

from typing import Any

from azure_emulator.arm.container_group_secrets import fingerprints
from azure_emulator.clock import zulu
from azure_emulator.estate.container_groups import ContainerGroup
from azure_emulator.estate.containers import Container
from azure_emulator.estate.estate import Estate
from azure_emulator.estate.scoring import OnlineEndpoint, WebService


def scored_state(estate: Estate, *, base_url: str) -> dict[str, Any]:
    """Return endpoints, services and container groups.

    `requests` counts those to the emulator's own URIs, `effects` what was asked of a group.
    """
    workspaces = list(estate.workspaces())
    return {
        "endpoints": [_endpoint(e, base_url) for w in workspaces for e in w.endpoints.values()],
        "services": [_service(s, base_url) for w in workspaces for s in w.services.values()],
        "container_groups": [_group(each, base_url) for each in estate.container_groups()],
    }


def _endpoint(endpoint: OnlineEndpoint, base_url: str) -> dict[str, Any]:
    seed = endpoint.seed
    return {
        "id": endpoint.id,
        "authMode": seed.auth_mode,
        "provisioningState": seed.provisioning_state,
        "scoringUri": endpoint.scoring_uri(base_url),
        "tags": seed.tags,
        "traffic": dict(endpoint.shares),
        "deployments": [
            {
                "name": each.name,
                "provisioningState": each.provisioning_state,
                "model": each.model,
                "environment": each.environment,
                "requests": endpoint.asked[key],
            }
            for key, each in endpoint.deployments.items()
        ],
        "requests": endpoint.requests,
    }


def _service(service: WebService, base_url: str) -> dict[str, Any]:
    seed = service.seed
    return {
        "id": service.id,
        "computeType": seed.compute_type,
        "state": seed.state,
        "image": seed.image,
        "models": seed.models,
        "properties": seed.properties,
        "authEnabled": seed.auth_enabled,
        "tokenAuthEnabled": seed.token_auth_enabled,
        "scoringUri": service.scoring_uri(base_url),
        "tags": seed.tags,
        "requests": service.requests,
    }


def _group(group: ContainerGroup, base_url: str) -> dict[str, Any]:
    return {
        "id": group.id,
        "provisioningState": group.provisioning_state,
        "state": group.state,
        "tags": group.document.get("tags") or {},
        "url": f"{base_url}{group.root}",
        "containers": [_container(group, each) for each in group.containers.values()],
        "secureValues": fingerprints(group.document),
        "effects": dict(group.effects),
        "requests": group.requests,
    }


def _container(group: ContainerGroup, container: Container) -> dict[str, Any]:
    started = container.current.started_at
    return {
        "name": container.name,
        "image": group.image_of(container.name),
        "imageId": container.image.image_id if container.image else None,
        "state": container.current.state,
        "startedAt": zulu(started) if started else None,
        "restartCount": container.restarts,
    }
