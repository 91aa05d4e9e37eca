"""What pods tell of a container: the digest that runs, and why it does not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from shared.clients.lenient_json import as_object, as_objects, count, text
from shared.clients.redaction import redact

_DIGEST: Final = re.compile(r"@(sha256:[0-9a-f]{64})$")
_MOST: Final = 10
Object = Mapping[str, Any]


def running_digest(pods: Iterable[Object], container: str) -> str | None:
    """Return the digest that all pods run, None where none says it or they differ.

    An imageID without a repository is no digest: it cannot be pulled.
    """
    ids = (text(each, "imageID") for each in _statuses(pods, container))
    found = {match[1] for match in map(_DIGEST.search, ids) if match}
    return found.pop() if len(found) == 1 else None


def pinned(image: str, digest: str | None) -> str:
    """Return a reference by digest; as it is where no digest is known, or it has this one."""
    if digest is None or image.endswith(f"@{digest}"):
        return image
    host, slash, last = image.partition("@")[0].rpartition("/")
    return f"{host}{slash}{last.partition(':')[0]}@{digest}"


def troubles(pods: Iterable[Object], container: str) -> Sequence[str]:
    """Return a line for each pod whose container is not ready: why, how often, how it ended."""
    lines = [
        f"{text(as_object(pod.get('metadata')), 'name')}: {_trouble(status)}"
        for pod in pods
        for status in _statuses([pod], container)
        if status.get("ready") is not True
    ]
    return lines[:_MOST]


def starts(pods: Iterable[Object], container: str) -> Sequence[str]:
    """Return a line for each pod whose container runs: since when, and how often it was restarted."""
    lines = [
        f"{text(as_object(pod.get('metadata')), 'name')}: running since {since}, "
        f"restarts {count(status, 'restartCount') or 0}"
        for pod in pods
        for status in _statuses([pod], container)
        if (since := text(_state(status, "state", "running"), "startedAt"))
    ]
    return lines[:_MOST]


def worst_reason(pods: Iterable[Object], container: str) -> str:
    """Return why a container waits, in Kubernetes' word; empty where none says so."""
    waiting = (_state(each, "state", "waiting") for each in _statuses(pods, container))
    reasons = (text(each, "reason") for each in waiting)
    return next((each for each in reasons if each and each != "ContainerCreating"), "")


def ended_before(pod: Object, container: str) -> bool:
    """Whether the pod's container ended at least once."""
    return any(count(each, "restartCount") for each in _statuses([pod], container))


def settings_of(pod: Object, container: str) -> Mapping[str, str]:
    """Return the environment that a pod's container is given in the open, by name."""
    found = as_objects(as_object(pod.get("spec")).get("containers"))
    own = (each for each in found if text(each, "name") == container)
    variables = (each for one in own for each in as_objects(one.get("env")))
    return {text(each, "name"): text(each, "value") for each in variables}


def _statuses(pods: Iterable[Object], container: str) -> Iterator[Object]:
    for pod in pods:
        found = as_objects(as_object(pod.get("status")).get("containerStatuses"))
        yield from (each for each in found if text(each, "name") == container)


def _trouble(status: Object) -> str:
    waiting = _state(status, "state", "waiting")
    ended = _state(status, "lastState", "terminated") or _state(status, "state", "terminated")
    parts = [text(waiting, "reason") or "not ready", redact(text(waiting, "message"))]
    restarts, code = count(status, "restartCount"), ended.get("exitCode")
    if restarts:
        parts.append(f"{restarts} restarts")
    if type(code) is int:
        parts.append(f"last exit code {code} {text(ended, 'reason')}".rstrip())
    return ", ".join(part for part in parts if part)


def _state(status: Object, field: str, kind: str) -> Object:
    return as_object(as_object(status.get(field)).get(kind))
