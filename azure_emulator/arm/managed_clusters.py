"""AKS clusters at Resource Manager: the clusters, and the kubeconfig of a user.

Source: Microsoft.ContainerService 2026-08-01, ManagedCluster and CredentialResults. The kubeconfig is that
of a cluster with Entra ID: it names an exec plugin (kubelogin), and holds no credential.
"""

import base64
import json

import yaml

from azure_emulator.answers import JSON_TYPE, Answer, json_answer
from azure_emulator.arm.call import Call, not_found
from azure_emulator.arm.paging import page
from azure_emulator.entra.directory import TENANT_ID
from azure_emulator.kubernetes.access import SERVER_APPLICATION
from azure_emulator.kubernetes.cluster import PROVIDER, Cluster

TYPE = f"{PROVIDER}/managedClusters"
# The client application of `kubelogin`, the same in all tenants.
_CLIENT_APPLICATION = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"


def list_by_subscription(call: Call) -> Answer:
    return page(call, list(call.subscription.managed_clusters.values()), encode=_wire)


def list_by_resource_group(call: Call) -> Answer:
    call.require_resource_group()
    group = call.names["group"].lower()
    known = call.subscription.managed_clusters.items()
    return page(call, [each for (where, _), each in known if where == group], encode=_wire)


def get_cluster(call: Call) -> Answer:
    return Answer(body=_wire(managed_cluster(call)), headers=(JSON_TYPE,))


def list_user_credential(call: Call) -> Answer:
    """POST listClusterUserCredential: one kubeconfig, whatever format is asked for."""
    cluster = managed_cluster(call)
    kubeconfig = yaml.safe_dump(_kubeconfig(call, cluster), sort_keys=False)
    value = base64.b64encode(kubeconfig.encode()).decode()
    return json_answer({"kubeconfigs": [{"name": "clusterUser", "value": value}]})


def managed_cluster(call: Call) -> Cluster:
    """The cluster in the path. Raises AzureError 404."""
    group, name = call.names["group"], call.names["cluster"]
    found = call.subscription.managed_clusters.get((group.lower(), name.lower()))
    if found is None:
        call.require_resource_group()
        raise not_found(f"managedClusters/{name}", group=group, provider=PROVIDER)
    return found


def _kubeconfig(call: Call, cluster: Cluster) -> dict[str, object]:
    name, user = cluster.seed.name, f"clusterUser_{cluster.seed.resource_group}_{cluster.seed.name}"
    authority = base64.b64encode(call.settings.ca_bundle).decode()
    server = cluster.api_url(call.settings.base_url)
    exec_plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": [
            "get-token",
            "--environment",
            "AzurePublicCloud",
            "--server-id",
            SERVER_APPLICATION,
            "--client-id",
            _CLIENT_APPLICATION,
            "--tenant-id",
            call.estate.tenant_id,
            "--login",
            "devicecode",
        ],
        "env": None,
        "provideClusterInfo": False,
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"certificate-authority-data": authority, "server": server}}
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
        "preferences": {},
        "users": [{"name": user, "user": {"exec": exec_plugin}}],
    }


def _wire(cluster: Cluster) -> bytes:
    seed = cluster.seed
    address = f"{seed.name}.hcp.{seed.location}.azmk8s.io"
    document = {
        "id": cluster.id,
        "name": seed.name,
        "type": f"{PROVIDER}/ManagedClusters",
        "location": seed.location,
        "tags": seed.tags,
        "sku": {"name": "Base", "tier": "Free"},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "provisioningState": "Succeeded",
            "powerState": {"code": "Running"},
            "kubernetesVersion": seed.kubernetes_version,
            "currentKubernetesVersion": seed.kubernetes_version,
            "dnsPrefix": seed.name,
            "fqdn": None if seed.private else address,
            "privateFQDN": f"{seed.name}.privatelink.{seed.location}.azmk8s.io"
            if seed.private
            else None,
            "enableRBAC": True,
            "disableLocalAccounts": True,
            "aadProfile": {
                "managed": True,
                "enableAzureRBAC": False,
                "tenantID": TENANT_ID,
            },
            "apiServerAccessProfile": {"enablePrivateCluster": seed.private},
        },
    }
    return json.dumps(document).encode()
