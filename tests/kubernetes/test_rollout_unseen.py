"""A rollout goes on while nobody looks, as it does in a cluster."""

from typing import Any

import pytest

from azure_emulator.clock import Clock
from azure_emulator.estate.timeline import Timeline
from azure_emulator.kubernetes.cluster import Cluster
from azure_emulator.kubernetes.images import Images
from azure_emulator.kubernetes_seed import ImageSeed, ManagedClusterSeed
from tests.support.kubernetes import BETTER, GOOD, NEVER_READY, SUBSCRIPTION, a_manifest

A_DAY = 86_400.0


@pytest.mark.parametrize(
    ("image", "reason"),
    [(BETTER, "NewReplicaSetAvailable"), (NEVER_READY, "ProgressDeadlineExceeded")],
    ids=["gets ready", "never gets ready"],
)
def test_what_happened_unseen_happened_in_its_time(image: str, reason: str) -> None:
    now = [1_800_000_000.0]
    timeline = Timeline(Clock(read=lambda: now[0]))
    images = Images(
        {GOOD: ImageSeed(), BETTER: ImageSeed(), NEVER_READY: ImageSeed(starts="never_ready")}
    )
    seed = ManagedClusterSeed(name="aks-ml", deployments=(a_manifest(),))
    cluster = Cluster(seed, subscription_id=SUBSCRIPTION, timeline=timeline, images=images)
    before: Any = cluster.store.get("deployments", "default", "weight")
    wanted = {**before, "spec": {**before["spec"], **a_manifest(image=image)["spec"]}}

    now[0] += A_DAY
    cluster.update(before, wanted, manager="me", dry_run=False)
    now[0] += A_DAY
    timeline.advance()

    after: Any = cluster.store.get("deployments", "default", "weight")
    conditions = {each["type"]: each["reason"] for each in after["status"]["conditions"]}
    assert conditions["Progressing"] == reason
