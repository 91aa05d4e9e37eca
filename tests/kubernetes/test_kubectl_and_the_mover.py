"""The mover leaves a Deployment behind as kubectl would."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.clients.aks import AksMover
from shared.scoring.redeploy.mover import Change
from tests.support.aks import MARKER, RESTART, SERVICE, begun, settled, to
from tests.support.kubernetes import (
    BETTER,
    REPOSITORY,
    WRONG,
    Kubectl,
    a_cluster,
    a_manifest,
    answering,
)

DIGEST = f"sha256:{'a' * 64}"


def left_behind(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """A Deployment without what tells two runs apart."""
    metadata, spec = dict(deployment["metadata"]), dict(deployment["spec"])
    for name in ("managedFields", "resourceVersion", "uid", "creationTimestamp"):
        metadata.pop(name)
    template = dict(spec["template"])
    annotations = dict(template["metadata"].get("annotations", {}))
    annotations.pop("kubectl.kubernetes.io/restartedAt", None)
    template["metadata"] = {**template["metadata"], "annotations": annotations}
    conditions = {
        (each["type"], each["status"], each["reason"])
        for each in deployment["status"]["conditions"]
    }
    return {
        "metadata": metadata,
        "spec": {**spec, "template": template},
        "status": {**deployment["status"], "conditions": conditions},
    }


@pytest.mark.parametrize(
    ("change", "arguments"),
    [
        (RESTART, ("rollout", "restart", "deployment/weight")),
        (to(BETTER), ("set", "image", "deployment/weight", f"weight={BETTER}")),
    ],
    ids=["restart", "image"],
)
async def test_kubectl_and_the_mover_leave_the_same_deployment_behind(
    kubectl: Kubectl, mover: AksMover, change: Change, arguments: tuple[str, ...]
) -> None:
    cluster = kubectl.kubernetes
    kubectl(*arguments)
    kubectl("rollout", "status", "deployment/weight")
    by_kubectl = left_behind(cluster.deployment())

    cluster.emulator.seed(a_cluster())
    await settled(mover, await begun(mover, change))

    assert left_behind(cluster.deployment()) == by_kubectl


async def test_kubectl_and_the_mover_undo_alike(kubectl: Kubectl, mover: AksMover) -> None:
    cluster = kubectl.kubernetes
    pinned = f"{REPOSITORY}@{DIGEST}"
    seed = a_cluster(a_manifest(image=pinned))
    seed["images"][f"{REPOSITORY}:pinned"] = answering(161.8533, digest=DIGEST)
    cluster.emulator.seed(seed)
    kubectl("set", "image", "deployment/weight", f"weight={WRONG}")
    kubectl("rollout", "status", "deployment/weight")
    kubectl("rollout", "undo", "deployment/weight")
    kubectl("rollout", "status", "deployment/weight")
    by_kubectl = left_behind(cluster.deployment())

    cluster.emulator.seed(seed)
    snapshot = await begun(mover, to(WRONG))
    await settled(mover, snapshot)
    await mover.undo(SERVICE, snapshot=snapshot, marker=MARKER)
    await settled(mover, snapshot, undone=True)

    assert left_behind(cluster.deployment()) == by_kubectl
