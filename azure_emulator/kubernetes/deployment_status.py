"""The status of a Deployment: counts of pods, and the conditions Available and Progressing.

Source: pkg/controller/deployment/{sync,progress}.go of Kubernetes 1.32. Counts of zero are left out,
as they are on the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azure_emulator.kubernetes.pod_status import is_ready
from azure_emulator.kubernetes.store import Object, seconds_text

if TYPE_CHECKING:
    from azure_emulator.kubernetes.nodes import Nodes

DEADLINE = "ProgressDeadlineExceeded"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A ReplicaSet with its pods; `wanted` is how many it was told to have.

    `is_new`: its template is the Deployment's.
    """

    replica_set: Object
    pods: Sequence[Object]
    is_new: bool
    wanted: int
    ready: int
    available: int

    @classmethod
    def of(
        cls, replica_set: Object, pods: Sequence[Object], nodes: Nodes, *, is_new: bool
    ) -> Counted:
        min_ready_seconds = replica_set["spec"].get("minReadySeconds", 0)
        available = [
            each for each in pods if nodes.is_available(each, min_ready_seconds=min_ready_seconds)
        ]
        return cls(
            replica_set=replica_set,
            pods=pods,
            is_new=is_new,
            wanted=replica_set["spec"]["replicas"],
            ready=sum(is_ready(each) for each in pods),
            available=len(available),
        )

    @staticmethod
    def is_ready(pod: Object) -> bool:
        return is_ready(pod)

    def status(self) -> Object:
        """Return the status of the ReplicaSet."""
        counts = {
            "fullyLabeledReplicas": len(self.pods),
            "readyReplicas": self.ready,
            "availableReplicas": self.available,
        }
        return {
            "replicas": len(self.pods),
            **{name: count for name, count in counts.items() if count},
            "observedGeneration": self.replica_set["metadata"]["generation"],
        }


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a rollout is: `since` is when it last got on, in Unix seconds."""

    marks: tuple[str, int, int, int]
    since: float
    complete: bool


def status_of(  # noqa: PLR0913  # all that a status tells
    deployment: Object,
    counted: Sequence[Counted],
    before: Progress | None,
    *,
    now: float,
    minimum: int,
    deadline: float,
    created: bool,
) -> tuple[Object, Progress]:
    """Return the status, and the progress to remember. `deadline` in real seconds."""
    counts = _counts(counted)
    progress = _progress(deployment, counted, counts, before=before, now=now)
    available = _available(counts, minimum)
    progressing = _progressing(deployment, progress, now=now, deadline=deadline, created=created)
    known = {each["type"]: each for each in deployment.get("status", {}).get("conditions", [])}
    conditions = [
        _dated(each, known.get(each["type"]), now=now) for each in (available, progressing)
    ]
    shown = {name: count for name, count in counts.items() if count}
    generation = deployment["metadata"]["generation"]
    return {"observedGeneration": generation, **shown, "conditions": conditions}, progress


def _counts(counted: Sequence[Counted]) -> dict[str, int]:
    available = sum(each.available for each in counted)
    return {
        "replicas": sum(len(each.pods) for each in counted),
        "updatedReplicas": sum(len(each.pods) for each in counted if each.is_new),
        "readyReplicas": sum(each.ready for each in counted),
        "availableReplicas": available,
        "unavailableReplicas": max(sum(each.wanted for each in counted) - available, 0),
    }


def _progress(
    deployment: Object,
    counted: Sequence[Counted],
    counts: dict[str, int],
    *,
    before: Progress | None,
    now: float,
) -> Progress:
    name = counted[0].replica_set["metadata"]["name"] if counted else ""
    old = counts["replicas"] - counts["updatedReplicas"]
    marks = name, counts["updatedReplicas"], -old, counts["availableReplicas"]
    desired = deployment["spec"]["replicas"]
    complete = {desired} == {
        counts["updatedReplicas"],
        counts["replicas"],
        counts["availableReplicas"],
    }
    went_on = before is None or before.marks[0] != name or _further(before.marks, marks)
    since = now if went_on else before.since if before else now
    return Progress(marks=marks, since=since, complete=complete)


def _further(before: tuple[str, int, int, int], after: tuple[str, int, int, int]) -> bool:
    return any(new > old for old, new in zip(before[1:], after[1:], strict=True))


def _available(counts: dict[str, int], minimum: int) -> Object:
    if counts["availableReplicas"] >= minimum:
        return _condition(
            "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."
        )
    return _condition(
        "Available",
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
    )


def _progressing(
    deployment: Object, progress: Progress, *, now: float, deadline: float, created: bool
) -> Object:
    name = f'ReplicaSet "{progress.marks[0]}"'
    if deployment["spec"].get("paused"):
        return _condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
    if progress.complete:
        message = f"{name} has successfully progressed."
        return _condition("Progressing", "True", "NewReplicaSetAvailable", message)
    if now >= progress.since + deadline:
        return _condition("Progressing", "False", DEADLINE, f"{name} has timed out progressing.")
    if created:
        message = f'Created new replica set "{progress.marks[0]}"'
        return _condition("Progressing", "True", "NewReplicaSetCreated", message)
    return _condition("Progressing", "True", "ReplicaSetUpdated", f"{name} is progressing.")


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _dated(condition: Object, before: Object | None, *, now: float) -> Object:
    """Return a condition with its times; those of an unchanged one stay."""
    stamp = seconds_text(now)
    if before is None:
        return {"lastUpdateTime": stamp, "lastTransitionTime": stamp, **condition}
    same = all(before[name] == value for name, value in condition.items())
    changed = before["status"] != condition["status"]
    return {
        "lastUpdateTime": before["lastUpdateTime"] if same else stamp,
        "lastTransitionTime": stamp if changed else before["lastTransitionTime"],
        **condition,
    }
