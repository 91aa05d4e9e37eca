"""The mover of services on AKS: rolling restarts and new images of a Deployment, and their undoing.

What kubectl would do to the Deployment is done to it, and nothing else; the time of a restart
(`kubectl.kubernetes.io/restartedAt`) is the redeploy's marker.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.clients.kubernetes_api import KubernetesApi, Log, Resource
from shared.clients.kubernetes_pods import (
    ended_before,
    pinned,
    running_digest,
    settings_of,
    starts,
    troubles,
    worst_reason,
)
from shared.clients.kubernetes_rollout import (
    JsonPatch,
    containers_of,
    current_replica_set,
    history_limit,
    image_patch,
    is_controlled,
    is_made_by_helm,
    is_paused,
    marked_at,
    name_of,
    restart_patch,
    revision_of,
    rollout_state,
    selector_of,
    stamp_of,
    template_in,
    template_of,
    undo_patch,
    version_of,
    with_image,
    without_mark,
)
from shared.clients.lenient_json import text
from shared.clients.redaction import redact, without_settings
from shared.errors import AzureRequestError, ChangedByOthersError, OpsError
from shared.scoring.aks import Aks
from shared.scoring.redeploy.mover import (
    CHANGED_BY_OTHERS,
    Change,
    ChangeKind,
    Marker,
    Phase,
    PlatformState,
    ServesAllAtOnce,
    Snapshot,
)
from shared.scoring.service import Service

# Opens the cluster of a service.
OpenCluster = Callable[[Service], AbstractAsyncContextManager[KubernetesApi]]
_NO_MODEL: Final = "a service of kind aks has its model in its image: name an image"
_PAUSED: Final = "spec.paused: the Deployment is paused (run `kubectl rollout resume` first)"
_UNDONE_TOO: Final = "what somebody else changed in the Deployment's template is undone, too"
_HELM: Final = "aks.allow_helm: Helm made the Deployment, and would not know of the change"
_NO_HISTORY: Final = (
    "spec.revisionHistoryLimit: it is 0, so that there would be nothing to go back to"
)
_OVERTAKEN: Final = "somebody changed the Deployment just now: it is looked at again first"
_CONFLICT, _UNPROCESSABLE = 409, 422
Object = Mapping[str, Any]


class AksMover(ServesAllAtOnce):
    """Provides `shared.scoring.redeploy.mover.Mover` for services of kind `aks`."""

    def __init__(self, open_cluster: OpenCluster) -> None:
        self._open_cluster = open_cluster

    async def snapshot(self, service: Service) -> Snapshot:
        """Look at the Deployment, the ReplicaSet of its template, and the digest of its pods."""
        async with self._open(service) as found:
            seen = await found.look()
            image = text(found.container_in(seen.deployment), "image")
            current = seen.current
            details = {
                "replica_set": name_of(current) if current else "",
                "revision": revision_of(seen.deployment),
            }
            return Snapshot(
                image=image,
                digest=running_digest(seen.pods, found.container_name(seen.deployment)),
                details=details,
                refuses=_refusals(seen, found.aks),
            )

    async def change(
        self, service: Service, change: Change, *, snapshot: Snapshot, marker: Marker
    ) -> None:
        """Restart, or set the image, unless the template bears the marker already."""
        stamp = stamp_of(marker.at)
        async with self._open(service) as found:
            deployment = await found.deployment()
            if marked_at(deployment) == stamp:
                return
            there = text(found.container_in(deployment), "image")
            if there not in _images_before(snapshot):
                raise ChangedByOthersError(f"somebody else deployed {there} meanwhile: it stays")
            _require_running(deployment)
            name = found.container_name(deployment)
            patch = (
                restart_patch(deployment, stamp=stamp)
                if change.kind is ChangeKind.RESTART
                else image_patch(deployment, name, change.target, stamp=stamp)
            )
            await found.patch(deployment, patch)

    async def platform_state(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, undone: bool
    ) -> PlatformState:
        """Judge as `kubectl rollout status` does, once it is our change that is rolled out."""
        async with self._open(service) as found:
            seen = await found.look()
            name = found.container_name(seen.deployment)
            if not _is_ours(seen, found, snapshot=snapshot, marker=marker, undone=undone):
                said = "the Deployment was changed by somebody else in the meantime"
                return PlatformState(phase=Phase.FAILED, reason=CHANGED_BY_OTHERS, text=said)
            state = rollout_state(seen.deployment)
            if state.phase is Phase.READY:
                digest = running_digest(seen.pods, name)
                return replace(state, digest=digest, evidence=starts(seen.pods, name))
            return replace(
                state,
                reason=state.reason or worst_reason(seen.pods, name),
                evidence=[*troubles(seen.pods, name), *await found.last_words(seen.pods, name)],
            )

    async def undo(self, service: Service, *, snapshot: Snapshot, marker: Marker) -> str | None:
        """Go back to the template of the snapshot's ReplicaSet, with its image by digest.

        An image that is neither that one's nor the redeploy's own is somebody else's, and stays.
        """
        async with self._open(service) as found:
            deployment = await found.deployment()
            replica_set = await found.replica_set(str(snapshot.details.get("replica_set", "")))
            before = template_of(replica_set)
            image = pinned(snapshot.image, snapshot.digest)
            wanted = with_image(before, found.container_name(deployment), image)
            if template_in(deployment) in (before, wanted):
                return None
            there = text(found.container_in(deployment), "image")
            if there not in _images_before(snapshot) and not _is_made(there, snapshot, marker):
                raise ChangedByOthersError(f"somebody else deployed {there} meanwhile: it stays")
            _require_running(deployment)
            patch = undo_patch(deployment, wanted, replica_set)
            await found.patch(deployment, patch)
            made = with_image(before, found.container_name(deployment), there)
            others = without_mark(template_in(deployment)) != without_mark(made)
            return _UNDONE_TOO if others else None

    @asynccontextmanager
    async def _open(self, service: Service) -> AsyncIterator[_Workload]:
        if service.aks is None:
            problem = f"{service.name}: a redeploy on AKS needs `aks` in the service's entry"
            raise AzureRequestError(problem, status=None)
        async with self._open_cluster(service) as api:
            yield _Workload(api=api, aks=service.aks)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A Deployment, the ReplicaSet of its template if there is one yet, and that one's pods."""

    deployment: Object
    current: Object | None
    pods: Sequence[Object]


