"""The routes of Resource Manager that exist here, each with the Azure action it needs."""

from azure_emulator.arm import (
    asset_routes,
    computes,
    container_groups,
    managed_clusters,
    online_endpoints,
    online_routes,
    operations,
    quotas,
    resources,
    run_command,
    subscriptions,
    updates,
    vm_sizes,
    workspaces,
)
from azure_emulator.arm.routing import ArmRoute, route

_PROVIDER = "providers/Microsoft.MachineLearningServices"
_ML = "Microsoft.MachineLearningServices"
_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_WORKSPACE = f"{_GROUP}/{_PROVIDER}/workspaces/{{workspace}}"
_COMPUTE = f"{_WORKSPACE}/computes/{{compute}}"
_ENDPOINT = f"{_WORKSPACE}/onlineEndpoints/{{endpoint}}"
_CONTAINERS = "Microsoft.ContainerInstance/containerGroups"
_CONTAINER_GROUP = f"{_GROUP}/providers/{_CONTAINERS}/{{name}}"
_LOCATION = f"{_PROVIDER}/locations/{{location}}"
_AKS = "Microsoft.ContainerService/managedClusters"
_CLUSTER = f"{_GROUP}/providers/{_AKS}/{{cluster}}"
_READ_SUBSCRIPTION = "Microsoft.Resources/subscriptions/read"
_READ_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read"
_READ_RESOURCES = "Microsoft.Resources/subscriptions/resources/read"
_READ_COMPUTE = f"{_ML}/workspaces/computes/read"
_READ_ENDPOINT = f"{_ML}/workspaces/onlineEndpoints/read"
_READ_DEPLOYMENT = f"{_ML}/workspaces/onlineEndpoints/deployments/read"

