"""One AKS cluster: its objects, its rollout controller, its nodes."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure_emulator.estate.timeline import Timeline
from azure_emulator.kubernetes import shapes
from azure_emulator.kubernetes.apply import applied
from azure_emulator.kubernetes.backends import Backends
from azure_emulator.kubernetes.defaults import problems_of, with_defaults
from azure_emulator.kubernetes.errors import already_exists, conflict, invalid, not_found
from azure_emulator.kubernetes.images import Images
from azure_emulator.kubernetes.nodes import Nodes
from azure_emulator.kubernetes.rollout import Rollout
from azure_emulator.kubernetes.store import Object, Store, seconds_text
from azure_emulator.kubernetes_seed import ManagedClusterSeed

if TYPE_CHECKING:
    from azure_emulator.kubernetes.run_command import Command

PROVIDER = "Microsoft.ContainerService"
API_PREFIX = "/kubernetes"
INGRESS_PREFIX = "/ingress"
_NAMESPACE = uuid.UUID("9d1f7a52-64c8-4b0e-a0f3-27c5de8b1f06")


class Cluster:
    """A cluster; look at it after `timeline.advance()`."""

    def __init__(
        self, seed: ManagedClusterSeed, *, subscription_id: str, timeline: Timeline, images: Images
    ) -> None:
        self.seed = seed
        self.subscription_id = subscription_id
        self.resource_group_id = (
            f"/subscriptions/{subscription_id}/resourceGroups/{seed.resource_group}"
        )
        self.id = f"{self.resource_group_id}/providers/{PROVIDER}/managedClusters/{seed.name}"
        self.guid = str(uuid.uuid5(_NAMESPACE, self.id.lower()))
        self.timeline = timeline
        self.store = Store(timeline.clock.now)
        self.nodes = Nodes(self.store, timeline, images, backends=Backends())
        self.commands: dict[str, Command] = {}
        # By uid and manager: what it applied last.
        self._applied: dict[tuple[str, str], Object] = {}
        self._rollout = Rollout(self.store, timeline, self.nodes)
        self._fill()

    def close(self) -> None:
        """End every program behind it."""
        self.nodes.backends.end_all()

    def api_url(self, base_url: str) -> str:
        """Where its API is; a private one has a name that nobody can resolve."""
        if self.seed.private:
            return f"https://{self.seed.name}.privatelink.{self.seed.location}.azmk8s.invalid:443"
        return f"{base_url}{API_PREFIX}/{self.guid}"

    def update(self, current: Object, wanted: Object, *, manager: str, dry_run: bool) -> Object:
        """Store a newer form of a Deployment, and let it be rolled out. Raises KubernetesError."""
        return self._update(current, wanted, _Signature(manager=manager), dry_run=dry_run)

    def _update(
        self, current: Object, wanted: Object, signature: _Signature, *, dry_run: bool
    ) -> Object:
        admitted = _admitted(current, wanted)
        if admitted == current:
            return current
        signed = _signed(admitted, signature, at=self.timeline.clock.now())
        if dry_run:
            return signed
        stored = self.store.replace(signed, asked=True)
        metadata = stored["metadata"]
        self._rollout.sync(metadata["namespace"], metadata["name"])
        return stored

    def create(self, wanted: Object, *, manager: str, dry_run: bool) -> Object:
        """Store a new Deployment, and let it be rolled out. Raises KubernetesError."""
        return self._create(wanted, _Signature(manager=manager), dry_run=dry_run)

    def _create(self, wanted: Object, signature: _Signature, *, dry_run: bool) -> Object:
        whole = _checked(wanted)
        namespace, name = whole["metadata"]["namespace"], whole["metadata"]["name"]
        if self.store.get("namespaces", "", namespace) is None:
            raise not_found("namespaces", namespace)
        if self.store.get("deployments", namespace, name) is not None:
            raise already_exists("deployments", name)
        signed = {**_signed(whole, signature, at=self.timeline.clock.now()), "status": {}}
        if dry_run:
            return signed
        made = self.store.create(signed)
        self._rollout.sync(namespace, name)
        return made

    def apply(
        self, current: Object | None, wanted: Object, *, manager: str, force: bool, dry_run: bool
    ) -> Object:
        """Store what a manager wants of a Deployment, or a new one. Raises KubernetesError."""
        signature = _Signature(manager=manager, operation="Apply")
        if current is None:
            stored = self._create(wanted, signature, dry_run=dry_run)
        else:
            last = self._applied.get((current["metadata"]["uid"], manager), {})
            merged = applied(current, wanted, last=last, manager=manager, force=force)
            stored = self._update(current, merged, signature, dry_run=dry_run)
        if not dry_run:
            self._applied[stored["metadata"]["uid"], manager] = wanted
        return stored

    def delete(self, deployment: Object) -> None:
        """Delete a Deployment with its ReplicaSets and their pods."""
        for replica_set in self.store.owned("replicasets", deployment):
            self.store.delete(replica_set)
            for pod in self.store.owned("pods", replica_set):
                self.nodes.stop(pod)
        self.store.delete(deployment)

    def delete_pod(self, pod: Object) -> None:
        """End a pod; its ReplicaSet makes another one."""
        self.nodes.stop(pod)
        self.nodes.on_change(pod)

    def _fill(self) -> None:
        namespaces = {
            each["metadata"].get("namespace", "default") for each in self.seed.deployments
        }
        for name in sorted({"default", "kube-system"} | namespaces):
            metadata = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
            status = {"phase": "Active"}
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            self.store.create(
                {**namespace, "spec": {"finalizers": ["kubernetes"]}, "status": status}
            )
        for manifest in self.seed.deployments:
            made = self.store.create({**with_defaults(manifest), "status": {}})
            name = made["metadata"]["name"]
            self._rollout.sync(made["metadata"]["namespace"], name, instantly=True)


def _admitted(current: Object, wanted: Object) -> Object:
    before = current["metadata"]
    name = before["name"]
    whole = _checked(wanted)
    metadata = whole["metadata"]
    if metadata.get("resourceVersion") not in {None, "", before["resourceVersion"]}:
        raise conflict("deployments", name)
    if (metadata["name"], metadata["namespace"]) != (name, before["namespace"]):
        raise invalid("deployments", name, "metadata.name: field is immutable")
    if whole["spec"]["selector"] != current["spec"]["selector"]:
        raise invalid("deployments", name, "spec.selector: field is immutable")
    own = ("uid", "creationTimestamp", "generation", "resourceVersion")
    kept = metadata | {field: before[field] for field in own}
    return {**whole, "metadata": kept, "status": copy.deepcopy(current["status"])}


def _checked(wanted: Object) -> Object:
    """Return a Deployment with all its defaults. Raises KubernetesError 400, 422."""
    fitting = shapes.require(wanted, shapes.Deployment)
    problems = problems_of(fitting)
    if problems:
        name = str(fitting.get("metadata", {}).get("name", ""))
        raise invalid("deployments", name, "; ".join(problems))
    return with_defaults(fitting)


@dataclass(frozen=True, kw_only=True)
class _Signature:
    """Who changes an object, and how."""

    manager: str
    operation: str = "Update"


def _signed(wanted: Object, signature: _Signature, *, at: float) -> Object:
    """Return the object with a note of who changed it last; which fields is left out."""
    metadata = wanted["metadata"]
    named = {"manager": signature.manager, "operation": signature.operation}
    others = [
        each
        for each in metadata.get("managedFields", [])
        if (each["manager"], each["operation"]) != (signature.manager, signature.operation)
    ]
    entry: dict[str, Any] = {
        **named,
        "apiVersion": "apps/v1",
        "time": seconds_text(at),
        "fieldsType": "FieldsV1",
        "fieldsV1": {},
    }
    return {**wanted, "metadata": {**metadata, "managedFields": [*others, entry]}}
