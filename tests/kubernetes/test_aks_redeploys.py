"""Whole redeploys on the emulated cluster: proven, or undone and proven, whoever is killed."""

from datetime import timedelta

import pytest

from shared.clients.aks import AksMover
from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Ground, State, Task
from tests.support.aks_stage import open_stage
from tests.support.kubernetes import (
    BETTER,
    NEVER_READY,
    WRONG,
    Kubernetes,
    a_cluster,
    a_manifest,
)
from tests.support.redeploy_stage import RESTART, Life

RIGHT_ANSWER = {"response": [161.8533]}


def to(image: str) -> RedeployOrder:
    return RedeployOrder(change=Change(kind=ChangeKind.IMAGE, target=image), reason="a new model")


async def test_what_somebody_else_deploys_meanwhile_is_left_alone_and_asked_what_it_answers(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    stage = open_stage(mover, kubernetes)
    redeploy_id = await stage.opened(order=to(WRONG))
    await stage.run(until=timedelta(seconds=6))
    containers = [{"name": "weight", "image": BETTER}]
    kubernetes.patch({"spec": {"template": {"spec": {"containers": containers}}}})

    await stage.run()

    end = await stage.redeploy(redeploy_id)
    assert end.state is State.UNDO_FAILED
    assert f"somebody else deployed {BETTER}" in end.said
    assert "it answers right, but was not seen to be put back" in end.said
    assert [each.of for each in end.proofs] == ["old"] * 3
    patches = sum(each["method"] == "PATCH" for each in kubernetes.emulator.requests())
    assert patches == 2


async def test_what_somebody_else_deployed_before_the_change_is_no_matter_of_undoing(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    stage = open_stage(mover, kubernetes)
    redeploy_id = await stage.opened(order=to(WRONG))
    await stage.run(until=timedelta(seconds=2))
    kubernetes.set_image(BETTER)

    await stage.run()

    end = await stage.redeploy(redeploy_id)
    assert [each.task for each in end.steps] == [Task.SNAPSHOT, Task.GATE, Task.CHANGE]
    assert (end.state, end.is_closed) == (State.REFUSED, True)
    assert end.said == f"somebody else deployed {BETTER} meanwhile: it stays; nothing was changed"
    assert [each.ground for each in end.refusals] == [Ground.CHANGED_BY_OTHERS]
    patches = sum(each["method"] == "PATCH" for each in kubernetes.emulator.requests())
    assert patches == 1, "theirs alone"


async def test_what_else_is_undone_with_a_wrong_image_is_told(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    stage = open_stage(mover, kubernetes)
    alone = await stage.opened(order=to(WRONG))
    await stage.run()
    stage.clock += timedelta(hours=1)
    beside = await stage.opened(order=to(WRONG))
    await stage.run(until=timedelta(seconds=6))
    containers = [{"name": "weight", "env": [{"name": "LEVEL", "value": "debug"}]}]
    kubernetes.patch({"spec": {"template": {"spec": {"containers": containers}}}})

    await stage.run()

    told = "what somebody else changed in the Deployment's template is undone, too"
    ends = [await stage.redeploy(each) for each in (alone, beside)]
    assert [each.state for each in ends] == [State.UNDONE] * 2
    assert [any(told in note.text for note in each.steps) for each in ends] == [False, True]


async def test_a_proof_of_what_somebody_else_deployed_is_no_proof(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    stage = open_stage(mover, kubernetes)
    redeploy_id = await stage.opened(order=RESTART)
    for _ in range(20):
        if (await stage.redeploy(redeploy_id)).passes:
            break
        await stage.run(until=timedelta(seconds=12))
    containers = [{"name": "weight", "image": BETTER}]
    kubernetes.patch({"spec": {"template": {"spec": {"containers": containers}}}})

    await stage.run()

    end = await stage.redeploy(redeploy_id)
    assert end.state is State.UNDO_FAILED
    assert f"somebody else deployed {BETTER}" in end.said
    assert {each.of for each in end.proofs} == {"new", "old"}


@pytest.mark.parametrize(
    ("order", "state", "effects"),
    [
        (RESTART, State.SUCCEEDED, 1),
        (to(BETTER), State.SUCCEEDED, 1),
        (to(WRONG), State.UNDONE, 2),
        (to(NEVER_READY), State.UNDONE, 2),
    ],
    ids=["restart", "good image", "wrong answers", "never ready"],
)
async def test_killed_at_every_step_it_ends_proven_and_every_effect_is_made_once(
    kubernetes: Kubernetes,
    mover: AksMover,
    order: RedeployOrder,
    state: State,
    effects: int,
) -> None:
    emulator = kubernetes.emulator
    whole = Life()
    left: int | None = None
    while left is None or left <= whole.used:
        emulator.seed(a_cluster(a_manifest(progressDeadlineSeconds=30)))
        stage = open_stage(mover, kubernetes)
        redeploy_id = await stage.opened(order=order)

        await stage.run(life=whole if left is None else Life(left=left))

        end = await stage.redeploy(redeploy_id)
        patches = sum(each["method"] == "PATCH" for each in emulator.requests())
        assert (end.state, end.is_closed) == (state, True), f"killed at {left}: {end.said}"
        assert patches == effects, f"killed at {left}"
        assert kubernetes.weight_of_138().json() == RIGHT_ANSWER, f"killed at {left}"
        assert end.proofs[-1].passed
        left = (left or 0) + 1
    assert whole.used >= 6
