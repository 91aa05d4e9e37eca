"""Redeploys from the first message to the last, whoever is killed in between."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from shared.errors import MissingRightError, ServiceFileError, StorageUnavailableError
from shared.scoring.examination import Subject
from shared.scoring.maintenance import Maintenance
from shared.scoring.redeploy.gate import Allowance
from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.opening import InProgress, Occasion, TooOften
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Abort, Ground, Redeploy, State, Trigger
from shared.scoring.state import Health, ServiceState
from shared.telemetry import Event
from tests.support.fake_mover import FakeMover, away
from tests.support.fake_redeploys import FakeStepQueue
from tests.support.redeploy_stage import RESTART, Life, RedeployStage
from tests.support.redeploys import NEW_DIGEST, OLD_DIGEST

NEW_IMAGE = RedeployOrder(
    change=Change(kind=ChangeKind.IMAGE, target="registry.test/weight:2"), reason="a new model"
)
CHANGED = [("weight", "change")]
PUT_BACK = [("weight", "change"), ("weight", "undo")]
MOVED_OVER = [("weight", "change"), ("weight", "shift"), ("weight", "shift")]


async def ended(stage: RedeployStage, order: RedeployOrder = NEW_IMAGE) -> Redeploy:
    redeploy_id = await stage.opened(order=order)
    await stage.run()
    return await stage.redeploy(redeploy_id)


def assert_all_is_tidy(stage: RedeployStage) -> None:
    assert stage.store.holds == {}
    assert stage.windows.windows == {}
    assert stage.queue.messages == []


async def test_a_good_one_is_changed_proven_and_told() -> None:
    stage = RedeployStage()

    end = await ended(stage)

    assert (end.state, end.is_closed) == (State.SUCCEEDED, True)
    assert stage.mover.effects == CHANGED
    assert end.snapshot is not None
    assert (end.snapshot.digest, end.digest_after) == (OLD_DIGEST, NEW_DIGEST)
    assert [each.passed for each in end.proofs] == [True, True, True]
    (told,) = stage.telemetry.named(Event.SCORING_REDEPLOY_FINISHED)
    assert (told["state"], told["redeploy_id"]) == ("succeeded", end.redeploy_id)
    steps = stage.telemetry.named(Event.SCORING_REDEPLOY_STEP)
    assert [each["step"] for each in steps] == list(range(len(steps)))
    assert_all_is_tidy(stage)


@pytest.mark.parametrize(
    ("mover", "says"),
    [
        (FakeMover(breaks=True), "CrashLoopBackOff"),
        (FakeMover(wrong=True), "it answers wrongly"),
        (FakeMover(looks=10_000), "not ready in time"),
    ],
    ids=["never ready", "wrong answers", "too slow"],
)
async def test_a_bad_one_is_put_back_and_the_old_one_proven(mover: FakeMover, says: str) -> None:
    stage = RedeployStage(mover=mover)

    end = await ended(stage)

    assert end.state is State.UNDONE
    assert says in end.said
    assert stage.mover.effects == PUT_BACK
    assert stage.mover.running["weight"].digest == OLD_DIGEST
    assert [each.of for each in end.proofs][-3:] == ["old"] * 3
    assert_all_is_tidy(stage)


async def test_an_old_one_that_was_broken_itself_ends_red_with_both_sets_of_evidence() -> None:
    stage = RedeployStage(mover=FakeMover(wrong=True, old_is_wrong=True))

    end = await ended(stage)

    assert end.state is State.UNDO_FAILED
    assert {each.of for each in end.proofs} == {"new", "old"}
    assert_all_is_tidy(stage)


async def test_checks_alert_nobody_meanwhile() -> None:
    stage = RedeployStage(mover=FakeMover(looks=5))
    await stage.opened()

    await stage.run(until=timedelta(minutes=1))

    assert stage.windows.windows["weight"].holds(stage.clock)


async def test_a_window_of_somebodys_own_outlives_the_redeploy() -> None:
    stage = RedeployStage(mover=FakeMover(looks=5))
    await stage.opened()
    await stage.run(until=timedelta(minutes=1))
    own = Maintenance(
        service="weight",
        until=stage.clock + timedelta(days=1),
        reason="mine",
        opened_by="ada",
        opened_at=stage.clock,
    )
    await stage.windows.put(own)

    await stage.run()

    assert stage.windows.windows == {"weight": own}


async def test_a_dry_run_looks_and_touches_nothing() -> None:
    stage = RedeployStage()

    end = await ended(stage, RedeployOrder(change=NEW_IMAGE.change, reason="?", dry_run=True))

    assert end.state is State.SUCCEEDED
    assert "nothing was changed" in end.said
    assert stage.mover.effects == []
    assert stage.prober.asked == {}


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


@pytest.mark.parametrize("looks", [0, 1, 9], ids=["at once", "soon", "slowly"])
async def test_each_share_is_proven_once_and_only_when_the_traffic_is_there(looks: int) -> None:
    stage = RedeployStage(mover=FakeMover(shifts=3, shift_looks=looks))

    end = await ended(stage)

    assert end.state is State.SUCCEEDED
    assert stage.mover.proven_under == [0, 0, 0, 33, 66, 100]
    assert len([each for each in end.steps if "% is asked for" in each.text]) == 3


async def test_a_step_of_traffic_that_never_ends_ends_red_and_says_how_long_it_was_waited_for() -> (
    None
):
    stage = RedeployStage(mover=FakeMover(shifts=2, shift_looks=10_000))

    end = await ended(stage)

    assert end.state is State.UNDO_FAILED
    assert "within 20 minutes: it is Updating" in end.said
    assert stage.mover.effects == MOVED_OVER[:2]
    assert stage.mover.proven_under == [0, 0, 0, *[None] * 3], "asked what answers now"
    assert_all_is_tidy(stage)


async def test_a_step_of_traffic_that_fails_is_undone_in_the_platforms_words() -> None:
    stage = RedeployStage(mover=FakeMover(shifts=2, shift_looks=2, failing_shift=2))

    end = await ended(stage)

    assert end.state is State.UNDONE
    assert "it is Failed: no quota" in end.said
    assert stage.mover.proven_under == [0, 0, 0, 50]


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


async def test_an_abort_before_the_change_touches_nothing() -> None:
    stage = RedeployStage()
    redeploy_id = await stage.opened()
    await stage.store.ask_abort(redeploy_id, Abort(by="ada", at=stage.clock))

    await stage.run()

    assert (await stage.redeploy(redeploy_id)).state is State.ABORTED
    assert stage.mover.effects == []


async def test_an_abort_after_the_change_puts_the_old_one_back_and_proves_it() -> None:
    stage = RedeployStage(mover=FakeMover(looks=9))
    redeploy_id = await stage.opened(order=NEW_IMAGE)
    await stage.run(until=timedelta(minutes=1))
    await stage.store.ask_abort(redeploy_id, Abort(by="ada", at=stage.clock))

    await stage.run()

    end = await stage.redeploy(redeploy_id)
    assert end.state is State.ABORTED
    assert end.aborted is not None
    assert end.proofs[-1].of == "old"
    assert stage.mover.effects == PUT_BACK
    assert_all_is_tidy(stage)


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
    assert "again and again" in end.said
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


async def test_of_two_at_once_one_is_opened_and_the_other_told_which() -> None:
    stage = RedeployStage()

    both = await asyncio.gather(stage.open(), stage.open())

    (opened,) = [each for each in both if isinstance(each, Redeploy)]
    (told,) = [each for each in both if isinstance(each, InProgress)]
    assert told.other.redeploy_id == opened.redeploy_id


async def test_a_queue_that_is_away_leaves_the_service_free() -> None:
    stage = RedeployStage()
    opening = replace(stage.opening(), queue=FakeStepQueue(away=True))

    with pytest.raises(StorageUnavailableError):
        await opening.open(stage.subjects["weight"], RESTART, Occasion(trigger=Trigger.HTTP))

    assert stage.store.holds == {}


async def test_a_dead_estate_triggers_no_restart() -> None:
    stage = RedeployStage()
    for name in stage.subjects:
        stage.states.states[name] = ServiceState(health=Health.UNHEALTHY, checked_at=stage.clock)

    end = await ended(stage, RESTART)

    assert end.state is State.REFUSED
    assert [each.ground for each in end.refusals] == [Ground.BREAKER_OPEN]
    assert stage.mover.effects == []


async def test_one_that_dies_every_time_is_restarted_at_most_its_budget_with_growing_pauses() -> (
    None
):
    stage = RedeployStage(allowance=Allowance(cooldown=timedelta(minutes=10), budget=4))
    healing = Occasion(trigger=Trigger.HEALING)
    restarts = []
    for _ in range(24 * 60 // 5 - 1):
        opened = await stage.open(occasion=healing)
        if isinstance(opened, Redeploy):
            restarts.append(stage.clock)
        else:
            assert isinstance(opened, TooOften | InProgress)
        await stage.run(until=timedelta(minutes=5))
        stage.clock = stage.clock + timedelta(minutes=5)

    pauses = [later - earlier for earlier, later in pairwise(restarts)]
    assert len(restarts) == 4
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[1] < pauses[2]


async def test_promotion_starts_each_stage_after_the_proof_before_it() -> None:
    stage = RedeployStage()
    order = RedeployOrder(change=NEW_IMAGE.change, reason="v2", stages=("second", "third"))

    first = await ended(stage, order)

    second = await stage.redeploy(first.next_id)
    third = await stage.redeploy(second.next_id)
    assert stage.mover.effects == [(name, "change") for name in ("weight", "second", "third")]
    assert first.ended_at is not None
    assert first.ended_at <= second.created_at
    assert (second.trigger, second.previous_id) == (Trigger.PROMOTION, first.redeploy_id)
    assert {first.state, second.state, third.state} == {State.SUCCEEDED}
    assert third.next_id == ""


async def test_a_stage_that_is_not_proven_is_the_last_one() -> None:
    stage = RedeployStage(mover=FakeMover(wrong=True))

    first = await ended(
        stage, RedeployOrder(change=NEW_IMAGE.change, reason="", stages=("second",))
    )

    assert first.state is State.UNDONE
    assert first.next_id == ""
    assert stage.mover.effects == PUT_BACK


async def test_a_stage_whose_service_is_busy_or_gone_is_refused_and_told() -> None:
    stage = RedeployStage()
    order = RedeployOrder(change=NEW_IMAGE.change, reason="v2", stages=("second",))
    first_id = await stage.opened(order=order)
    held = await stage.open("second")
    assert isinstance(held, Redeploy)
    stage.queue.messages = [each for each in stage.queue.messages if each.redeploy_id == first_id]

    await stage.run()

    second = await stage.redeploy((await stage.redeploy(first_id)).next_id)
    assert (second.state, second.is_closed) == (State.REFUSED, True)
    assert [each.ground for each in second.refusals] == [Ground.IN_PROGRESS]
    told = stage.telemetry.named(Event.SCORING_REDEPLOY_FINISHED)
    assert [each["state"] for each in told] == ["refused", "succeeded"]


class Unreadable(RedeployStage):
    """A stage on which a workspace can never be listed, so that nobody knows who is gone."""

    async def find(self, name: str) -> Subject | None:
        raise ServiceFileError([f"workspace of {name}: 403"], retryable=True)


async def test_a_stage_that_can_never_be_looked_up_does_not_hold_the_one_before_for_ever() -> None:
    stage = Unreadable()

    first = await ended(
        stage, RedeployOrder(change=NEW_IMAGE.change, reason="v2", stages=("second",))
    )

    second = await stage.redeploy(first.next_id)
    assert (first.state, first.is_closed) == (State.SUCCEEDED, True)
    assert (second.state, second.said) == (
        State.REFUSED,
        "second could not be looked up: workspace of second: 403; nothing was changed",
    )
    assert_all_is_tidy(stage)


async def test_promotion_survives_a_kill_at_every_await_of_its_end() -> None:
    order = RedeployOrder(change=NEW_IMAGE.change, reason="v2", stages=("second",))
    whole = Life()
    stage = RedeployStage()
    await stage.opened(order=order)
    await stage.run(life=whole)

    for left in range(1, whole.used + 1, 3):
        stage = RedeployStage()
        first_id = await stage.opened(order=order)
        await stage.run(life=Life(left=left))
        first = await stage.redeploy(first_id)
        second = await stage.redeploy(first.next_id)
        assert {first.state, second.state} == {State.SUCCEEDED}, f"killed at await {left}"
        assert stage.mover.effects == [("weight", "change"), ("second", "change")]
        assert_all_is_tidy(stage)
