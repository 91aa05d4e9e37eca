"""Online endpoints of a workspace, their deployments, keys and tokens.

Source: Microsoft.MachineLearningServices 2025-12-01, OnlineEndpoints_List and its like. The lists'
filters are `name` and `computeType` of endpoints; the others narrow nothing here.
"""

from azure_emulator.answers import JSON_TYPE, Answer, AzureError, json_answer
from azure_emulator.arm.call import Call, not_found, parent_not_found
from azure_emulator.arm.online_endpoint_resource import deployment_wire, endpoint_wire
from azure_emulator.arm.paging import page
from azure_emulator.estate.scoring import OnlineEndpoint


def list_endpoints(call: Call) -> Answer:
    found = [each for each in call.workspace().endpoints.values() if _wanted(call, each)]
    return page(call, found, encode=lambda each: endpoint_wire(call, each), parameter="$skip")


def get_endpoint(call: Call) -> Answer:
    return Answer(body=endpoint_wire(call, the_endpoint(call)), headers=(JSON_TYPE,))


def list_deployments(call: Call) -> Answer:
    endpoint = the_endpoint(call)
    return page(
        call,
        list(endpoint.deployments.values()),
        encode=lambda each: deployment_wire(call, endpoint, each),
        parameter="$skip",
    )


def get_deployment(call: Call) -> Answer:
    endpoint, name = the_endpoint(call), call.names["deployment"]
    found = endpoint.deployments.get(name.lower())
    if found is None:
        raise not_found(f"{_named(endpoint)}/deployments/{name}", group=call.names["group"])
    return Answer(body=deployment_wire(call, endpoint, found), headers=(JSON_TYPE,))


def list_keys(call: Call) -> Answer:
    """POST listKeys: both keys, of an endpoint that wants one."""
    endpoint = the_endpoint(call)
    require_mode(endpoint, "Key")
    keys = endpoint.credentials
    return json_answer({"primaryKey": keys.primary, "secondaryKey": keys.secondary})


def get_token(call: Call) -> Answer:
    """POST token: a token of Azure ML's own, of an endpoint that wants one."""
    endpoint = the_endpoint(call)
    require_mode(endpoint, "AMLToken")
    token = endpoint.credentials.new_token(now=call.clock.now())
    return json_answer(
        {
            "accessToken": token.value,
            "tokenType": "Bearer",
            "expiryTimeUtc": token.expires_at,
            "refreshAfterTimeUtc": token.refresh_after,
        }
    )


def _wanted(call: Call, endpoint: OnlineEndpoint) -> bool:
    name = call.query.get("name", endpoint.seed.name)
    kind = "Kubernetes" if endpoint.seed.compute else "Managed"
    asked = call.query.get("computetype", kind)
    return (name.lower(), asked.lower()) == (endpoint.seed.name.lower(), kind.lower())


def the_endpoint(call: Call) -> OnlineEndpoint:
    """The endpoint in the path. Raises AzureError 404."""
    name, workspace = call.names["endpoint"], call.workspace()
    found = workspace.endpoints.get(name.lower())
    if found is None:
        if "/deployments" in call.path.lower().rpartition("/onlineendpoints/")[2]:
            raise parent_not_found(f"{workspace.seed.name}/{name}")
        group = call.names["group"]
        raise not_found(f"workspaces/{workspace.seed.name}/onlineEndpoints/{name}", group=group)
    return found


def _named(endpoint: OnlineEndpoint) -> str:
    return f"workspaces/{endpoint.id.partition('/workspaces/')[2]}"


def require_mode(endpoint: OnlineEndpoint, mode: str) -> None:
    """Raise AzureError 400 for an endpoint whose callers show something else."""
    if endpoint.seed.auth_mode == mode:
        return
    message = f"Endpoint {endpoint.seed.name} signs in with {endpoint.seed.auth_mode}, not {mode}."
    raise AzureError(400, "BadRequest", message)
