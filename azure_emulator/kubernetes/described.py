"""AKS clusters and images as the control plane shows them: the truth, right now."""

from typing import Any

from azure_emulator.estate.estate import Estate
from azure_emulator.kubernetes.cluster import INGRESS_PREFIX, Cluster
from azure_emulator.kubernetes.replica_sets import revision_of
from azure_emulator.kubernetes.store import Object


def described(estate: Estate, *, base_url: str) -> dict[str, Any]:
    """Return `managed_clusters` with their Deployments, and the digest of each tag."""
    return {
        "managed_clusters": [_cluster(each, base_url) for each in estate.managed_clusters()],
        "images": estate.images.describe(),
    }


def _cluster(cluster: Cluster, base_url: str) -> dict[str, Any]:
    root = f"{base_url}{INGRESS_PREFIX}/{cluster.guid}"
    deployments = cluster.store.all_of("deployments")
    return {
        "id": cluster.id,
        "private": cluster.seed.private,
        "deployments": [_deployment(each, root) for each in deployments],
    }


def _deployment(deployment: Object, root: str) -> dict[str, Any]:
    metadata, spec = deployment["metadata"], deployment["spec"]
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "revision": revision_of(deployment),
        "generation": metadata["generation"],
        "images": [each["image"] for each in spec["template"]["spec"]["containers"]],
        "url": f"{root}/{metadata['namespace']}/{metadata['name']}",
    }
