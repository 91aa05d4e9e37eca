"""Redeploys whose workers, messages, platform or storage are lost: each effect is made once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.errors import MissingRightError
from shared.scoring.redeploy.record import State
from shared.telemetry import Event
from tests.support.fake_mover import FakeMover, away
from tests.support.redeploy_stage import Life, RedeployStage
from tests.support.redeploys_to_the_end import (
    CHANGED,
    MOVED_OVER,
    NEW_IMAGE,
    PUT_BACK,
    assert_all_is_tidy,
    ended,
)

KILLED_IN: dict[str, tuple[Callable[[], FakeMover], State, list[tuple[str, str]]]] = {
    "good": (FakeMover, State.SUCCEEDED, CHANGED),
    "wrong": (lambda: FakeMover(wrong=True), State.UNDONE, PUT_BACK),
    "shifting": (lambda: FakeMover(shifts=2), State.SUCCEEDED, MOVED_OVER),
    "shifting slowly": (
        lambda: FakeMover(shifts=2, shift_looks=2),
        State.SUCCEEDED,
        MOVED_OVER,
    ),
    "a shift fails": (
        lambda: FakeMover(shifts=2, shift_looks=1, failing_shift=2),
        State.UNDONE,
        [*MOVED_OVER, ("weight", "undo")],
    ),
}


@pytest.mark.parametrize("story", KILLED_IN)
async def test_killed_at_any_await_it_ends_as_it_would_and_every_effect_is_made_once(
    story: str,
) -> None:
    mover, state, effects = KILLED_IN[story]
    whole = Life()
    stage = RedeployStage(mover=mover())
    await stage.opened(order=NEW_IMAGE)
    await stage.run(life=whole)

    for left in range(1, whole.used + 1):
        stage = RedeployStage(mover=mover())
        redeploy_id = await stage.opened(order=NEW_IMAGE)
        await stage.run(life=Life(left=left))
        end = await stage.redeploy(redeploy_id)
        assert (end.state, end.is_closed) == (state, True), f"killed at await {left}"
        assert stage.mover.effects == effects, f"killed at await {left}"
        told = stage.telemetry.named(Event.SCORING_REDEPLOY_FINISHED)
        assert {each["state"] for each in told} == {str(state)}, f"killed at await {left}"
        assert None not in stage.mover.proven_under, f"killed at await {left}"
        assert_all_is_tidy(stage)

    assert whole.used > 50


async def test_a_killed_one_goes_on_within_two_minutes_if_its_next_message_was_sent() -> None:
    stage = RedeployStage(mover=FakeMover(looks=3))
    redeploy_id = await stage.opened()
    await stage.run(life=Life(left=60))

    end = await stage.redeploy(redeploy_id)

    assert end.state is State.SUCCEEDED


async def test_every_message_may_come_twice() -> None:
    stage = RedeployStage(mover=FakeMover(wrong=True))
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    worker = stage.worker()
    while message := stage.queue.next():
        stage.clock = max(stage.clock, message.visible_at)
        stage.queue.messages.remove(message)
        await worker.work(message.redeploy_id, message.step)
        await worker.work(message.redeploy_id, message.step)

    end = await stage.redeploy(redeploy_id)

    assert end.state is State.UNDONE
    assert stage.mover.effects == PUT_BACK


async def test_two_workers_at_one_step_make_one_effect() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    stage.queue.messages *= 2

    first, second = stage.worker(), stage.worker()
    for step in range(3):
        stage.clock += timedelta(seconds=2)
        await asyncio.gather(first.work(redeploy_id, step), second.work(redeploy_id, step))

    redeploy = await stage.redeploy(redeploy_id)
    assert (redeploy.step, redeploy.state) == (3, State.WAITING)
    assert stage.mover.effects == CHANGED


async def test_who_comes_while_another_is_at_it_is_put_off_and_loses_nothing() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    held = await stage.worker()._take_up(await stage.redeploy(redeploy_id))
    assert held is not None

    await stage.worker().work(redeploy_id, 0)

    assert stage.queue.messages[-1].visible_at > stage.clock + timedelta(seconds=90)
    await stage.run()
    assert (await stage.redeploy(redeploy_id)).state is State.SUCCEEDED


async def test_azure_being_away_for_a_while_is_no_reason_to_undo() -> None:
    mover = FakeMover(
        errors={name: away(3) for name in ("snapshot", "change", "platform_state", "complete")}
    )
    stage = RedeployStage(mover=mover)

    end = await ended(stage)

    assert end.state is State.SUCCEEDED
    assert stage.mover.effects == CHANGED


async def test_an_answer_that_was_lost_after_the_change_makes_no_second_one() -> None:
    stage = RedeployStage(mover=FakeMover(errors={"after change": away()}))

    end = await ended(stage)

    assert end.state is State.SUCCEEDED
    assert stage.mover.effects == CHANGED


async def test_a_missing_right_is_named_and_nothing_is_left_changed() -> None:
    lacking = MissingRightError("Microsoft.ContainerService/managedClusters/x/action", on="weights")
    stage = RedeployStage(mover=FakeMover(errors={"snapshot": [lacking]}))

    end = await ended(stage)

    assert end.state is State.REFUSED
    assert "lacks Microsoft.ContainerService/managedClusters/x/action" in end.said


async def test_a_step_that_breaks_our_own_code_each_time_is_undone_and_reported() -> None:
    broken: list[Exception] = [KeyError("bug") for _ in range(99)]
    stage = RedeployStage(mover=FakeMover(errors={"platform_state": broken[:5]}))

    end = await ended(stage)

    assert end.state is State.UNDONE
    assert "was begun 5 times and never ended" in end.said
    assert stage.mover.effects == PUT_BACK
    assert_all_is_tidy(stage)


async def test_a_step_that_kills_each_worker_is_given_up_by_the_record_itself() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    for _ in range(40):
        await stage.run(life=Life(left=12), until=timedelta(minutes=11))

    end = await stage.redeploy(redeploy_id)

    assert end.is_closed
    assert end.state in {State.SUCCEEDED, State.UNDONE, State.REFUSED}


async def test_poison_that_can_not_be_undone_ends_red() -> None:
    broken: list[Exception] = [KeyError("bug") for _ in range(99)]
    stage = RedeployStage(mover=FakeMover(breaks=True, errors={"undo": broken}))

    end = await ended(stage)

    assert end.state is State.UNDO_FAILED
    assert_all_is_tidy(stage)


async def test_storage_that_is_away_brings_the_step_back() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    stage.windows.away = True
    await stage.run(until=timedelta(seconds=40))
    stage.windows.away = False

    await stage.run()

    assert (await stage.redeploy(redeploy_id)).state is State.SUCCEEDED
    assert stage.mover.effects == CHANGED


async def test_a_lost_message_is_sent_again() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    await stage.run(until=timedelta(seconds=5))
    stage.queue.messages.clear()

    assert await stage.worker().revive() == 0
    stage.clock += timedelta(minutes=6)
    assert await stage.worker().revive() == 1
    await stage.run()

    assert (await stage.redeploy(redeploy_id)).state is State.SUCCEEDED
