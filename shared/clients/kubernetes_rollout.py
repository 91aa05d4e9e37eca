"""kubectl's own logic of rollouts, on objects as they come: status, restart, set image, undo. Pure.

Source: kubernetes/kubectl pkg/polymorphichelpers (rollout_status.go, objectrestarter.go,
rollback.go) and pkg/cmd/set/set_image.go of 1.32.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from shared.clients.lenient_json import as_object, as_objects, count, text, texts
from shared.scoring.redeploy.mover import Phase, PlatformState

RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"
REVISION: Final = "deployment.kubernetes.io/revision"
HASH_LABEL: Final = "pod-template-hash"
DEADLINE: Final = "ProgressDeadlineExceeded"
# What each object has for itself: neither an undo nor a new ReplicaSet takes it over.
_OWN_ANNOTATIONS: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)
Object = Mapping[str, Any]
JsonPatch = list[dict[str, Any]]


def rollout_state(deployment: Object) -> PlatformState:
    """Judge as `kubectl rollout status` does; the order matters."""
    name, status = name_of(deployment), as_object(deployment.get("status"))
    if (count(_metadata(deployment), "generation") or 0) > (
        count(status, "observedGeneration") or 0
    ):
        return _waiting("waiting for the cluster to see the change")
    progressing = _progressing(status)
    if text(progressing, "reason") == DEADLINE:
        said = f'deployment "{name}" exceeded its progress deadline'
        return PlatformState(phase=Phase.FAILED, reason=DEADLINE, text=said)
    wanted = count(_spec(deployment), "replicas")
    desired = 1 if wanted is None else wanted
    updated, total, available = (
        count(status, each) or 0 for each in ("updatedReplicas", "replicas", "availableReplicas")
    )
    if updated < desired:
        return _waiting(f"{updated} out of {desired} new replicas have been updated")
    if total > updated:
        return _waiting(f"{total - updated} old replicas are pending termination")
    if available < updated:
        return _waiting(f"{available} of {updated} updated replicas are available")
    return PlatformState(phase=Phase.READY, text=f'deployment "{name}" successfully rolled out')


def restart_patch(deployment: Object, *, stamp: str) -> JsonPatch:
    """Return what `kubectl rollout restart` changes of a Deployment that is as it was seen."""
    annotations = as_object(as_object(template_in(deployment).get("metadata")).get("annotations"))
    marked = {**annotations, RESTARTED_AT: stamp}
    path = "/spec/template/metadata/annotations"
    return [*_if_unchanged(deployment), {"op": "add", "path": path, "value": marked}]


def image_patch(deployment: Object, container: str, image: str, *, stamp: str) -> JsonPatch:
    """Return what `kubectl set image` changes, with the time of a restart.

    The time tells this change from others, and rolls out a tag that moved.
    """
    names = [text(each, "name") for each in containers_of(deployment)]
    path = f"/spec/template/spec/containers/{names.index(container)}/image"
    patch = restart_patch(deployment, stamp=stamp)
    return [*patch, {"op": "replace", "path": path, "value": image}]


def undo_patch(deployment: Object, template: Object, replica_set: Object) -> JsonPatch:
    """Return the JSON patch of `kubectl rollout undo`: a template, and the annotations it had."""
    own = texts(_metadata(deployment).get("annotations"))
    old = texts(_metadata(replica_set).get("annotations"))
    annotations = {name: value for name, value in own.items() if name in _OWN_ANNOTATIONS} | {
        name: value for name, value in old.items() if name not in _OWN_ANNOTATIONS
    }
    return [
        *_if_unchanged(deployment),
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations},
    ]


def version_of(deployment: Object) -> tuple[str, int | None]:
    """Return which Deployment it is, and how often somebody changed what it is to be.

    Its status counts for no generation, as it does for `resourceVersion`: during a rollout that is
    another one every few seconds, whoever asks.
    """
    metadata = _metadata(deployment)
    return text(metadata, "uid"), count(metadata, "generation")


def _if_unchanged(deployment: Object) -> JsonPatch:
    uid, generation = version_of(deployment)
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/metadata/generation", "value": generation},
    ]


def template_of(replica_set: Object) -> dict[str, Any]:
    """Return a ReplicaSet's template as its Deployment had it: without the hash."""
    template: dict[str, Any] = copy.deepcopy(dict(as_object(_spec(replica_set).get("template"))))
    labels = as_object(as_object(template.get("metadata")).get("labels"))
    if HASH_LABEL in labels:
        kept = {name: value for name, value in labels.items() if name != HASH_LABEL}
        template["metadata"] = {**template["metadata"], "labels": kept}
    return template


