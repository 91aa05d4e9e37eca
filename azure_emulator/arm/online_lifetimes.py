"""Online endpoints come and go, and get new keys.

Source: Microsoft.MachineLearningServices 2025-12-01, OnlineEndpoints_CreateOrUpdate, _Delete and
_RegenerateKeys.
"""

import re
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from azure_emulator.answers import JSON_TYPE, Answer, AzureError
from azure_emulator.arm import online_operations, request_body
from azure_emulator.arm.call import Call
from azure_emulator.arm.online_endpoint_resource import endpoint_wire
from azure_emulator.arm.online_endpoints import require_mode, the_endpoint
from azure_emulator.estate.scoring import OnlineEndpoint
from azure_emulator.scoring_seed import OnlineEndpointSeed

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]")


class _WantedKeys(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    keyType: Literal["Primary", "Secondary"]  # noqa: N815  # Azure's spelling
    keyValue: str | None = None  # noqa: N815  # likewise


def make_endpoint(call: Call, *, location: str, seed: dict[str, Any]) -> Answer:
    """PUT of an endpoint that is not there: 201; nothing is deployed to it yet."""
    name, workspace = call.names["endpoint"], call.workspace()
    if not _NAME.fullmatch(name):
        raise AzureError(400, "BadRequest", f"The name must fit {_NAME.pattern}.")
    if any(seed.pop(kind) for kind in ("traffic", "mirror_traffic")):
        raise AzureError(400, "BadRequest", "Traffic goes to a deployment that is not there.")
    made = OnlineEndpoint(
        OnlineEndpointSeed(
            name=name,
            traffic={},
            provisioning_state="Creating",
            created_at=datetime.fromtimestamp(call.clock.now(), UTC),
            **seed,
        ),
        workspace_id=workspace.id,
        location=location,
        assets=workspace.seed.assets,
    )
    call.estate.add_endpoint(workspace, made)
    operation = call.estate.online.make(made)
    made.operation_uri = online_operations.unsigned_url(call, operation)
    headers = (JSON_TYPE, *online_operations.followed(call, operation))
    return Answer(status=201, body=endpoint_wire(call, made), headers=headers)


def delete_endpoint(call: Call) -> Answer:
    """DELETE with all deployments: 202, or 204 where it is not there."""
    workspace = call.workspace()
    endpoint = workspace.endpoints.get(call.names["endpoint"].lower())
    if endpoint is None:
        return Answer(status=204)
    operation = call.estate.online.delete(
        endpoint, then=lambda: call.estate.remove_endpoint(workspace, endpoint)
    )
    return online_operations.accepted(call, operation)


def regenerate_keys(call: Call) -> Answer:
    """POST regenerateKeys: 202; the old key is refused at once."""
    endpoint = the_endpoint(call)
    require_mode(endpoint, "Key")
    wanted = request_body.parse(call.body, _WantedKeys)
    endpoint.credentials.regenerate(primary=wanted.keyType == "Primary", value=wanted.keyValue)
    return online_operations.accepted(call, call.estate.online.done(endpoint))