ROUTES: list[ArmRoute] = [
    route(
        "GET",
        "/tenants",
        subscriptions.list_tenants,
        action="Microsoft.Resources/tenants/read",
        filtered=True,
    ),
    route(
        "GET",
        "/subscriptions",
        subscriptions.list_subscriptions,
        action=_READ_SUBSCRIPTION,
        filtered=True,
    ),
    route("GET", _SUBSCRIPTION, subscriptions.get_subscription, action=_READ_SUBSCRIPTION),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/locations",
        subscriptions.list_locations,
        action="Microsoft.Resources/subscriptions/locations/read",
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/resourceGroups",
        subscriptions.list_resource_groups,
        action=_READ_GROUP,
    ),
    route("GET", _GROUP, subscriptions.get_resource_group, action=_READ_GROUP),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/providers/{{namespace}}",
        subscriptions.get_provider,
        action="Microsoft.Resources/subscriptions/providers/read",
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/providers",
        subscriptions.list_providers,
        action="Microsoft.Resources/subscriptions/providers/read",
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/resources",
        resources.list_resources,
        action=_READ_RESOURCES,
    ),
    route(
        "GET",
        f"{_GROUP}|/resources",
        resources.list_resources_of_group,
        action=_READ_RESOURCES,
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/{_PROVIDER}/workspaces",
        workspaces.list_by_subscription,
        action=f"{_ML}/workspaces/read",
    ),
    route(
        "GET",
        f"{_GROUP}|/{_PROVIDER}/workspaces",
        workspaces.list_by_resource_group,
        action=f"{_ML}/workspaces/read",
    ),
    route("GET", _WORKSPACE, workspaces.get_workspace, action=f"{_ML}/workspaces/read"),
    route("GET", f"{_WORKSPACE}|/computes", computes.list_computes, action=_READ_COMPUTE),
    route("GET", _COMPUTE, computes.get_compute, action=_READ_COMPUTE),
    route(
        "PATCH",
        _COMPUTE,
        updates.update_compute,
        action=f"{_ML}/workspaces/computes/write",
        takes_body=True,
    ),
    route(
        "POST",
        f"{_COMPUTE}|/updateIdleShutdownSetting",
        updates.update_idle_shutdown_setting,
        action=f"{_ML}/workspaces/computes/updateIdleShutdownSetting/action",
        takes_body=True,
    ),
    route(
        "POST",
        f"{_COMPUTE}|/stop",
        computes.stop,
        action=f"{_ML}/workspaces/computes/stop/action",
    ),
    route(
        "POST",
        f"{_COMPUTE}|/start",
        computes.start,
        action=f"{_ML}/workspaces/computes/start/action",
    ),
    route(
        "POST",
        f"{_COMPUTE}|/restart",
        computes.restart,
        action=f"{_ML}/workspaces/computes/restart/action",
    ),
    route(
        "GET",
        f"{_WORKSPACE}|/onlineEndpoints",
        online_endpoints.list_endpoints,
        action=_READ_ENDPOINT,
    ),
    route("GET", _ENDPOINT, online_endpoints.get_endpoint, action=_READ_ENDPOINT),
    route(
        "POST",
        f"{_ENDPOINT}|/listKeys",
        online_endpoints.list_keys,
        action=f"{_ML}/workspaces/onlineEndpoints/listKeys/action",
    ),
    route(
        "POST",
        f"{_ENDPOINT}|/token",
        online_endpoints.get_token,
        action=f"{_ML}/workspaces/onlineEndpoints/token/action",
    ),
    route(
        "GET",
        f"{_ENDPOINT}|/deployments",
        online_endpoints.list_deployments,
        action=_READ_DEPLOYMENT,
    ),
    route(
        "GET",
        f"{_ENDPOINT}/deployments/{{deployment}}",
        online_endpoints.get_deployment,
        action=_READ_DEPLOYMENT,
    ),
    *online_routes.WRITES,
    *asset_routes.ROUTES,
    route(
        "GET",
        f"{_SUBSCRIPTION}|/providers/{_CONTAINERS}",
        container_groups.list_by_subscription,
        action=f"{_CONTAINERS}/read",
    ),
    route(
        "GET",
        f"{_GROUP}|/providers/{_CONTAINERS}",
        container_groups.list_by_resource_group,
        action=f"{_CONTAINERS}/read",
    ),
    route("GET", _CONTAINER_GROUP, container_groups.get_group, action=f"{_CONTAINERS}/read"),
    route(
        "PUT",
        _CONTAINER_GROUP,
        container_groups.put_group,
        action=f"{_CONTAINERS}/write",
        takes_body=True,
    ),
    route(
        "PATCH",
        _CONTAINER_GROUP,
        container_groups.patch_group,
        action=f"{_CONTAINERS}/write",
        takes_body=True,
    ),
    route(
        "DELETE",
        _CONTAINER_GROUP,
        container_groups.delete_group,
        action=f"{_CONTAINERS}/delete",
    ),
    *(
        route(
            "POST",
            f"{_CONTAINER_GROUP}|/{name}",
            handler,
            action=f"{_CONTAINERS}/{name}/action",
        )
        for name, handler in (
            ("start", container_groups.start),
            ("stop", container_groups.stop),
            ("restart", container_groups.restart),
        )
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/providers/Microsoft.ContainerInstance/locations/{{location}}/operations/{{operation}}",
        container_groups.get_operation,
        action="Microsoft.ContainerInstance/locations/operations/read",
    ),
    route(
        "GET",
        f"{_CONTAINER_GROUP}|/containers/{{container}}/logs",
        container_groups.get_logs,
        action=f"{_CONTAINERS}/containers/logs/read",
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/{_LOCATION}/vmSizes",
        vm_sizes.list_vm_sizes,
        action=f"{_ML}/locations/vmSizes/read",
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/{_LOCATION}/usages",
        quotas.list_usages,
        action=f"{_ML}/locations/usages/read",
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/{_LOCATION}/quotas",
        quotas.list_quotas,
        action=f"{_ML}/locations/quotas/read",
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/{_LOCATION}/computeOperationsStatus/{{operation}}",
        operations.get_status,
        action=f"{_ML}/locations/computeOperationsStatus/read",
    ),
    route(
        "GET",
        f"{_SUBSCRIPTION}|/providers/{_AKS}",
        managed_clusters.list_by_subscription,
        action=f"{_AKS}/read",
    ),
    route(
        "GET",
        f"{_GROUP}|/providers/{_AKS}",
        managed_clusters.list_by_resource_group,
        action=f"{_AKS}/read",
    ),
    route("GET", _CLUSTER, managed_clusters.get_cluster, action=f"{_AKS}/read"),
    route(
        "POST",
        f"{_CLUSTER}|/listClusterUserCredential",
        managed_clusters.list_user_credential,
        action=f"{_AKS}/listClusterUserCredential/action",
    ),
    route(
        "POST",
        f"{_CLUSTER}|/runCommand",
        run_command.begin,
        action=f"{_AKS}/runCommand/action",
        takes_body=True,
    ),
    route(
        "GET",
        f"{_CLUSTER}|/commandResults/{{command}}",
        run_command.get_result,
        action=f"{_AKS}/commandResults/read",
    ),
]
