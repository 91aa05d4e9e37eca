"""The nodes of a cluster: pods are pulled, start, and get ready or fail, each in its time."""

from collections.abc import Callable, Sequence
from functools import partial

from azure_emulator.estate.timeline import Timeline
from azure_emulator.kubernetes import pod_status
from azure_emulator.kubernetes.backends import Backends
from azure_emulator.kubernetes.events import KUBELET, REPLICA_SETS, SCHEDULER, Events
from azure_emulator.kubernetes.images import Image, Images
from azure_emulator.kubernetes.store import (
    Object,
    Store,
    controlled_by,
    controller_of,
    generated_name,
)

PULL_SECONDS = 2.0
# Real seconds between looks at a program that starts.
_LOOK_EVERY = 0.05


class Nodes:
    """Runs pods. `on_change` is told of every pod whose state changed by itself."""

    def __init__(
        self, store: Store, timeline: Timeline, images: Images, *, backends: Backends
    ) -> None:
        self._store = store
        self._timeline = timeline
        self._images = images
        self.backends = backends
        self.events = Events(store, timeline.now)
        self._ready_at: dict[str, float] = {}
        self.on_change: Callable[[Object], None] = lambda _pod: None

    def start(self, replica_set: Object, *, instantly: bool, at: float) -> None:
        """Make one more pod of a ReplicaSet."""
        template, owner = replica_set["spec"]["template"], replica_set["metadata"]
        metadata = {
            "name": generated_name(f"{owner['name']}-"),
            "namespace": owner["namespace"],
            "labels": template["metadata"]["labels"],
            **controlled_by(replica_set),
        }
        if template["metadata"].get("annotations"):
            metadata["annotations"] = template["metadata"]["annotations"]
        spec = {**template["spec"], "nodeName": "aks-nodepool1-10000000-vmss000000"}
        unseen = {"phase": "Pending"}
        named = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
        pod = self._store.create({**named, "spec": spec, "status": unseen})
        self._store.replace({**pod, "status": pod_status.pending(pod, at=at)})
        self._tell_of(pod, replica_set)
        pull = partial(self._pull, (owner["namespace"], metadata["name"]), instantly)
        if instantly:
            pull(at)
        else:
            self._timeline.after(PULL_SECONDS, pull)

    def _tell_of(self, pod: Object, replica_set: Object) -> None:
        name, where = pod["metadata"]["name"], pod["metadata"]["namespace"]
        self.events.note(replica_set, "SuccessfulCreate", f"Created pod: {name}", by=REPLICA_SETS)
        placed = f"Successfully assigned {where}/{name} to {pod['spec']['nodeName']}"
        self.events.note(pod, "Scheduled", placed, by=SCHEDULER)

    def stop(self, pod: Object) -> None:
        """End a pod, and the program behind its ReplicaSet with the last of them."""
        for container in pod["spec"]["containers"]:
            self.events.note(pod, "Killing", f"Stopping container {container['name']}", by=KUBELET)
        self._store.delete(pod)
        self._ready_at.pop(pod["metadata"]["uid"], None)
        owner = controller_of(pod)
        others = self._store.all_of("pods", pod["metadata"]["namespace"])
        if not any(controller_of(each) == owner for each in others):
            self.backends.end(owner)

    def is_available(self, pod: Object, *, min_ready_seconds: float) -> bool:
        """Whether a pod has been ready for so long."""
        since = self._ready_at.get(pod["metadata"]["uid"])
        pause = min_ready_seconds * self._timeline.clock.scale
        return since is not None and since + pause <= self._timeline.now()

    def log(self, pod: Object, container: str) -> str:
        """What a pod's container prints."""
        (found,) = (each for each in pod["spec"]["containers"] if each["name"] == container)
        image = self._images.pull(found["image"])
        return image.seed.logs if image and pod["status"]["phase"] == "Running" else ""

    def _pull(self, key: tuple[str, str], instantly: bool, at: float) -> None:  # noqa: FBT001  # partial
        pod = self._store.get("pods", *key)
        if pod is None:
            return
        found = [self._images.pull(each["image"]) for each in pod["spec"]["containers"]]
        images = [each for each in found if each is not None]
        if len(images) < len(found):
            missing = [each is None for each in found]
            self.events.not_pulled(pod, missing)
            self._report(pod, pod_status.not_pulled(pod, missing, at=at))
        elif "crashes" in self._starts(pod, images):
            self.events.pulled(pod)
            self.events.crashed(pod)
            self._report(pod, pod_status.crashed(pod, _ids(images), at=at))
        else:
            self._run(pod, images, instantly=instantly, at=at)

    def _run(self, pod: Object, images: Sequence[Image], *, instantly: bool, at: float) -> None:
        self.events.pulled(pod)
        self._report(pod, pod_status.running(pod, _ids(images), at=at, ready=False))
        self.backends.start(controller_of(pod), images[0].seed)
        if "never_ready" in self._starts(pod, images):
            return
        get_ready = partial(self._get_ready, self._key(pod), images)
        if instantly:
            get_ready(at)
        else:
            self._timeline.after(max(each.seed.ready_seconds for each in images), get_ready)

    def _starts(self, pod: Object, images: Sequence[Image]) -> set[str]:
        """What becomes of a pod's containers: the first pods of a ReplicaSet may be better off."""
        owner, uid = controller_of(pod), pod["metadata"]["uid"]
        pods = self._store.all_of("pods", pod["metadata"]["namespace"])
        owned = [each["metadata"]["uid"] for each in pods if controller_of(each) == owner]
        place = owned.index(uid)
        return {each.seed.starts for each in images if place >= each.seed.good_pods}

    def _get_ready(self, key: tuple[str, str], images: Sequence[Image], at: float) -> None:
        pod = self._store.get("pods", *key)
        if pod is None:
            return
        owner = controller_of(pod)
        status = self.backends.exit_status(owner)
        if status is not None:
            self.events.crashed(pod)
            ended = pod_status.crashed(pod, _ids(images), at=at, exit_code=status)
            self._report(pod, ended)
        elif not self.backends.listens(owner):
            again = partial(self._get_ready, key, images)
            self._timeline.at(self._timeline.clock.now() + _LOOK_EVERY, again)
        else:
            self._ready_at[pod["metadata"]["uid"]] = at
            self._report(pod, pod_status.running(pod, _ids(images), at=at, ready=True))
            self._wait_until_available(pod, key)

    def _wait_until_available(self, pod: Object, key: tuple[str, str]) -> None:
        owner = pod["metadata"]["ownerReferences"][0]["name"]
        replica_set = self._store.get("replicasets", key[0], owner)
        seconds = replica_set["spec"].get("minReadySeconds", 0) if replica_set else 0
        if seconds:
            self._timeline.after(seconds, lambda _at: self.on_change(pod))

    def _report(self, pod: Object, status: Object) -> None:
        self.on_change(self._store.replace({**pod, "status": status}))

    @staticmethod
    def _key(pod: Object) -> tuple[str, str]:
        return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _ids(images: Sequence[Image]) -> list[str]:
    return [each.image_id for each in images]
