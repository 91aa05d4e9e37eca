"""ReplicaSets of a Deployment: one for each template, their revisions, hashes and annotations.

Source: pkg/controller/deployment/util/deployment_util.go of Kubernetes 1.32.
"""

import copy
import hashlib
import json
from collections.abc import Sequence

from azure_emulator.kubernetes.store import Object, Store, controlled_by

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
# Annotations that each object has for itself.
OWN_ANNOTATIONS = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        HISTORY,
        DESIRED,
        MAXIMUM,
    }
)
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_HASH_LENGTH = 10


def of_template(deployment: Object, replica_sets: Sequence[Object]) -> Object | None:
    """Return the oldest ReplicaSet of the Deployment's template."""
    wanted = deployment["spec"]["template"]
    return next((each for each in replica_sets if without_hash(each) == wanted), None)


def without_hash(replica_set: Object) -> Object:
    """Return the template of a ReplicaSet as its Deployment has it."""
    template = copy.deepcopy(replica_set["spec"]["template"])
    template["metadata"]["labels"].pop(HASH_LABEL, None)
    return dict(template)


def revision_of(given: Object) -> int:
    return int(given["metadata"].get("annotations", {}).get(REVISION, 0))


def make(deployment: Object, store: Store, *, revision: int, maximum: int) -> Object:
    """Store a new ReplicaSet, without pods yet, for the Deployment's template."""
    spec, metadata = deployment["spec"], deployment["metadata"]
    hashed = {HASH_LABEL: template_hash(spec["template"])}
    template = copy.deepcopy(spec["template"])
    template["metadata"]["labels"] |= hashed
    seconds = spec.get("minReadySeconds", 0)
    made = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{hashed[HASH_LABEL]}",
            "namespace": metadata["namespace"],
            "labels": template["metadata"]["labels"],
            "annotations": _annotations({}, deployment, revision=revision, maximum=maximum),
            **controlled_by(deployment),
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {**spec["selector"]["matchLabels"], **hashed}},
            "template": template,
            **({"minReadySeconds": seconds} if seconds else {}),
        },
        "status": {"replicas": 0},
    }
    return store.create(made)


def renew(replica_set: Object, deployment: Object, *, revision: int, maximum: int) -> Object:
    """Return a ReplicaSet that is (again) the newest one of its Deployment."""
    metadata = replica_set["metadata"]
    annotations = _annotations(
        metadata["annotations"], deployment, revision=revision, maximum=maximum
    )
    before = revision_of(replica_set)
    if before and before != revision:
        past = metadata["annotations"].get(HISTORY)
        annotations[HISTORY] = f"{past},{before}" if past else str(before)
    return {**replica_set, "metadata": {**metadata, "annotations": annotations}}


def template_hash(template: Object) -> str:
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:_HASH_LENGTH])


def _annotations(
    before: Object, deployment: Object, *, revision: int, maximum: int
) -> dict[str, str]:
    given = deployment["metadata"].get("annotations", {})
    copied = {name: value for name, value in given.items() if name not in OWN_ANNOTATIONS}
    own = {name: value for name, value in before.items() if name in OWN_ANNOTATIONS}
    return {
        **copied,
        **own,
        REVISION: str(revision),
        DESIRED: str(deployment["spec"]["replicas"]),
        MAXIMUM: str(maximum),
    }
