"""Redeploys from the first message to the last, where nothing gets lost in between."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from shared.errors import StorageUnavailableError
from shared.scoring.maintenance import Maintenance
from shared.scoring.redeploy.gate import Allowance
from shared.scoring.redeploy.opening import InProgress, Occasion, TooOften
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Abort, Ground, Redeploy, State, Trigger
from shared.scoring.state import Health, ServiceState
from shared.telemetry import Event
from tests.support.fake_mover import FakeMover
from tests.support.fake_redeploys import FakeStepQueue
from tests.support.redeploy_stage import RESTART, RedeployStage
from tests.support.redeploys import NEW_DIGEST, OLD_DIGEST
from tests.support.redeploys_to_the_end import (
    CHANGED,
    MOVED_OVER,
    NEW_IMAGE,
    PUT_BACK,
    assert_all_is_tidy,
    ended,
)


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
