"""What a node reports of a pod: one function for each stage of its life.

Source: k8s.io/api core/v1 PodStatus; words of the kubelet (ImagePullBackOff, CrashLoopBackOff).
"""

from collections.abc import Sequence
from typing import Any

from azure_emulator.kubernetes.store import Object, seconds_text

CRASH_EXIT_CODE = 1


def pending(pod: Object, *, at: float) -> Object:
    """Scheduled, and its images are being pulled."""
    states = [_waiting("ContainerCreating", "") for _ in pod["spec"]["containers"]]
    return _status(pod, "Pending", states, ready=False, at=at)


def not_pulled(pod: Object, missing: Sequence[bool], *, at: float) -> Object:
    """Some of its images cannot be pulled."""
    states = [
        _waiting("ImagePullBackOff", f'Back-off pulling image "{container["image"]}"')
        if gone
        else _waiting("ContainerCreating", "")
        for container, gone in zip(pod["spec"]["containers"], missing, strict=True)
    ]
    return _status(pod, "Pending", states, ready=False, at=at)


def crashed(
    pod: Object, image_ids: Sequence[str], *, at: float, exit_code: int = CRASH_EXIT_CODE
) -> Object:
    """Its containers end soon after their start, again and again."""
    ended = {
        "terminated": {
            "exitCode": exit_code,
            "reason": "Error",
            "startedAt": seconds_text(at),
            "finishedAt": seconds_text(at),
        }
    }
    message = "back-off 10s restarting failed container"
    states = [_waiting("CrashLoopBackOff", message) for _ in image_ids]
    restarts = _restarts(pod) + 1
    more = [
        {"imageID": image_id, "restartCount": restarts, "lastState": ended}
        for image_id in image_ids
    ]
    return _status(pod, "Running", states, ready=False, at=at, more=more)


def running(pod: Object, image_ids: Sequence[str], *, at: float, ready: bool) -> Object:
    """Its containers run; `ready` is what their probes say."""
    states = [{"running": {"startedAt": seconds_text(at)}} for _ in image_ids]
    more = [
        {"imageID": image_id, "restartCount": _restarts(pod), "started": True, "ready": ready}
        for image_id in image_ids
    ]
    return _status(pod, "Running", states, ready=ready, at=at, more=more)


def is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


def _waiting(reason: str, message: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def _restarts(pod: Object) -> int:
    known = pod.get("status", {}).get("containerStatuses", [])
    return max((each["restartCount"] for each in known), default=0)


def _status(  # noqa: PLR0913  # what a node reports, by name
    pod: Object,
    phase: str,
    states: Sequence[Object],
    *,
    ready: bool,
    at: float,
    more: Sequence[Object] = (),
) -> Object:
    added = more or [{} for _ in states]
    statuses = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "started": False,
            "state": state,
            "lastState": {},
            **extra,
        }
        for container, state, extra in zip(pod["spec"]["containers"], states, added, strict=True)
    ]
    conditions = [
        _condition("PodScheduled", value=True, at=at),
        _condition("Initialized", value=True, at=at),
        _condition("ContainersReady", value=ready, at=at),
        _condition("Ready", value=ready, at=at),
    ]
    return {
        "phase": phase,
        "conditions": conditions,
        "containerStatuses": statuses,
        "startTime": pod["metadata"]["creationTimestamp"],
        "qosClass": "BestEffort",
    }


def _condition(kind: str, *, value: bool, at: float) -> Object:
    text = "True" if value else "False"
    return {"type": kind, "status": text, "lastTransitionTime": seconds_text(at)}
