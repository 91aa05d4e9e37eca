"""Commands of kubectl through `runCommand`, beside the unmodified kubectl at the same cluster."""

import re
import shlex

import pytest
import yaml

from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import (
    BETTER,
    CRASHES,
    Kubectl,
    Kubernetes,
    a_cluster,
    a_manifest,
)

TARGET = "deployment/weight"


class Invoked:
    """`az aks command invoke` at a cluster."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self.kubernetes = kubernetes

    def __call__(self, command: str, *, exit_code: int = 0) -> str:
        properties = self.kubernetes.run_command(command)
        assert properties["exitCode"] == exit_code, properties["logs"]
        logs: str = properties["logs"]
        return logs


@pytest.fixture
def invoked(kubernetes: Kubernetes) -> Invoked:
    return Invoked(kubernetes)


@pytest.mark.parametrize(
    "command",
    [
        "get pods",
        "get pods -n default --no-headers",
        "get deployments -o wide",
        "get deploy weight",
        "get deploy,rs,po",
        "get all",
        "get deployment/weight -o name",
        "get pods -o name -l app.kubernetes.io/name=weight",
        "get pods -l app.kubernetes.io/name=other",
        "get pods -A --field-selector=status.phase=Pending",
        "get rs -A --sort-by=.metadata.name",
        "get ns",
        "rollout status deployment/weight",
        "rollout status deploy weight --watch=false",
        "rollout history deployment/weight",
        "rollout undo deployment/weight --to-revision=1",
        "set image deployment/weight weight=registry.example/weight:1",
        "scale deployment/weight --replicas=2",
        'patch deployment weight -p \'{"spec": {"replicas": 2}}\' -o name',
    ],
)
def test_it_prints_what_kubectl_prints(kubectl: Kubectl, invoked: Invoked, command: str) -> None:
    said = invoked(f"kubectl {command}")

    done = kubectl(*command.replace("'", "").split(" ")) if "-p" not in command else None
    expected = "deployment.apps/weight\n" if done is None else done.stdout + done.stderr
    assert without_ages(said) == without_ages(expected)


def without_ages(text: str) -> str:
    """Ages differ by a second between two commands."""
    return re.sub(r"\d+(m\d+)?s\b +", "AGE ", re.sub(r"\d+(m\d+)?s\n", "AGE\n", text))


@pytest.mark.parametrize(
    "command",
    [
        "get deployment other",
        "rollout undo deployment/weight",
        "rollout undo deployment/weight --to-revision=9",
        "rollout resume deployment/weight",
        "set image deployment/weight other=registry.example/weight:2",
        "scale deployment/weight --replicas=1 --current-replicas=7",
        "logs deployment/weight -c other",
        "rollout history deployment/weight --revision=9",
        """patch deployment weight --type=json -p='[{"op":"remove","path":"/spec/nothing"}]'""",
    ],
)
def test_it_fails_in_kubectls_words(kubectl: Kubectl, invoked: Invoked, command: str) -> None:
    said = invoked(f"kubectl {command}", exit_code=1)

    expected = kubectl(*shlex.split(command), succeeds=False).stderr
    # Which of the pods it asked is told before that.
    assert said.splitlines()[-1] == expected.splitlines()[-1]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_documents_are_what_the_api_holds(invoked: Invoked, form: str) -> None:
    alone = yaml.safe_load(invoked(f"kubectl get deploy weight -o {form}"))
    listed = yaml.safe_load(invoked(f"kubectl get pods,deploy -o {form}"))

    expected = invoked.kubernetes.deployment()
    expected["metadata"].pop("managedFields", None)
    assert alone == expected
    assert [each["kind"] for each in listed["items"]] == ["Pod", "Pod", "Deployment"]


def test_a_new_image_is_rolled_out_waited_for_and_undone(
    emulator: EmulatorProcess, invoked: Invoked
) -> None:
    # A rollout of real seconds, so that a busy machine finds it going on.
    emulator.seed(a_cluster(a_manifest(minReadySeconds=50)))

    assert "image updated" in invoked(f"kubectl set image {TARGET} weight={BETTER}")
    waited = invoked(f"kubectl rollout status {TARGET} --timeout=5m")
    history = invoked(f"kubectl rollout history {TARGET}")
    assert "rolled back" in invoked(f"kubectl rollout undo {TARGET}")
    assert "successfully rolled out" in invoked(f"kubectl rollout status {TARGET}")

    assert "Waiting for deployment" in waited
    assert waited.splitlines()[-1] == 'deployment "weight" successfully rolled out'
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["1", "2"]
    (container,) = invoked.kubernetes.deployment()["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(":1")


def test_a_restart_replaces_every_pod(invoked: Invoked) -> None:
    before = set(invoked("kubectl get pods -o name").split())

    assert "restarted" in invoked(f"kubectl -n default rollout restart {TARGET}")
    invoked(f"kubectl rollout status {TARGET}")

    after = set(invoked("kubectl get pods -o name").split())
    assert (len(after), after & before) == (2, set())


def test_a_rollout_that_fails_ends_the_wait(emulator: EmulatorProcess, invoked: Invoked) -> None:
    emulator.seed(a_cluster(a_manifest(progressDeadlineSeconds=150)))
    invoked(f"kubectl set image {TARGET} weight={CRASHES}")

    impatient = invoked(f"kubectl rollout status {TARGET} --timeout=1s", exit_code=1)
    patient = invoked(f"kubectl rollout status {TARGET}", exit_code=1)
    log = invoked(f"kubectl describe {TARGET}")

    assert "timed out waiting for the condition" in impatient
    assert "exceeded its progress deadline" in patient
    assert "ProgressDeadlineExceeded" in log


def test_logs_are_those_of_a_pod_a_deployment_or_a_selector(invoked: Invoked) -> None:
    pod = invoked("kubectl get pods -o name").split()[0]

    of_pod = invoked(f"kubectl logs {pod} --tail=1")
    of_deployment = invoked(f"kubectl logs {TARGET}")
    of_all = invoked("kubectl logs -l app.kubernetes.io/name=weight")

    assert of_pod == "Worker booted.\n"
    assert of_deployment == f"Found 2 pods, using {pod}\nWorker booted.\n"
    assert of_all == "Worker booted.\n" * 2


def test_what_is_described_has_its_image_its_state_and_its_events(invoked: Invoked) -> None:
    invoked(f"kubectl scale {TARGET} --replicas=3")
    invoked(f"kubectl rollout status {TARGET}")

    deployment = invoked(f"kubectl describe {TARGET}")
    pods = invoked("kubectl describe pods")

    assert "3 desired | 3 updated | 3 total | 3 available | 0 unavailable" in deployment
    assert "from 2 to 3" in deployment.partition("Events:")[2]
    assert pods.count("Restart Count:") == 3
    assert "Started container weight" in pods


def test_version_and_rights_are_the_clusters(emulator: EmulatorProcess, invoked: Invoked) -> None:
    assert "Server Version: v1.32.4" in invoked("kubectl version")
    emulator.seed(a_cluster(rules=[{"verbs": ["get"]}]))

    refused = invoked(f"kubectl rollout restart {TARGET}", exit_code=1)

    assert 'cannot patch resource "deployments"' in refused


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods | grep weight",
        "kubectl get pods && kubectl get deploy",
        "kubectl get services",
        "kubectl get pods -o jsonpath={.items}",
        "kubectl get pods --watch",
        "kubectl exec weight -- ls",
        "kubectl logs weight -f",
        "kubectl rollout status",
        "helm list",
    ],
)
def test_what_it_does_not_know_it_says_and_does_not_do(invoked: Invoked, command: str) -> None:
    assert "The emulator executes nothing" in invoked(command, exit_code=127)