def with_image(template: Object, container: str, image: str) -> dict[str, Any]:
    """Return a template whose container has this image."""
    changed = copy.deepcopy(dict(template))
    for each in as_objects(as_object(changed.get("spec")).get("containers")):
        if text(each, "name") == container:
            each["image"] = image  # type: ignore[index]  # a copy of ours
    return changed


def without_mark(template: Object) -> dict[str, Any]:
    """Return a template but for the time of its last restart."""
    bare = copy.deepcopy(dict(template))
    metadata = as_object(bare.get("metadata"))
    annotations = as_object(metadata.get("annotations"))
    kept = {name: each for name, each in annotations.items() if name != RESTARTED_AT}
    bare["metadata"] = {**metadata, "annotations": kept}
    return bare


def current_replica_set(deployment: Object, replica_sets: Iterable[Object]) -> Object | None:
    """Return the ReplicaSet of the Deployment's template, of those that it controls."""
    template = template_in(deployment)
    owned = (each for each in replica_sets if is_controlled(each, deployment))
    return next((each for each in owned if template_of(each) == template), None)


def template_in(deployment: Object) -> Object:
    """Return the template that a Deployment asks for."""
    return as_object(_spec(deployment).get("template"))


def is_controlled(given: Object, owner: Object) -> bool:
    """Whether the owner is the controller of an object."""
    uid = text(_metadata(owner), "uid")
    references = as_objects(_metadata(given).get("ownerReferences"))
    return any(each.get("controller") is True and text(each, "uid") == uid for each in references)


def selector_of(deployment: Object) -> str:
    """Return the Deployment's selector as a query has it."""
    selector = as_object(_spec(deployment).get("selector"))
    parts = [f"{name}={value}" for name, value in texts(selector.get("matchLabels")).items()]
    return ",".join(
        [*parts, *(_expression(each) for each in as_objects(selector.get("matchExpressions")))]
    )


def marked_at(deployment: Object) -> str:
    """Return the time of the last restart that the template bears."""
    metadata = as_object(template_in(deployment).get("metadata"))
    return text(as_object(metadata.get("annotations")), RESTARTED_AT)


def stamp_of(moment: datetime) -> str:
    """Return a moment as kubectl writes it (RFC 3339), in UTC; with its microseconds: it is a marker."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def is_paused(deployment: Object) -> bool:
    return _spec(deployment).get("paused") is True


def history_limit(deployment: Object) -> int:
    limit = count(_spec(deployment), "revisionHistoryLimit")
    return 10 if limit is None else limit


def is_made_by_helm(deployment: Object) -> bool:
    metadata = _metadata(deployment)
    label = texts(metadata.get("labels")).get("app.kubernetes.io/managed-by", "")
    annotations = texts(metadata.get("annotations"))
    return label == "Helm" or any(name.startswith("meta.helm.sh/") for name in annotations)


def containers_of(deployment: Object) -> Sequence[Object]:
    return as_objects(as_object(template_in(deployment).get("spec")).get("containers"))


def name_of(given: Object) -> str:
    return text(_metadata(given), "name")


def revision_of(given: Object) -> str:
    return texts(_metadata(given).get("annotations")).get(REVISION, "")


def _expression(found: Object) -> str:
    name, values = text(found, "key"), found.get("values")
    listed = ",".join(str(each) for each in values) if isinstance(values, list) else ""
    words = {"In": f"{name} in ({listed})", "NotIn": f"{name} notin ({listed})"}
    words |= {"Exists": name, "DoesNotExist": f"!{name}"}
    return words.get(text(found, "operator"), name)


def _progressing(status: Object) -> Object:
    conditions = as_objects(status.get("conditions"))
    return next((each for each in conditions if text(each, "type") == "Progressing"), {})


def _waiting(said: str) -> PlatformState:
    return PlatformState(phase=Phase.WAITING, text=said)


def _metadata(given: Object) -> Object:
    return as_object(given.get("metadata"))


def _spec(given: Object) -> Object:
    return as_object(given.get("spec"))
