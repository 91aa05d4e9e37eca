"""The mover of services on AKS, against the emulated cluster."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.clients.aks import AksMover
from shared.errors import AzureRequestError, ChangedByOthersError
from shared.scoring.redeploy.mover import (
    CHANGED_BY_OTHERS,
    NOTHING_LEFT,
    Change,
    ChangeKind,
    Phase,
)
from tests.support.aks import MARKER, RESTART, SERVICE, begun, settled, to
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import (
    BETTER,
    CRASHES,
    GOOD,
    NEVER_READY,
    REPOSITORY,
    WRONG,
    Kubernetes,
    a_cluster,
    a_manifest,
    answering,
)

DIGEST, MOVED = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
RIGHT_ANSWER, WRONG_ANSWER = {"response": [161.8533]}, {"response": [66.2]}


def patches(emulator: EmulatorProcess) -> int:
    return sum(each["method"] == "PATCH" for each in emulator.requests())


async def test_a_snapshot_shows_the_image_its_digest_and_the_revision(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    snapshot = await mover.snapshot(SERVICE)

    (replica_set,) = kubernetes.replica_sets()
    assert snapshot.image == GOOD
    assert snapshot.digest == kubernetes.emulator.state()["images"][GOOD]
    assert snapshot.details == {
        "replica_set": replica_set["metadata"]["name"],
        "revision": "1",
    }
    assert set(snapshot.refuses) == {ChangeKind.MODEL}


async def test_a_restart_replaces_every_pod(kubernetes: Kubernetes, mover: AksMover) -> None:
    before = {pod["metadata"]["name"] for pod in kubernetes.pods()}

    snapshot = await begun(mover, RESTART)
    state = await settled(mover, snapshot)

    assert (state.phase, state.digest) == (Phase.READY, snapshot.digest)
    assert not before & {pod["metadata"]["name"] for pod in kubernetes.pods()}
    done = await mover.complete(SERVICE, snapshot=snapshot, marker=MARKER, proven=0)
    assert done is NOTHING_LEFT
    assert mover.proof_headers(snapshot=snapshot, marker=MARKER, share=0) == {}


async def test_a_new_image_answers_and_its_undoing_brings_the_old_answers_back(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    snapshot = await begun(mover, to(WRONG))
    changed = await settled(mover, snapshot)
    wrong = kubernetes.weight_of_138().json()

    await mover.undo(SERVICE, snapshot=snapshot, marker=MARKER)
    undone = await settled(mover, snapshot, undone=True)

    assert (changed.phase, wrong) == (Phase.READY, WRONG_ANSWER)
    assert changed.digest == kubernetes.emulator.state()["images"][WRONG]
    assert (undone.phase, undone.digest) == (Phase.READY, snapshot.digest)
    assert kubernetes.weight_of_138().json() == RIGHT_ANSWER


async def test_what_never_gets_ready_fails_at_its_deadline_and_is_undone(
    emulator: EmulatorProcess, kubernetes: Kubernetes, mover: AksMover
) -> None:
    emulator.seed(a_cluster(a_manifest(progressDeadlineSeconds=60)))

    snapshot = await begun(mover, to(NEVER_READY))
    state = await settled(mover, snapshot)
    await mover.undo(SERVICE, snapshot=snapshot, marker=MARKER)
    undone = await settled(mover, snapshot, undone=True)

    assert (state.phase, state.reason) == (Phase.FAILED, "ProgressDeadlineExceeded")
    assert [line.rpartition(": ")[2] for line in state.evidence] == ["not ready"]
    assert undone.phase is Phase.READY
    assert kubernetes.weight_of_138().json() == RIGHT_ANSWER


async def test_last_words_name_a_setting_and_do_not_tell_its_value(
    emulator: EmulatorProcess, mover: AksMover
) -> None:
    manifest = a_manifest(progressDeadlineSeconds=60)
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": "LOGIN", "value": "canary-of-the-login"}]
    seed = a_cluster(manifest)
    seed["images"][CRASHES]["logs"] = "no entry for canary-of-the-login\nDB_PASSWORD=canary\n"
    emulator.seed(seed)

    state = await settled(mover, await begun(mover, to(CRASHES)))

    told = "\n".join(state.evidence)
    assert "log: no entry for <LOGIN>" in told
    assert "canary" not in told


async def test_a_crash_loop_is_told_with_its_exit_code_and_its_last_words(
    emulator: EmulatorProcess, mover: AksMover
) -> None:
    emulator.seed(a_cluster(a_manifest(progressDeadlineSeconds=60)))

    state = await settled(mover, await begun(mover, to(CRASHES)))

    told = "\n".join(state.evidence)
    assert state.phase is Phase.FAILED
    assert "CrashLoopBackOff" in told
    assert "last exit code 1 Error" in told
    assert "log: Worker booted." in told


async def test_each_effect_is_made_once_however_often_it_is_asked_for(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    emulator = kubernetes.emulator
    snapshot = await begun(mover, to(WRONG))
    # Whoever takes over after a crash knows no more than the record.
    await mover.change(SERVICE, to(WRONG), snapshot=snapshot, marker=MARKER)
    changed = patches(emulator), kubernetes.deployment()["metadata"]["generation"]

    await mover.undo(SERVICE, snapshot=snapshot, marker=MARKER)
    await mover.undo(SERVICE, snapshot=snapshot, marker=MARKER)

    assert changed == (1, 2)
    assert patches(emulator) == 2
    assert kubernetes.deployment()["metadata"]["generation"] == 3


async def test_the_undoing_of_what_was_never_done_changes_nothing(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    snapshot = await mover.snapshot(SERVICE)

    await mover.undo(SERVICE, snapshot=snapshot, marker=MARKER)

    assert patches(kubernetes.emulator) == 0
    assert (await settled(mover, snapshot, undone=True)).phase is Phase.READY


async def test_an_undoing_goes_back_to_the_digest_although_the_tag_moved(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    emulator = kubernetes.emulator
    emulator.wire.send_json(
        "POST", "/_emulator/images", {"reference": GOOD, "digest": MOVED, **answering(66.2)}
    )
    snapshot = await begun(mover, RESTART)
    moved = await settled(mover, snapshot)
    wrong = kubernetes.weight_of_138().json()

    await mover.undo(SERVICE, snapshot=snapshot, marker=MARKER)
    await settled(mover, snapshot, undone=True)

    assert (moved.digest, wrong) == (MOVED, WRONG_ANSWER)
    (container,) = kubernetes.deployment()["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{REPOSITORY}@{snapshot.digest}"
    assert kubernetes.weight_of_138().json() == RIGHT_ANSWER


async def test_what_somebody_else_changed_meanwhile_is_not_called_ours(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    snapshot = await begun(mover, RESTART)
    annotations = {"kubectl.kubernetes.io/restartedAt": "2026-11-21T23:00:00+01:00"}
    kubernetes.patch({"spec": {"template": {"metadata": {"annotations": annotations}}}})

    state = await mover.platform_state(SERVICE, snapshot=snapshot, marker=MARKER, undone=False)

    assert (state.phase, state.reason) == (Phase.FAILED, CHANGED_BY_OTHERS)


@pytest.mark.parametrize("change", [RESTART, to(WRONG)], ids=["restart", "image"])
async def test_an_image_that_somebody_else_deployed_meanwhile_is_neither_ours_nor_undone(
    kubernetes: Kubernetes, mover: AksMover, change: Change
) -> None:
    """`kubectl set image` leaves the mark of our change where it is."""
    snapshot, marker = await begun(mover, change), replace(MARKER, change=change)
    containers = [{"name": "weight", "image": BETTER}]
    kubernetes.patch({"spec": {"template": {"spec": {"containers": containers}}}})

    state = await settled(mover, snapshot, marker=marker)
    with pytest.raises(ChangedByOthersError, match=BETTER):
        await mover.undo(SERVICE, snapshot=snapshot, marker=marker)

    assert (state.phase, state.reason) == (Phase.FAILED, CHANGED_BY_OTHERS)
    (container,) = kubernetes.deployment()["spec"]["template"]["spec"]["containers"]
    assert container["image"] == BETTER


async def test_what_was_paused_meanwhile_is_left_alone(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    snapshot = await mover.snapshot(SERVICE)
    kubernetes.patch({"spec": {"paused": True}})

    with pytest.raises(AzureRequestError, match=r"spec\.paused"):
        await mover.change(SERVICE, RESTART, snapshot=snapshot, marker=MARKER)

    assert patches(kubernetes.emulator) == 1


@pytest.mark.parametrize(
    "effect",
    # aiohttp itself asks a second time where a connection that was open has ended.
    [{"status": 503}, {"cut": "before_effect", "times": 2}, {"malformed_json": True}],
    ids=["503", "cut", "malformed"],
)
async def test_an_api_that_fails_may_be_asked_again(
    kubernetes: Kubernetes, mover: AksMover, effect: Mapping[str, Any]
) -> None:
    kubernetes.emulator.fault("/kubernetes/.*/deployments/", **effect)

    with pytest.raises(AzureRequestError) as raised:
        await mover.snapshot(SERVICE)

    assert raised.value.retryable
    assert (await mover.snapshot(SERVICE)).image == GOOD


async def test_a_change_whose_answer_was_lost_is_not_made_again(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    snapshot = await mover.snapshot(SERVICE)
    kubernetes.emulator.fault("/deployments/weight$", method="PATCH", cut="after_effect")

    with pytest.raises(AzureRequestError):
        await mover.change(SERVICE, RESTART, snapshot=snapshot, marker=MARKER)
    await mover.change(SERVICE, RESTART, snapshot=snapshot, marker=MARKER)

    assert patches(kubernetes.emulator) == 1
    assert kubernetes.deployment()["metadata"]["generation"] == 2
