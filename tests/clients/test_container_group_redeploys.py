"""Whole redeploys of an emulated container group: proven, or undone and proven, whoever is killed."""

from pathlib import Path

import pytest

from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import State
from tests.support.arm_session import ArmSession
from tests.support.container_groups import GOLDEN, GOOD, REPOSITORY, seen, with_group
from tests.support.group_stage import open_stage
from tests.support.moved_group import moving
from tests.support.r_services import RServiceProcess, serve_weight
from tests.support.redeploy_stage import RESTART, Life


def to(tag: str) -> RedeployOrder:
    change = Change(kind=ChangeKind.IMAGE, target=f"{REPOSITORY}:{tag}")
    return RedeployOrder(change=change, reason="a new model")


def answered(session: ArmSession) -> object:
    """What the group answers now."""
    emulator = session.emulator
    return emulator.wire.get(f"{seen(emulator)['url']}/weight?height=138").json()


@pytest.mark.parametrize(
    ("order", "state", "puts"),
    [
        (to("2"), State.SUCCEEDED, 1),
        (to("wrong"), State.UNDONE, 2),
        (to("crashes"), State.UNDONE, 2),
        (to("never-ready"), State.UNDONE, 2),
    ],
    ids=["good image", "wrong answers", "crashes", "never ready"],
)
async def test_killed_at_every_step_it_ends_proven_and_every_put_is_made_once(
    session: ArmSession, order: RedeployOrder, state: State, puts: int
) -> None:
    whole = Life()
    left: int | None = None
    async with moving(session) as group:
        while left is None or left <= whole.used:
            with_group(session.emulator)
            stage = open_stage(group.mover, session.emulator)
            redeploy_id = await stage.opened(order=order)

            await stage.run(life=whole if left is None else Life(left=left))

            end = await stage.redeploy(redeploy_id)
            assert (end.state, end.is_closed) == (state, True), f"killed at {left}: {end.said}"
            assert seen(session.emulator)["effects"]["puts"] == puts, f"killed at {left}"
            assert answered(session) == GOLDEN["content"], f"killed at {left}"
            assert end.proofs[-1].passed
            left = (left or 0) + 1
    assert whole.used >= 6


async def test_killed_at_every_step_a_restart_is_sent_at_most_twice(session: ArmSession) -> None:
    whole = Life()
    left: int | None = None
    sent = []
    async with moving(session) as group:
        while left is None or left <= whole.used:
            with_group(session.emulator)
            stage = open_stage(group.mover, session.emulator)
            redeploy_id = await stage.opened(order=RESTART)

            await stage.run(life=whole if left is None else Life(left=left))

            end = await stage.redeploy(redeploy_id)
            assert end.state is State.SUCCEEDED, f"killed at {left}: {end.said}"
            sent.append(seen(session.emulator)["effects"]["restarts"])
            left = (left or 0) + 1
    # Once each, but for the one killed between Azure's 204 and the start that shows it.
    assert sum(each - 1 for each in sent) <= 1
    assert set(sent) <= {1, 2}


async def test_where_no_digest_is_known_nothing_is_touched(session: ArmSession) -> None:
    with_group(session.emulator, behaviour={"events_without_digest": True})
    async with moving(session) as group:
        stage = open_stage(group.mover, session.emulator)
        ids = []
        for order in (RESTART, to("2")):
            ids.append(await stage.opened(order=order))
            await stage.run()
        ends = [await stage.redeploy(each) for each in ids]

    assert [end.state for end in ends] == [State.REFUSED] * 2
    assert all("digest" in end.said for end in ends)
    assert seen(session.emulator)["effects"] == {"puts": 0, "restarts": 0, "starts": 0, "stops": 0}


async def test_the_wrong_rds_behind_a_new_image_is_undone_and_the_right_one_proven(
    session: ArmSession, weight_model: Path, other_weight_model: Path
) -> None:
    with (
        RServiceProcess(serve=serve_weight, trained=weight_model) as right,
        RServiceProcess(serve=serve_weight, trained=other_weight_model) as wrong,
    ):
        images = {GOOD: {"backend": right.url}, f"{REPOSITORY}:2": {"backend": wrong.url}}
        with_group(session.emulator, images=images)
        async with moving(session) as group:
            stage = open_stage(group.mover, session.emulator)
            redeploy_id = await stage.opened(order=to("2"))
            await stage.run()
            end = await stage.redeploy(redeploy_id)
            now = answered(session)

    assert end.state is State.UNDONE
    assert any("66.2" in proof.text for proof in end.proofs)
    assert end.proofs[-1].passed
    assert now == GOLDEN["content"]
