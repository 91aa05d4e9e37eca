"""The rollout controller: moves pods from old ReplicaSets to the one of the Deployment's template.

Source: pkg/controller/deployment (sync.go, rolling.go, recreate.go) of Kubernetes 1.32. Left out:
proportional scaling, hash collisions, collection of what nobody owns.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from azure_emulator.estate.timeline import Timeline
from azure_emulator.kubernetes import replica_sets
from azure_emulator.kubernetes.deployment_status import Counted, Progress, status_of
from azure_emulator.kubernetes.events import DEPLOYMENTS, REPLICA_SETS
from azure_emulator.kubernetes.nodes import Nodes
from azure_emulator.kubernetes.store import Object, Store


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How many pods there may be, and must be available, while they are replaced."""

    desired: int
    maximum: int
    minimum: int


class Rollout:
    """Brings what runs in line with what Deployments ask for."""

    def __init__(self, store: Store, timeline: Timeline, nodes: Nodes) -> None:
        self._store = store
        self._timeline = timeline
        self._nodes = nodes
        self._progress: dict[str, Progress] = {}
        self._busy = False
        nodes.on_change = self._pod_changed

    def sync(self, namespace: str, name: str, *, instantly: bool = False) -> None:
        """Look at a Deployment, and do all that can be done now; `instantly` for a seed's."""
        deployment = self._store.get("deployments", namespace, name)
        if deployment is None:
            return
        bounds = bounds_of(deployment)
        self._replace_lost(deployment)
        created = False
        if deployment["spec"].get("paused"):
            self._scale_paused(deployment)
        else:
            deployment, created = self._with_new_replica_set(deployment, bounds)
            while self._move(deployment, bounds, instantly=instantly):
                pass
            self._forget_old(deployment)
        self._report(deployment, bounds, created=created)

    def _pod_changed(self, pod: Object) -> None:
        namespace = pod["metadata"]["namespace"]
        owner = pod["metadata"]["ownerReferences"][0]["name"]
        replica_set = self._store.get("replicasets", namespace, owner)
        # Pods of a seed are ready before their Deployment is looked at again.
        if replica_set is not None and not self._busy:
            self.sync(namespace, replica_set["metadata"]["ownerReferences"][0]["name"])

    def _with_new_replica_set(self, deployment: Object, bounds: Bounds) -> tuple[Object, bool]:
        owned = self._store.owned("replicasets", deployment)
        new = replica_sets.of_template(deployment, owned)
        others = [each for each in owned if new is None or each is not new]
        revision = max((replica_sets.revision_of(each) for each in others), default=0) + 1
        if new is None:
            replica_sets.make(deployment, self._store, revision=revision, maximum=bounds.maximum)
        else:
            renewed = replica_sets.renew(new, deployment, revision=revision, maximum=bounds.maximum)
            self._store.replace(renewed)
        metadata = deployment["metadata"]
        annotations = {**metadata.get("annotations", {}), replica_sets.REVISION: str(revision)}
        whole = {**deployment, "metadata": {**metadata, "annotations": annotations}}
        return self._store.replace(whole), new is None

    def _move(self, deployment: Object, bounds: Bounds, *, instantly: bool) -> bool:
        """Take one step; False when there is nothing to do before pods change."""
        counted = self._count(deployment)
        wanted = (
            _recreate(counted, bounds)
            if deployment["spec"]["strategy"]["type"] == "Recreate"
            else _roll(counted, bounds)
        )
        if wanted is None:
            return False
        chosen, replicas = wanted
        self._tell_of(deployment, chosen, replicas)
        self._scale(chosen, replicas, instantly=instantly)
        return True

    def _scale(self, chosen: Counted, replicas: int, *, instantly: bool) -> None:
        replica_set = chosen.replica_set
        spec = {**replica_set["spec"], "replicas": replicas}
        scaled = self._store.replace({**replica_set, "spec": spec})
        surplus = len(chosen.pods) - replicas
        self._busy = True
        try:
            # Those that are not ready go first.
            for pod in sorted(chosen.pods, key=chosen.is_ready)[: max(surplus, 0)]:
                name = pod["metadata"]["name"]
                told = f"Deleted pod: {name}"
                self._nodes.events.note(scaled, "SuccessfulDelete", told, by=REPLICA_SETS)
                self._nodes.stop(pod)
            for _ in range(-surplus):
                self._nodes.start(scaled, instantly=instantly, at=self._timeline.now())
        finally:
            self._busy = False

    def _replace_lost(self, deployment: Object) -> None:
        """Make pods anew that somebody deleted."""
        for each in self._count(deployment):
            if len(each.pods) < each.wanted:
                self._scale(each, each.wanted, instantly=False)

    def _scale_paused(self, deployment: Object) -> None:
        """What is paused is not rolled out, but scaled where one ReplicaSet has all the pods."""
        active = [each for each in self._count(deployment) if each.wanted]
        desired = int(deployment["spec"]["replicas"])
        if len(active) == 1 and active[0].wanted != desired:
            self._tell_of(deployment, active[0], desired)
            self._scale(active[0], desired, instantly=False)

    def _tell_of(self, deployment: Object, chosen: Counted, replicas: int) -> None:
        name, way = (
            chosen.replica_set["metadata"]["name"],
            "up" if replicas > chosen.wanted else "down",
        )
        message = f"Scaled {way} replica set {name} from {chosen.wanted} to {replicas}"
        self._nodes.events.note(deployment, "ScalingReplicaSet", message, by=DEPLOYMENTS)

    def _forget_old(self, deployment: Object) -> None:
        new, *old = self._count(deployment)
        empty = sorted(
            (each for each in old if not each.wanted and not each.pods),
            key=lambda each: replica_sets.revision_of(each.replica_set),
        )
        limit = deployment["spec"]["revisionHistoryLimit"]
        if len(new.pods) == deployment["spec"]["replicas"]:
            for each in empty[: max(0, len(empty) - limit)]:
                self._store.delete(each.replica_set)

    def _count(self, deployment: Object) -> list[Counted]:
        """Return the ReplicaSets with their pods: the new one first, then from old to young."""
        owned = self._store.owned("replicasets", deployment)
        new = replica_sets.of_template(deployment, owned)
        counted = [
            Counted.of(each, self._store.owned("pods", each), self._nodes, is_new=each is new)
            for each in owned
        ]
        return sorted(counted, key=lambda each: not each.is_new)

    def _report(self, deployment: Object, bounds: Bounds, *, created: bool) -> None:
        counted = self._count(deployment)
        for each in counted:
            self._store.replace({**each.replica_set, "status": each.status()})
        uid, now = deployment["metadata"]["uid"], self._timeline.now()
        seconds = deployment["spec"]["progressDeadlineSeconds"]
        before = self._progress.get(uid)
        deadline = seconds * self._timeline.clock.scale
        status, progress = status_of(
            deployment,
            counted,
            before,
            now=now,
            minimum=bounds.minimum,
            deadline=deadline,
            created=created,
        )
        self._progress[uid] = progress
        self._store.replace({**deployment, "status": status})
        if progress.since != (before and before.since) and not progress.complete:
            key = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
            self._timeline.after(seconds, lambda _at: self.sync(*key))


