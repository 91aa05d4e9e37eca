"""The routes that change online endpoints, or follow a change."""

from azure_emulator.arm import online_changes, online_lifetimes, online_operations
from azure_emulator.arm.routing import ArmRoute, route

_ML = "Microsoft.MachineLearningServices"
_SUBSCRIPTION = "/subscriptions/{subscription}"
_ENDPOINT = (
    f"{_SUBSCRIPTION}/resourceGroups/{{group}}/providers/{_ML}/workspaces/{{workspace}}"
    "/onlineEndpoints/{endpoint}"
)
_DEPLOYMENT = f"{_ENDPOINT}/deployments/{{deployment}}"
_LOCATION = f"{_SUBSCRIPTION}|/providers/{_ML}/locations/{{location}}"
_ENDPOINTS = f"{_ML}/workspaces/onlineEndpoints"

WRITES: list[ArmRoute] = [
    route(
        "PUT",
        _ENDPOINT,
        online_changes.put_endpoint,
        action=f"{_ENDPOINTS}/write",
        takes_body=True,
    ),
    route(
        "PATCH",
        _ENDPOINT,
        online_changes.patch_endpoint,
        action=f"{_ENDPOINTS}/write",
        takes_body=True,
    ),
    route(
        "DELETE",
        _ENDPOINT,
        online_lifetimes.delete_endpoint,
        action=f"{_ENDPOINTS}/delete",
    ),
    route(
        "POST",
        f"{_ENDPOINT}|/regenerateKeys",
        online_lifetimes.regenerate_keys,
        action=f"{_ENDPOINTS}/regenerateKeys/action",
        takes_body=True,
    ),
    route(
        "PUT",
        _DEPLOYMENT,
        online_changes.put_deployment,
        action=f"{_ENDPOINTS}/deployments/write",
        takes_body=True,
    ),
    route(
        "PATCH",
        _DEPLOYMENT,
        online_changes.patch_deployment,
        action=f"{_ENDPOINTS}/deployments/write",
        takes_body=True,
    ),
    route(
        "DELETE",
        _DEPLOYMENT,
        online_changes.delete_deployment,
        action=f"{_ENDPOINTS}/deployments/delete",
    ),
    route(
        "POST",
        f"{_DEPLOYMENT}|/getLogs",
        online_changes.get_logs,
        action=f"{_ENDPOINTS}/deployments/getLogs/action",
        takes_body=True,
    ),
    route(
        "GET",
        f"{_LOCATION}/mfeOperationsStatus/{{operation}}",
        online_operations.get_status,
        action=f"{_ML}/locations/mfeOperationsStatus/read",
    ),
    route(
        "GET",
        f"{_LOCATION}/mfeOperationResults/{{operation}}",
        online_operations.get_result,
        action=f"{_ML}/locations/mfeOperationResults/read",
    ),
]
