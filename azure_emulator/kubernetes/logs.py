"""What a pod's log shows of its containers, and what a node says where there is none.

Source: k8s.io/api core/v1 PodLogOptions; words of the API server and the kubelet of 1.32.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from azure_emulator.kubernetes.cluster import Cluster
from azure_emulator.kubernetes.errors import KubernetesError, bad_request
from azure_emulator.kubernetes.nodes import Nodes
from azure_emulator.kubernetes.store import Object

_LOOK_EVERY = 0.05
_UNSEEN = {"state": {"waiting": {"reason": "ContainerCreating"}}}
_PULLING = {"ImagePullBackOff", "ErrImagePull"}


def log_of(pod: Object, nodes: Nodes, query: Mapping[str, str]) -> str:
    """Return the lines that are asked for. Raises KubernetesError 400."""
    container = _container(pod, query.get("container", ""))
    statuses = pod["status"].get("containerStatuses", [])
    status = next((each for each in statuses if each["name"] == container), _UNSEEN)
    _require_log(pod, status, previous=query.get("previous", "").lower() in {"1", "true"})
    lines = nodes.log(pod, container).splitlines(keepends=True)
    tail = query.get("tailLines", "")
    shown = lines[len(lines) - min(int(tail), len(lines)) :] if tail.isdecimal() else lines
    if query.get("timestamps", "").lower() in {"1", "true"}:
        shown = [f"{_started_at(status)} {line}" for line in shown]
    limit = query.get("limitBytes", "")
    whole = "".join(shown)
    return whole.encode()[: int(limit)].decode(errors="ignore") if limit.isdecimal() else whole


async def following(
    cluster: Cluster, pod: Object, query: Mapping[str, str], *, first: str
) -> AsyncIterator[bytes]:
    """Tell a log, then what is added to it, until the pod is gone."""
    metadata, text, told = pod["metadata"], first, ""
    while True:
        yield text.removeprefix(told).encode()
        told = text
        await asyncio.sleep(_LOOK_EVERY)
        cluster.timeline.advance()
        found = cluster.store.get("pods", metadata["namespace"], metadata["name"])
        if found is None or found["metadata"]["uid"] != metadata["uid"]:
            return
        # While it is started again there is none.
        with suppress(KubernetesError):
            text = log_of(found, cluster.nodes, query)


def _container(pod: Object, asked: str) -> str:
    pod_name = pod["metadata"]["name"]
    names = [str(each["name"]) for each in pod["spec"]["containers"]]
    if asked:
        if asked not in names:
            raise bad_request(f"container {asked} is not valid for pod {pod_name}")
        return asked
    if len(names) > 1:
        message = f"a container name must be specified for pod {pod_name}, choose one of: "
        raise bad_request(f"{message}[{' '.join(names)}]")
    return names[0]


def _require_log(pod: Object, status: Mapping[str, Any], *, previous: bool) -> None:
    name, container = pod["metadata"]["name"], status.get("name", "")
    if previous and not status.get("restartCount"):
        message = f'previous terminated container "{container}" in pod "{name}" not found'
        raise bad_request(message)
    waiting = status.get("state", {}).get("waiting", {}).get("reason", "")
    # What is restarted has printed something before.
    if waiting and not status.get("restartCount"):
        why = "trying and failing to pull image" if waiting in _PULLING else waiting
        raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {why}')


def _started_at(status: Mapping[str, Any]) -> str:
    states = [status.get("state", {}), status.get("lastState", {})]
    found = [each for state in states for each in state.values() if "startedAt" in each]
    return str(found[0]["startedAt"]) if found else ""
