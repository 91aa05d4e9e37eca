"""Server-side printing: the rows that `kubectl get` shows.

Source: k8s.io/apimachinery pkg/apis/meta/v1 (Table), columns of pkg/printers/internalversion.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from azure_emulator.kubernetes.pod_status import is_ready
from azure_emulator.kubernetes.store import Object

Cells = Callable[[Object], list[Any]]
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
# Only `-o wide` shows these.
_WIDE = 1
_NONE = "<none>"


def table(  # noqa: PLR0913  # what a Table is made of, by name
    plural: str,
    items: Sequence[Object],
    *,
    version: str,
    now: float,
    include: str = "Metadata",
    headed: bool = True,
) -> Object:
    """Return a Table of objects; `include` is what a row says besides (None, Metadata, Object)."""
    columns, cells = _PRINTERS[plural]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [_column(name) for name in columns.split("|")] if headed else None,
        "rows": [
            {"cells": cells({**each, _AGE: _age(each, now)}), "object": _shown(each, include)}
            for each in items
        ],
    }


def _column(text: str) -> Object:
    name, wide, _ = text.partition("*")
    return {
        "name": name,
        "type": "string",
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": _WIDE if wide else 0,
    }


def _shown(given: Object, include: str) -> Object | None:
    if include == "None":
        return None
    if include == "Object":
        return given
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": given["metadata"],
    }


def _age(given: Object, now: float) -> str:
    # Of an Event, what counts is when it was last seen.
    since = given.get("lastTimestamp") or given["metadata"]["creationTimestamp"]
    made = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007  # UTC
    return duration(now - made.replace(tzinfo=UTC).timestamp())


def duration(seconds: float) -> str:
    """Return a duration as kubectl shows it: two units while it is short.

    Source: k8s.io/apimachinery pkg/util/duration, HumanDuration.
    """
    whole = max(int(seconds), 0)
    if whole < 120:  # noqa: PLR2004  # two minutes
        return f"{whole}s"
    place = next(i for i, (_, size) in enumerate(_UNITS) if whole >= _SHOWN_FROM[i])
    unit, size = _UNITS[place]
    count, rest = divmod(whole, size)
    smaller, part = _UNITS[place + 1]
    more = rest // part
    return (
        f"{count}{unit}{more}{smaller}"
        if more and count < _TWO_UNITS_BELOW[unit]
        else f"{count}{unit}"
    )


# From so many seconds on each unit of _UNITS is the first one shown.
_SHOWN_FROM = (48 * 3600, 3 * 3600, 120, 0)
_TWO_UNITS_BELOW = {"d": 8, "h": 8, "m": 10}
_AGE = "age"


def _containers(template: Object) -> list[str]:
    found = template["spec"]["containers"]
    return [",".join(each[part] for each in found) for part in ("name", "image")]


def _selector(given: Object) -> str:
    labels = given["spec"]["selector"].get("matchLabels", {})
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _deployment(given: Object) -> list[Any]:
    status = given["status"]
    ready = f"{status.get('readyReplicas', 0)}/{given['spec']['replicas']}"
    counts = (status.get(name, 0) for name in ("updatedReplicas", "availableReplicas"))
    wide = [*_containers(given["spec"]["template"]), _selector(given)]
    return [given["metadata"]["name"], ready, *counts, given[_AGE], *wide]


def _replica_set(given: Object) -> list[Any]:
    status = given["status"]
    counts = (status.get(name, 0) for name in ("replicas", "readyReplicas"))
    wide = [*_containers(given["spec"]["template"]), _selector(given)]
    return [given["metadata"]["name"], given["spec"]["replicas"], *counts, given[_AGE], *wide]


def _pod(given: Object) -> list[Any]:
    # Before a node has seen it, there is none.
    statuses = given["status"].get("containerStatuses", [])
    ready = f"{sum(each['ready'] for each in statuses)}/{len(given['spec']['containers'])}"
    waiting = [
        each["state"]["waiting"]["reason"] for each in statuses if "waiting" in each["state"]
    ]
    word = waiting[0] if waiting and not is_ready(given) else given["status"]["phase"]
    restarts = max((each["restartCount"] for each in statuses), default=0)
    wide = [given["status"].get("podIP") or _NONE, given["spec"]["nodeName"], _NONE, _NONE]
    return [given["metadata"]["name"], ready, word, restarts, given[_AGE], *wide]


def _event(given: Object) -> list[Any]:
    about = given["involvedObject"]
    target = f"{about['kind'].lower()}/{about['name']}"
    last = [given[_AGE], given["type"], given["reason"], target]
    return [*last, given["message"], given["metadata"]["name"]]


_SETS = "Containers*|Images*|Selector*"
_PRINTERS: dict[str, tuple[str, Cells]] = {
    "deployments": (f"Name|Ready|Up-to-date|Available|Age|{_SETS}", _deployment),
    "replicasets": (f"Name|Desired|Current|Ready|Age|{_SETS}", _replica_set),
    "pods": (
        "Name|Ready|Status|Restarts|Age|IP*|Node*|Nominated Node*|Readiness Gates*",
        _pod,
    ),
    "namespaces": (
        "Name|Status|Age",
        lambda given: [given["metadata"]["name"], given["status"]["phase"], given[_AGE]],
    ),
    "events": ("Last Seen|Type|Reason|Object|Message|Name*", _event),
}
