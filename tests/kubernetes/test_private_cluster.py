"""A cluster without a public address: the mover goes through runCommand."""

import asyncio
import json
import shlex
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from shared.clients.aks import AksMover
from shared.clients.arm_answer import ArmAnswer
from shared.clients.kubernetes_api import Log
from shared.clients.kubernetes_command import READ_RESULT, RUN, KubernetesByCommand
from shared.errors import AzureRequestError, CredentialError, MissingRightError
from shared.scoring.redeploy.mover import Change, ChangeKind, Phase
from tests.support.aks import MARKER, begun, settled
from tests.support.arm_session import now
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import (
    BETTER,
    CLUSTER,
    CRASHES,
    GOOD,
    Kubectl,
    Kubernetes,
    a_cluster,
    a_manifest,
    an_aks_service,
)

PRIVATE = an_aks_service(run_command=True)
TO_BETTER = Change(kind=ChangeKind.IMAGE, target=BETTER)


@pytest.fixture
def private(emulator: EmulatorProcess, mover: AksMover) -> AksMover:
    """The mover, and a private cluster in place of the public one."""
    emulator.seed(a_cluster(private=True))
    return mover


async def test_a_redeploy_and_its_undoing_need_no_address(
    private: AksMover, emulator: EmulatorProcess
) -> None:
    snapshot = await begun(private, TO_BETTER, service=PRIVATE)
    changed = await settled(private, snapshot, service=PRIVATE)
    await private.undo(PRIVATE, snapshot=snapshot, marker=MARKER)
    undone = await settled(private, snapshot, undone=True, service=PRIVATE)

    images = emulator.state()["images"]
    assert (snapshot.image, snapshot.digest) == (GOOD, images[GOOD])
    assert (changed.phase, changed.digest) == (Phase.READY, images[BETTER])
    assert (undone.phase, undone.digest) == (Phase.READY, images[GOOD])
    assert not [each for each in emulator.requests() if "/kubernetes/" in each["path"]]


async def test_a_repeated_change_is_one_revision(
    private: AksMover, emulator: EmulatorProcess
) -> None:
    snapshot = await begun(private, TO_BETTER, service=PRIVATE)
    await private.change(PRIVATE, TO_BETTER, snapshot=snapshot, marker=MARKER)

    (cluster,) = emulator.state()["managed_clusters"]
    assert cluster["deployments"][0]["generation"] == 2


async def test_without_run_command_a_private_cluster_is_not_reached(private: AksMover) -> None:
    with pytest.raises(AzureRequestError, match="not reached") as raised:
        await private.snapshot(an_aks_service())

    assert raised.value.retryable


async def test_the_last_words_of_what_crashes_are_read(
    emulator: EmulatorProcess, private: AksMover
) -> None:
    emulator.seed(a_cluster(a_manifest(progressDeadlineSeconds=60), private=True))
    change = Change(kind=ChangeKind.IMAGE, target=CRASHES)

    snapshot = await begun(private, change, service=PRIVATE)
    state = await settled(private, snapshot, service=PRIVATE)

    assert state.phase is Phase.FAILED
    assert "log: Worker booted." in state.evidence


@pytest.mark.parametrize(
    ("actions", "missing"), [(["*/read"], RUN), (["*/runCommand/action"], READ_RESULT)]
)
async def test_the_azure_action_that_is_missing_is_named(
    emulator: EmulatorProcess, private: AksMover, actions: list[str], missing: str
) -> None:
    grants = [{"actions": actions}]
    emulator.seed(a_cluster(private=True) | {"access": {"service_principal": grants}})

    with pytest.raises(MissingRightError) as raised:
        await private.snapshot(PRIVATE)

    assert raised.value.action == missing


