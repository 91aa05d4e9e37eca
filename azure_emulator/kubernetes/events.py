"""What controllers and nodes tell of objects: Events, counted where they say the same again.

Source: k8s.io/api core/v1 Event; words of pkg/controller/deployment, pkg/controller/replicaset and
pkg/kubelet of 1.32.
"""

from collections.abc import Callable, Mapping
from typing import Any

from azure_emulator.kubernetes.store import Object, Store, seconds_text

NORMAL, WARNING = "Normal", "Warning"
DEPLOYMENTS, REPLICA_SETS = "deployment-controller", "replicaset-controller"
SCHEDULER, KUBELET = "default-scheduler", "kubelet"


class Events:
    """Notes what happened to an object, beside it in its namespace."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._known: dict[tuple[str, str, str], tuple[str, str]] = {}

    def note(  # what an Event tells, by name
        self,
        about: Mapping[str, Any],
        reason: str,
        message: str,
        *,
        by: str,
        kind: str = NORMAL,
    ) -> None:
        metadata, at = about["metadata"], seconds_text(self._now())
        key = metadata["uid"], reason, message
        known = self._store.get("events", *self._known[key]) if key in self._known else None
        if known is not None:
            again = {**known, "count": known["count"] + 1, "lastTimestamp": at}
            self._store.replace(again)
            return
        # As of a clock in nanoseconds: names are in the order of what happened.
        moment = int(self._now() * 1e9) + len(self._known)
        name = f"{metadata['name']}.{moment:016x}"
        self._known[key] = metadata["namespace"], name
        self._store.create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": name, "namespace": metadata["namespace"]},
                "involvedObject": _reference(about),
                "reason": reason,
                "message": message,
                "source": {"component": by},
                "firstTimestamp": at,
                "lastTimestamp": at,
                "count": 1,
                "type": kind,
                "eventTime": None,
                "reportingComponent": by,
                "reportingInstance": "",
            }
        )

    def pulled(self, pod: Object) -> None:
        """Every container of a pod was pulled and started."""
        for container in pod["spec"]["containers"]:
            name, image = container["name"], container["image"]
            self._pulling(pod, image)
            self.note(pod, "Pulled", f'Successfully pulled image "{image}"', by=KUBELET)
            self.note(pod, "Created", f"Created container: {name}", by=KUBELET)
            self.note(pod, "Started", f"Started container {name}", by=KUBELET)

    def not_pulled(self, pod: Object, missing: list[bool]) -> None:
        """Some images of a pod are not there."""
        for container, gone in zip(pod["spec"]["containers"], missing, strict=True):
            if gone:
                image = container["image"]
                problem = f'Failed to pull image "{image}": not found'
                self._pulling(pod, image)
                self.note(pod, "Failed", problem, by=KUBELET, kind=WARNING)
                self.note(pod, "Failed", "Error: ErrImagePull", by=KUBELET, kind=WARNING)
                self.note(pod, "BackOff", f'Back-off pulling image "{image}"', by=KUBELET)

    def crashed(self, pod: Object) -> None:
        """The containers of a pod ended, and will be started again."""
        where = f"in pod {pod['metadata']['name']}_{pod['metadata']['namespace']}"
        for container in pod["spec"]["containers"]:
            message = f"Back-off restarting failed container {container['name']} {where}"
            self.note(pod, "BackOff", message, by=KUBELET, kind=WARNING)

    def _pulling(self, pod: Object, image: str) -> None:
        self.note(pod, "Pulling", f'Pulling image "{image}"', by=KUBELET)


def _reference(about: Mapping[str, Any]) -> Object:
    metadata = about["metadata"]
    named = {name: metadata[name] for name in ("namespace", "name", "uid", "resourceVersion")}
    return {"apiVersion": about["apiVersion"], "kind": about["kind"], **named}
