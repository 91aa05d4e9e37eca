"""Changes of online endpoints: PUT, PATCH and DELETE of deployments, traffic by PUT, tags by PATCH, logs.

Source: Microsoft.MachineLearningServices 2025-12-01. A PUT is the whole resource: what it leaves out
is gone. A PATCH of an endpoint knows tags and identity, and passes over everything else.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from azure_emulator.answers import JSON_TYPE, Answer, AzureError, json_answer
from azure_emulator.arm import online_operations, request_body
from azure_emulator.arm.call import Call
from azure_emulator.arm.online_endpoint_resource import deployment_wire, endpoint_wire
from azure_emulator.arm.online_endpoints import get_deployment, the_endpoint
from azure_emulator.arm.online_lifetimes import make_endpoint
from azure_emulator.estate.scoring import OnlineEndpoint
from azure_emulator.scoring_seed import OnlineDeploymentSeed

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{2,31}")
_ASSET = re.compile(r".*/(?:models|environments)/([^/]+)/versions/([^/]+)$", re.IGNORECASE)
Percents = dict[str, Annotated[int, Field(ge=0, le=100)]]


class _Lenient(BaseModel):
    """As Azure reads: what it does not know it passes over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Identity(_Lenient):
    type: Literal["SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned", "None"]


class _EndpointProperties(_Lenient):
    authMode: Literal["Key", "AMLToken", "AADToken"]  # noqa: N815  # Azure's spelling
    compute: str | None = None
    description: str | None = None
    publicNetworkAccess: Literal["Enabled", "Disabled"] = "Enabled"  # noqa: N815  # likewise
    traffic: Percents | None = None
    mirrorTraffic: Percents | None = None  # noqa: N815  # likewise


class _Endpoint(_Lenient):
    location: str
    identity: _Identity
    tags: dict[str, str] | None = None
    properties: _EndpointProperties


class _Tags(_Lenient):
    tags: dict[str, str] | None = None


class _Sku(_Lenient):
    name: str | None = None
    capacity: int | None = None


class _Deployment(_Lenient):
    location: str
    tags: dict[str, str] | None = None
    sku: _Sku | None = None
    properties: dict[str, Any]


class _Change(_Lenient):
    tags: dict[str, str] | None = None
    sku: _Sku | None = None


class _LogsWanted(_Lenient):
    containerType: Literal["StorageInitializer", "InferenceServer"] | None = None  # noqa: N815  # likewise
    tail: int | None = None


def put_endpoint(call: Call) -> Answer:
    """PUT of an endpoint: it is made, or its traffic, description, tags and access change."""
    wanted = request_body.parse(call.body, _Endpoint)
    inner = wanted.properties
    if call.names["endpoint"].lower() not in call.workspace().endpoints:
        seed = _changes(wanted) | {"auth_mode": inner.authMode, "traffic": inner.traffic}
        compute = inner.compute and inner.compute.rpartition("/")[2]
        return make_endpoint(call, location=wanted.location, seed=seed | {"compute": compute})
    endpoint = the_endpoint(call)
    if inner.authMode != endpoint.seed.auth_mode:
        raise AzureError(400, "BadRequest", "The authMode of an endpoint cannot be changed here.")
    operation = call.estate.online.update(endpoint, inner.traffic or {}, _changes(wanted))
    endpoint.operation_uri = online_operations.unsigned_url(call, operation)
    headers = (JSON_TYPE, *online_operations.followed(call, operation))
    return Answer(body=endpoint_wire(call, endpoint), headers=headers)


def _changes(wanted: _Endpoint) -> dict[str, Any]:
    inner = wanted.properties
    return {
        "description": inner.description,
        "public_network_access": inner.publicNetworkAccess,
        "mirror_traffic": inner.mirrorTraffic or {},
        "tags": wanted.tags or {},
    }


def patch_endpoint(call: Call) -> Answer:
    """PATCH: tags, at once."""
    endpoint, wanted = the_endpoint(call), request_body.parse(call.body, _Tags)
    if wanted.tags is not None:
        endpoint.seed = endpoint.seed.model_copy(update={"tags": wanted.tags})
    return Answer(body=endpoint_wire(call, endpoint), headers=(JSON_TYPE,))


def put_deployment(call: Call) -> Answer:
    """PUT: 201 for a new deployment, 200 for one that is there."""
    endpoint, body = the_endpoint(call), request_body.parse(call.body, _Deployment)
    wanted = _wanted(call, endpoint, body)
    status = 200 if wanted.name.lower() in endpoint.deployments else 201
    operation = call.estate.online.put_deployment(endpoint, wanted)
    # As recorded: a deployment tells where its last operation is looked up.
    uri = online_operations.unsigned_url(call, operation)
    wanted.properties["properties"] |= {"AzureAsyncOperationUri": uri}
    headers = (JSON_TYPE, *online_operations.followed(call, operation))
    found = endpoint.deployments[wanted.name.lower()]
    return Answer(status=status, body=deployment_wire(call, endpoint, found), headers=headers)


def patch_deployment(call: Call) -> Answer:
    """PATCH: tags, and how many instances; 202."""
    endpoint, name = the_endpoint(call), call.names["deployment"].lower()
    get_deployment(call)
    wanted, present = request_body.parse(call.body, _Change), endpoint.deployments[name]
    capacity = wanted.sku and wanted.sku.capacity
    changes = {
        "tags": present.tags if wanted.tags is None else wanted.tags,
        "instance_count": capacity or present.instance_count,
    }
    return online_operations.accepted(call, call.estate.online.scale(endpoint, present, changes))


def delete_deployment(call: Call) -> Answer:
    """DELETE: 202, or 204 where it is not there."""
    endpoint, name = the_endpoint(call), call.names["deployment"]
    if name.lower() not in endpoint.deployments:
        return Answer(status=204)
    operation = call.estate.online.delete_deployment(endpoint, name)
    return online_operations.accepted(call, operation)


def get_logs(call: Call) -> Answer:
    """POST getLogs: the last lines of the server, as many as `tail` says."""
    get_deployment(call)
    deployment = the_endpoint(call).deployments[call.names["deployment"].lower()]
    wanted = request_body.parse(call.body, _LogsWanted)
    lines = deployment.logs.splitlines(keepends=True)
    first = len(lines) - min(wanted.tail or len(lines), len(lines))
    return json_answer({"content": "".join(lines[first:])})


def _wanted(call: Call, endpoint: OnlineEndpoint, body: _Deployment) -> OnlineDeploymentSeed:
    """What is to be deployed; its properties are shown as they were sent."""
    name, inner = call.names["deployment"], body.properties
    kind = "Kubernetes" if endpoint.seed.compute else "Managed"
    if not _NAME.fullmatch(name) or inner.get("endpointComputeType") != kind:
        message = f"The name must fit {_NAME.pattern}, and endpointComputeType be {kind}."
        raise AzureError(400, "BadRequest", message)
    shown = {key: value for key, value in inner.items() if key != "provisioningState"}
    shown["properties"] = dict(inner.get("properties") or {})
    return OnlineDeploymentSeed(
        name=name,
        model=_asset(inner.get("model")),
        environment=_asset(inner.get("environmentId")),
        instance_count=(body.sku and body.sku.capacity) or 1,
        tags=body.tags or {},
        properties=shown,
    )


def _asset(asset_id: Any) -> str | None:
    """`name:version` of an asset's id, whichever way it is written."""
    if not isinstance(asset_id, str):
        return None
    found = _ASSET.fullmatch(asset_id)
    return f"{found[1]}:{found[2]}" if found else asset_id
