"""The `scale` of a Deployment or ReplicaSet: how many replicas there are to be, and are.

Source: k8s.io/api autoscaling/v1 of 1.32 (Scale).
"""

from typing import Any

from azure_emulator.kubernetes.errors import conflict, invalid
from azure_emulator.kubernetes.store import Object

_COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(given: Object) -> Object:
    labels = given["spec"]["selector"].get("matchLabels", {})
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: given["metadata"][name] for name in _COPIED},
        "spec": {"replicas": given["spec"]["replicas"]},
        "status": {
            "replicas": given["status"].get("replicas", 0),
            "selector": ",".join(f"{name}={value}" for name, value in sorted(labels.items())),
        },
    }


def scaled(deployment: Object, wanted: Any) -> Object:
    """Return the Deployment with the replicas of a Scale. Raises KubernetesError 409, 422."""
    metadata = deployment["metadata"]
    spec, about = (wanted.get(part) or {} for part in ("spec", "metadata"))
    if about.get("resourceVersion") not in {None, "", metadata["resourceVersion"]}:
        raise conflict("deployments", metadata["name"])
    replicas = spec.get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        problem = f"spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0"
        raise invalid("deployments", metadata["name"], problem)
    return {**deployment, "spec": {**deployment["spec"], "replicas": replicas}}
