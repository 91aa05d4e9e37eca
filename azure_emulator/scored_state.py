"""Endpoints and services as the control plane shows them: the truth, but never a key or a token."""

from typing import Any

from azure_emulator.estate.estate import Estate
from azure_emulator.estate.scoring import OnlineEndpoint, WebService


def scored_state(estate: Estate, *, base_url: str) -> dict[str, Any]:
    """Return `endpoints` and `services`; `requests` counts those to the emulator's own URIs."""
    workspaces = list(estate.workspaces())
    return {
        "endpoints": [_endpoint(e, base_url) for w in workspaces for e in w.endpoints.values()],
        "services": [_service(s, base_url) for w in workspaces for s in w.services.values()],
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
        "authEnabled": seed.auth_enabled,
        "tokenAuthEnabled": seed.token_auth_enabled,
        "scoringUri": service.scoring_uri(base_url),
        "tags": seed.tags,
        "requests": service.requests,
    }