def bounds_of(deployment: Object) -> Bounds:
    """Resolve maxSurge (rounded up) and maxUnavailable (rounded down), which are not both 0."""
    spec = deployment["spec"]
    desired = int(spec["replicas"])
    rolling = spec["strategy"].get("rollingUpdate")
    if rolling is None:
        return Bounds(desired=desired, maximum=desired, minimum=0)
    surge = math.ceil(_resolved(rolling["maxSurge"], desired))
    unavailable = math.floor(_resolved(rolling["maxUnavailable"], desired))
    if not surge and not unavailable:
        unavailable = 1
    minimum = max(desired - unavailable, 0)
    return Bounds(desired=desired, maximum=desired + surge, minimum=minimum)


def _resolved(value: int | str, desired: int) -> float:
    if isinstance(value, int):
        return float(value)
    return float(value.removesuffix("%")) * desired / 100


def _recreate(counted: Sequence[Counted], bounds: Bounds) -> tuple[Counted, int] | None:
    new, *old = counted
    running = next((each for each in old if each.wanted), None)
    if running is not None:
        return running, 0
    return (new, bounds.desired) if new.wanted != bounds.desired else None


def _roll(counted: Sequence[Counted], bounds: Bounds) -> tuple[Counted, int] | None:
    new, *old = counted
    total = sum(each.wanted for each in counted)
    if new.wanted > bounds.desired:
        return new, bounds.desired
    room = min(bounds.maximum - total, bounds.desired - new.wanted)
    if room > 0:
        return new, new.wanted + room
    return _roll_old(new, [each for each in old if each.wanted], bounds, total)


def _roll_old(
    new: Counted, old: Sequence[Counted], bounds: Bounds, total: int
) -> tuple[Counted, int] | None:
    spare = total - bounds.minimum - (new.wanted - new.available)
    if spare <= 0:
        return None
    for each in old:
        # What does not work is no loss.
        broken = min(each.wanted - each.available, spare)
        if broken > 0:
            return each, each.wanted - broken
    surplus = sum(each.available for each in (new, *old)) - bounds.minimum
    if surplus <= 0 or not old:
        return None
    return old[0], old[0].wanted - min(old[0].wanted, surplus)
