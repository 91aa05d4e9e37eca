"""Server-side apply by hand: YAML in, and what is refused."""

import pytest
import yaml

from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import (
    BETTER,
    DEPLOYMENTS,
    Kubernetes,
    a_cluster,
    a_manifest,
    connect,
)
from tests.support.wire import Reply


def apply(cluster: Kubernetes, name: str, query: str = "?fieldManager=ada", **spec: str) -> Reply:
    headers = {
        "Authorization": f"Bearer {cluster.token}",
        "Content-Type": "application/apply-patch+yaml",
    }
    body = yaml.safe_dump(a_manifest(name, **spec)).encode()
    path = f"{cluster.root}{DEPLOYMENTS}/{name}{query}"
    return cluster.emulator.wire.send("PATCH", path, body=body, headers=headers)


def test_what_is_not_there_is_made_and_what_is_there_is_changed(kubernetes: Kubernetes) -> None:
    replies = [apply(kubernetes, "height"), apply(kubernetes, "height", image=BETTER)]

    assert [reply.status for reply in replies] == [201, 200]
    (container,) = kubernetes.deployment("height")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == BETTER


def test_the_same_again_changes_no_version(kubernetes: Kubernetes) -> None:
    apply(kubernetes, "height")
    generation = kubernetes.deployment("height")["metadata"]["generation"]

    apply(kubernetes, "height")

    assert kubernetes.deployment("height")["metadata"]["generation"] == generation


def test_a_dry_run_makes_nothing(kubernetes: Kubernetes) -> None:
    reply = apply(kubernetes, "height", "?fieldManager=ada&dryRun=All")

    assert reply.status == 201
    assert kubernetes.get(f"{DEPLOYMENTS}/height").status == 404


def test_what_was_there_before_belongs_to_somebody_else(kubernetes: Kubernetes) -> None:
    refused = apply(kubernetes, "weight", image=BETTER)
    forced = apply(kubernetes, "weight", "?fieldManager=ada&force=true", image=BETTER)

    assert (refused.status, forced.status) == (409, 200)
    assert refused.json()["message"] == (
        'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: '
        '.spec.template.spec.containers[name="weight"].image'
    )


def test_who_applies_gives_a_name(kubernetes: Kubernetes) -> None:
    reply = apply(kubernetes, "height", "")

    assert reply.status == 400
    assert "fieldManager: Required value" in reply.json()["message"]


@pytest.mark.parametrize(("verbs", "status"), [(["patch"], 403), (["patch", "create"], 201)])
def test_making_something_by_it_needs_the_right_to_create(
    emulator: EmulatorProcess, verbs: list[str], status: int
) -> None:
    emulator.seed(a_cluster(rules=[{"verbs": verbs}]))

    assert apply(connect(emulator), "height").status == status