@dataclass(frozen=True, kw_only=True)
class _Workload:
    """The Deployment of one service, in an open session."""

    api: KubernetesApi
    aks: Aks

    async def deployment(self) -> Object:
        return await self.api.get(Resource.DEPLOYMENTS, self.aks.namespace, self.aks.deployment)

    async def replica_set(self, name: str) -> Object:
        return await self.api.get(Resource.REPLICA_SETS, self.aks.namespace, name)

    async def look(self) -> _Seen:
        deployment = await self.deployment()
        selector = selector_of(deployment)
        where = self.aks.namespace
        sets = await self.api.list(Resource.REPLICA_SETS, where, selector=selector)
        current = current_replica_set(deployment, sets)
        if current is None:
            return _Seen(deployment=deployment, current=None, pods=())
        pods = await self.api.list(Resource.PODS, where, selector=selector)
        own = [each for each in pods if is_controlled(each, current)]
        return _Seen(deployment=deployment, current=current, pods=own)

    async def patch(self, seen: Object, patch: JsonPatch) -> None:
        """Change the Deployment as it was seen. Raises ChangedByOthersError where it is not that now."""
        try:
            await self.api.patch_deployment(self.aks.namespace, self.aks.deployment, patch)
        except AzureRequestError as error:
            # The API server says this of any patch that does not fit, without saying why.
            if error.status != _UNPROCESSABLE or not await self._is_another_than(seen):
                raise
            raise ChangedByOthersError(_OVERTAKEN, status=_CONFLICT, retryable=True) from error

    async def _is_another_than(self, seen: Object) -> bool:
        return version_of(await self.deployment()) != version_of(seen)

    async def last_words(self, pods: Sequence[Object], container: str) -> Sequence[str]:
        """Return the end of the log of one that ended; that it cannot be read is told, too."""
        pod = next((each for each in pods if ended_before(each, container)), None)
        if pod is None:
            return ()
        log = Log(pod=name_of(pod), container=container, previous=True)
        try:
            said = await self.api.read_log(self.aks.namespace, log)
        except OpsError as error:
            return (f"no log: {error}",)
        bare = without_settings(said, settings_of(pod, container))
        return [f"log: {redact(line)}" for line in bare.splitlines() if line.strip()]

    def container_name(self, deployment: Object) -> str:
        return text(self.container_in(deployment), "name")

    def container_in(self, deployment: Object) -> Object:
        """Return the service's container. Raises AzureRequestError where it is not clear which."""
        containers, wanted = containers_of(deployment), self.aks.container
        if wanted is None and len(containers) == 1:
            return containers[0]
        named = [each for each in containers if text(each, "name") == wanted]
        if named:
            return named[0]
        names = ", ".join(text(each, "name") for each in containers)
        problem = f"aks.container: must name one of the containers of the Deployment: {names}"
        raise AzureRequestError(problem, status=None)


def _refusals(seen: _Seen, aks: Aks) -> Mapping[ChangeKind, str]:
    checks = (
        (is_paused(seen.deployment), _PAUSED),
        (is_made_by_helm(seen.deployment) and not aks.allow_helm, _HELM),
        (history_limit(seen.deployment) == 0, _NO_HISTORY),
        (seen.current is None, "no ReplicaSet has the Deployment's template yet"),
    )
    reasons = [reason for holds, reason in checks if holds]
    refused = dict.fromkeys(ChangeKind, reasons[0]) if reasons else {}
    return {ChangeKind.MODEL: _NO_MODEL} | refused


def _is_ours(
    seen: _Seen, found: _Workload, *, snapshot: Snapshot, marker: Marker, undone: bool
) -> bool:
    image = text(found.container_in(seen.deployment), "image")
    if not undone:
        # The mark alone outlives `kubectl set image` and `kubectl apply`.
        marked = marked_at(seen.deployment) == stamp_of(marker.at)
        return marked and _is_made(image, snapshot, marker)
    return image in _images_before(snapshot) and marked_at(seen.deployment) != stamp_of(marker.at)


def _images_before(snapshot: Snapshot) -> frozenset[str]:
    return frozenset({snapshot.image, pinned(snapshot.image, snapshot.digest)})


def _is_made(image: str, snapshot: Snapshot, marker: Marker) -> bool:
    """Whether a Deployment has the image that the redeploy gave it, or left it."""
    if marker.change is None:
        return True
    ordered = marker.made(ChangeKind.IMAGE) or snapshot.image
    # Admission may add the digest to a tag.
    return image.partition("@")[0] == ordered if "@" not in ordered else image == ordered


def _require_running(deployment: Object) -> None:
    """Raise AzureRequestError for a Deployment that is paused, as kubectl refuses it."""
    if is_paused(deployment):
        raise AzureRequestError(_PAUSED, status=None)