async def test_the_verb_of_kubernetes_that_is_missing_is_named(
    emulator: EmulatorProcess, private: AksMover
) -> None:
    emulator.seed(a_cluster(private=True, rules=[{"verbs": ["list"]}]))

    with pytest.raises(MissingRightError) as raised:
        await private.snapshot(PRIVATE)

    assert raised.value.action == "get deployments.apps"


async def test_what_is_not_there_is_told_in_kubernetes_own_words(private: AksMover) -> None:
    with pytest.raises(AzureRequestError, match='"other" not found') as raised:
        await private.snapshot(an_aks_service(run_command=True, deployment="other"))

    assert (raised.value.status, raised.value.code) == (404, "NotFound")


@dataclass(frozen=True)
class ByKubectl:
    """An ARM whose runCommand is this machine's kubectl."""

    kubectl: Kubectl

    async def post(self, path: str, body: dict[str, str], **_options: Any) -> ArmAnswer:
        program, *words = shlex.split(body["command"])
        assert (path, program) == (f"{CLUSTER}/runCommand", "kubectl")
        # `--raw` is a path of the host: kubectl leaves out the one at which our cluster's API is.
        root = urlsplit(self.kubectl.kubernetes.root).path
        words = [f"{root}{word}" if word.startswith("/") else word for word in words]
        done = await asyncio.to_thread(self.kubectl, *words)
        return ArmAnswer(what=path, status=200, body=result(done.returncode, done.stdout))


async def test_the_commands_are_ones_of_an_unmodified_kubectl(kubectl: Kubectl) -> None:
    api = KubernetesByCommand(
        arm=ByKubectl(kubectl),  # type: ignore[arg-type]  # all that is asked of it
        cluster_id=CLUSTER,
        token="unused",
        now=now,
    )
    mover = AksMover(lambda _service: nullcontext(api))

    snapshot = await begun(mover, TO_BETTER, service=PRIVATE)
    changed = await settled(mover, snapshot, service=PRIVATE)
    await mover.undo(PRIVATE, snapshot=snapshot, marker=MARKER)
    undone = await settled(mover, snapshot, undone=True, service=PRIVATE)
    pod = kubectl.kubernetes.pods()[0]["metadata"]["name"]
    log = await api.read_log("default", Log(pod=pod, container="weight", previous=False))

    assert (changed.phase, undone.phase) == (Phase.READY, Phase.READY)
    assert undone.digest == snapshot.digest
    assert changed.digest != snapshot.digest
    assert log == "Worker booted.\n"


def result(exit_code: int, logs: str) -> dict[str, Any]:
    return {"id": "c", "properties": {"exitCode": exit_code, "logs": logs}}


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (
            result(1, "error: You must be logged in to the server (Unauthorized)"),
            CredentialError,
            "token",
        ),
        (result(1, "sh: kubectl: not found"), AzureRequestError, "kubectl: not found"),
        (result(0, '{"kind": "Depl'), AzureRequestError, "not valid JSON"),
        (result(0, ""), AzureRequestError, "nothing was printed"),
        ({}, AzureRequestError, "exit code None"),
    ],
    ids=["token refused", "no kubectl", "cut", "empty", "nothing"],
)
async def test_a_command_that_went_wrong_is_an_error(
    emulator: EmulatorProcess, private: AksMover, body: Any, error: type[Exception], says: str
) -> None:
    emulator.fault("/commandResults/", status=200, body=body)

    with pytest.raises(error, match=says):
        await private.snapshot(PRIVATE)


def test_a_command_may_ask_for_the_version(kubernetes: Kubernetes) -> None:
    result = kubernetes.run_command("kubectl get --raw /version")

    assert result["exitCode"] == 0
    assert json.loads(result["logs"])["gitVersion"] == "v1.32.4"


@pytest.mark.parametrize("command", ["rm -rf /", "kubectl delete deployment weight", "'", ""])
def test_no_other_command_is_known_and_none_is_executed(
    kubernetes: Kubernetes, command: str
) -> None:
    assert kubernetes.run_command(command)["exitCode"] == 127
