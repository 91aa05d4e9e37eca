"""An unmodified kubectl against the emulated Kubernetes API."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.azure_emulator.conftest import eventually
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import (
    BETTER,
    CRASHES,
    GONE,
    GOOD,
    WRONG,
    Kubectl,
    a_cluster,
    a_manifest,
    container_states,
)

TARGET = "deployment/weight"


def test_it_shows_what_runs(kubectl: Kubectl) -> None:
    shown = kubectl("get", "deployments,replicasets,pods").stdout

    assert "deployment.apps/weight" in shown
    assert "2/2" in shown
    assert shown.count("pod/weight-") == 2


def test_wide_it_shows_images_and_nodes(kubectl: Kubectl) -> None:
    wide = kubectl("get", "deployments,pods", "-o", "wide").stdout

    assert GOOD in wide
    assert wide.count("aks-nodepool1") == 2


def test_its_json_is_what_the_api_says(kubectl: Kubectl) -> None:
    shown = json.loads(kubectl("get", TARGET, "-o", "json").stdout)

    assert shown == kubectl.kubernetes.deployment()


def test_a_deployment_is_created_by_the_line(kubectl: Kubectl) -> None:
    line = ("create", "deployment", "hello", f"--image={GOOD}", "--replicas=3", "--port=8000")

    kubectl(*line, "--", "sh", "-c", "score")

    made = kubectl.kubernetes.deployment("hello")["spec"]
    (container,) = made["template"]["spec"]["containers"]
    assert (made["replicas"], container["image"]) == (3, GOOD)
    assert (container["command"], container["ports"][0]["containerPort"]) == (
        ["sh", "-c", "score"],
        8000,
    )


def test_a_restart_is_rolled_out(kubectl: Kubectl) -> None:
    before = {pod["metadata"]["name"] for pod in kubectl.kubernetes.pods()}

    kubectl("rollout", "restart", TARGET)
    said = kubectl("rollout", "status", TARGET).stdout

    assert "successfully rolled out" in said
    after = {pod["metadata"]["name"] for pod in kubectl.kubernetes.pods()}
    assert len(after) == 2
    assert not after & before


def test_a_new_image_answers_and_undo_brings_the_old_one_back(kubectl: Kubectl) -> None:
    cluster = kubectl.kubernetes

    kubectl("set", "image", TARGET, f"weight={WRONG}")
    kubectl("rollout", "status", TARGET)
    wrong = cluster.weight_of_138().json()
    kubectl("rollout", "undo", TARGET)
    kubectl("rollout", "status", TARGET)

    assert wrong == {"response": [66.2]}
    assert cluster.weight_of_138().json() == {"response": [161.8533]}
    revisions = kubectl("rollout", "history", TARGET).stdout
    assert [line.split()[0] for line in revisions.splitlines()[2:] if line] == ["2", "3"]


def test_undo_goes_to_the_revision_that_is_named(kubectl: Kubectl) -> None:
    for image in (BETTER, WRONG):
        kubectl("set", "image", TARGET, f"weight={image}")
        kubectl("rollout", "status", TARGET)

    kubectl("rollout", "undo", TARGET, "--to-revision=1")

    (container,) = kubectl.kubernetes.deployment()["spec"]["template"]["spec"]["containers"]
    assert container["image"] == GOOD


@pytest.mark.parametrize(
    ("image", "reason"), [(GONE, "ImagePullBackOff"), (CRASHES, "CrashLoopBackOff")]
)
def test_a_rollout_that_fails_exceeds_its_deadline(
    emulator: EmulatorProcess, kubectl: Kubectl, image: str, reason: str
) -> None:
    # Its second is a fiftieth of one: a rollout is late after 1.2 real seconds.
    emulator.seed(a_cluster(a_manifest(progressDeadlineSeconds=60)))

    kubectl("set", "image", TARGET, f"weight={image}")
    said = kubectl("rollout", "status", TARGET, succeeds=False)

    assert "exceeded its progress deadline" in said.stderr
    assert container_states(kubectl.kubernetes.pods()) == {reason, "running"}
    assert kubectl.kubernetes.weight_of_138().status == 200


def test_what_is_paused_is_not_restarted_and_changes_wait(kubectl: Kubectl) -> None:
    kubectl("rollout", "pause", TARGET)

    refused = kubectl("rollout", "restart", TARGET, succeeds=False)
    kubectl("set", "image", TARGET, f"weight={WRONG}")

    assert "paused" in refused.stderr
    assert len(kubectl.kubernetes.replica_sets()) == 1
    kubectl("rollout", "resume", TARGET)
    eventually(lambda: kubectl.kubernetes.weight_of_138().json() == {"response": [66.2]})


def test_a_manifest_is_applied_to_what_there_is_and_to_what_there_is_not(
    kubectl: Kubectl,
) -> None:
    changed, new = (kubectl.folder / name for name in ("changed.json", "new.json"))
    changed.write_text(json.dumps(a_manifest(image=WRONG)), encoding="utf-8")
    new.write_text(json.dumps(a_manifest("height")), encoding="utf-8")

    told = [kubectl("apply", "-f", str(path)).stdout for path in (changed, changed, new)]

    assert [line.split()[1] for line in told] == ["configured", "unchanged", "created"]
    kubectl("rollout", "status", "deployment/height")
    assert kubectl.kubernetes.deployment("height")["status"]["readyReplicas"] == 2


def applied(kubectl: Kubectl, manifest: dict[str, Any], *flags: str) -> str:
    """Apply on the server, and return what is said."""
    path = kubectl.folder / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    whole = ("apply", "--server-side", "-f", str(path), *flags)
    return kubectl(*whole).stdout.strip()


def test_the_server_makes_what_is_applied_and_takes_out_what_no_longer_is(
    kubectl: Kubectl,
) -> None:
    first, second = a_manifest("height"), a_manifest("height", image=BETTER)
    first["metadata"]["annotations"] = {"owner": "ada"}
    (container,) = first["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": "MODEL", "value": "a"}, {"name": "THREADS", "value": "1"}]
    (container,) = second["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": "MODEL", "value": "b"}]

    told = [applied(kubectl, manifest) for manifest in (first, second)]

    stored = kubectl.kubernetes.deployment("height")
    (container,) = stored["spec"]["template"]["spec"]["containers"]
    assert told == ["deployment.apps/height serverside-applied"] * 2
    assert "owner" not in stored["metadata"].get("annotations", {})
    assert (container["image"], container["env"]) == (BETTER, [{"name": "MODEL", "value": "b"}])
    assert [each["operation"] for each in stored["metadata"]["managedFields"]] == ["Apply"]


def test_what_somebody_else_changed_is_a_conflict_until_it_is_forced(kubectl: Kubectl) -> None:
    manifest = a_manifest("height")
    applied(kubectl, manifest)
    kubectl("scale", "deployment/height", "--replicas=3")
    kubectl("set", "image", "deployment/height", f"height={BETTER}")
    path = kubectl.folder / "manifest.json"

    refused = kubectl("apply", "--server-side", "-f", str(path), succeeds=False).stderr
    applied(kubectl, manifest, "--force-conflicts")

    spec = kubectl.kubernetes.deployment("height")["spec"]
    assert "Apply failed with 2 conflicts" in refused
    assert '.spec.template.spec.containers[name="height"].image' in refused
    assert (spec["replicas"], spec["template"]["spec"]["containers"][0]["image"]) == (2, GOOD)


def test_a_dry_run_of_the_server_and_a_difference_change_nothing(kubectl: Kubectl) -> None:
    path = kubectl.folder / "manifest.json"
    path.write_text(json.dumps(a_manifest(image=BETTER)), encoding="utf-8")
    before = kubectl.kubernetes.deployment()

    told = kubectl("apply", "-f", str(path), "--dry-run=server").stdout
    # There are differences: kubectl's exit code is 1 then.
    difference = kubectl("diff", "-f", str(path), succeeds=False).stdout

    assert "configured (server dry run)" in told
    assert re.search(rf"^\+ .*image: {BETTER}$", difference, re.MULTILINE)
    assert kubectl.kubernetes.deployment() == before


def test_a_log_is_followed_until_its_pod_ends(kubectl: Kubectl) -> None:
    pod = kubectl.kubernetes.pods()[0]["metadata"]["name"]
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(kubectl, "logs", "-f", pod)
        eventually(lambda: bool(followed(kubectl)))

        kubectl("delete", "pod", pod)

        assert following.result().stdout == "Worker booted.\n"


def followed(kubectl: Kubectl) -> list[dict[str, Any]]:
    """The requests for a log that goes on."""
    requests = kubectl.kubernetes.emulator.requests()
    return [each for each in requests if "follow=true" in each["query"] and each["status"] == 200]


def test_it_scales_by_the_subresource(kubectl: Kubectl) -> None:
    kubectl("scale", TARGET, "--replicas=3", "--current-replicas=2")
    late = kubectl("scale", TARGET, "--replicas=1", "--current-replicas=2", succeeds=False)

    assert "Expected replicas to be 2, was 3" in late.stderr
    kubectl("rollout", "status", TARGET)
    assert len(kubectl.kubernetes.pods()) == 3


def test_a_pod_that_is_deleted_is_replaced(kubectl: Kubectl) -> None:
    before = {pod["metadata"]["name"] for pod in kubectl.kubernetes.pods()}

    kubectl("delete", "pod", min(before))
    kubectl("wait", TARGET, "--for=condition=Available", "--timeout=20s")

    after = {pod["metadata"]["name"] for pod in kubectl.kubernetes.pods()}
    assert (len(after), len(after & before)) == (2, 1)


def test_a_deployment_goes_with_all_it_owns(kubectl: Kubectl) -> None:
    kubectl("delete", TARGET)

    shown = kubectl("get", "deployments,replicasets,pods")

    assert "No resources found" in shown.stderr


def test_pods_are_found_by_their_phase(kubectl: Kubectl) -> None:
    phases = ("Running", "Pending")

    shown = [
        kubectl("get", "pods", "-o", "name", f"--field-selector=status.phase={phase}").stdout
        for phase in phases
    ]

    assert [text.count("pod/") for text in shown] == [2, 0]


def test_events_tell_what_happened_to_whom(kubectl: Kubectl) -> None:
    kubectl("set", "image", TARGET, f"weight={GONE}")
    eventually(
        lambda: container_states(kubectl.kubernetes.pods()) == {"ImagePullBackOff", "running"}
    )

    deployment = kubectl("describe", TARGET).stdout
    warnings = kubectl("get", "events", "--field-selector=type=Warning").stdout

    assert "ScalingReplicaSet" in deployment.partition("Events:")[2]
    assert "from 0 to 1" in deployment
    assert f'Failed to pull image "{GONE}"' in warnings
    assert "Error: ErrImagePull" in warnings


def test_a_log_that_is_not_there_is_no_empty_one(kubectl: Kubectl) -> None:
    before = kubectl("logs", TARGET, "--previous", succeeds=False)

    assert "previous terminated container" in before.stderr


def test_it_is_told_what_it_may_do(emulator: EmulatorProcess, kubectl: Kubectl) -> None:
    may = kubectl("auth", "can-i", "patch", "deployments").stdout
    emulator.seed(a_cluster(rules=[{"verbs": ["get"], "resources": ["pods"]}]))

    may_not = kubectl("auth", "can-i", "patch", "deployments", succeeds=False).stdout
    listed = kubectl("auth", "can-i", "--list").stdout

    assert (may.strip(), may_not.strip().split()[0]) == ("yes", "no")
    assert "pods" in listed


def test_it_is_told_which_right_is_missing(emulator: EmulatorProcess, kubectl: Kubectl) -> None:
    emulator.seed(a_cluster(rules=[{"verbs": ["get", "list", "watch"]}]))

    refused = kubectl("rollout", "restart", TARGET, succeeds=False)

    assert 'cannot patch resource "deployments" in API group "apps"' in refused.stderr
