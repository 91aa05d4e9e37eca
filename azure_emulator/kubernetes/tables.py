"""Server-side printing: the rows that `kubectl get` shows.

Source: k8s.io/apimachinery pkg/apis/meta/v1 (Table), columns of pkg/printers/internalversion.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from azure_emulator.kubernetes.pod_status import is_ready
from azure_emulator.kubernetes.store import Object

_MINUTE, _HOUR = 120, 7200
Cells = Callable[[Object], list[Any]]


def table(plural: str, items: Sequence[Object], *, version: str, now: float) -> Object:
    """Return a Table of objects."""
    columns, cells = _PRINTERS.get(plural, (("Name",), lambda given: [given["metadata"]["name"]]))
    names = (*columns, "Age")
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [
            {
                "name": name,
                "type": "string",
                "format": "name" if name == "Name" else "",
                "description": "",
                "priority": 0,
            }
            for name in names
        ],
        "rows": [
            {"cells": [*cells(each), _age(each, now)], "object": _partial(each)} for each in items
        ],
    }


def _partial(given: Object) -> Object:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": given["metadata"],
    }


def _age(given: Object, now: float) -> str:
    made = datetime.strptime(given["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007  # UTC
    seconds = max(int(now - made.replace(tzinfo=UTC).timestamp()), 0)
    if seconds < _MINUTE:
        return f"{seconds}s"
    return f"{seconds // 60}m" if seconds < _HOUR else f"{seconds // 3600}h"


def _deployment(given: Object) -> list[Any]:
    status = given["status"]
    ready = f"{status.get('readyReplicas', 0)}/{given['spec']['replicas']}"
    counts = (status.get(name, 0) for name in ("updatedReplicas", "availableReplicas"))
    return [given["metadata"]["name"], ready, *counts]


def _replica_set(given: Object) -> list[Any]:
    status = given["status"]
    counts = (status.get(name, 0) for name in ("replicas", "readyReplicas"))
    return [given["metadata"]["name"], given["spec"]["replicas"], *counts]


def _pod(given: Object) -> list[Any]:
    statuses = given["status"]["containerStatuses"]
    ready = f"{sum(each['ready'] for each in statuses)}/{len(statuses)}"
    waiting = [
        each["state"]["waiting"]["reason"] for each in statuses if "waiting" in each["state"]
    ]
    word = waiting[0] if waiting and not is_ready(given) else given["status"]["phase"]
    restarts = max(each["restartCount"] for each in statuses)
    return [given["metadata"]["name"], ready, word, restarts]


_PRINTERS: dict[str, tuple[tuple[str, ...], Cells]] = {
    "deployments": (("Name", "Ready", "Up-to-date", "Available"), _deployment),
    "replicasets": (("Name", "Desired", "Current", "Ready"), _replica_set),
    "pods": (("Name", "Ready", "Status", "Restarts"), _pod),
    "namespaces": (
        ("Name", "Status"),
        lambda given: [given["metadata"]["name"], given["status"]["phase"]],
    ),
}
