"""Time in which nobody could look at a service counts for no deadline, but is not given for ever."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle

import pytest

from shared.scoring.redeploy.flow import advance
from shared.scoring.redeploy.record import State, Task
from shared.scoring.redeploy.seen import Made, Seen
from tests.support.flow_walks import (
    ASKED_FOR,
    BACK,
    BLIND,
    DOWN,
    FAILED,
    LIMITS,
    OLD_DOWN,
    OLD_RIGHT,
    PROVEN,
    READY,
    REFUSED,
    RIGHT,
    UP_TO_PROOF,
    UPDATING,
    WAITING,
    walk,
)

# How each task is reached, and what it sees of a service that is not there yet.
UNTIL: dict[Task, tuple[Sequence[Seen], Seen]] = {
    Task.WATCH: (UP_TO_PROOF[:3], WAITING),
    Task.PROVE: (UP_TO_PROOF, DOWN),
    Task.COMPLETE: ((*PROVEN, ASKED_FOR), UPDATING),
    Task.WATCH_UNDO: ((*UP_TO_PROOF[:3], FAILED, Made()), WAITING),
    Task.PROVE_OLD: ((*UP_TO_PROOF[:3], FAILED, Made(), BACK), OLD_DOWN),
}


@pytest.mark.parametrize("task", UNTIL)
def test_a_step_that_comes_hours_late_is_no_reason_to_give_up(task: Task) -> None:
    seen, not_yet = UNTIL[task]
    held_up = walk(*seen)
    now = held_up.due_at + timedelta(hours=3)

    after = advance(held_up, not_yet, now=now, limits=LIMITS)

    assert after.task is task


@pytest.mark.parametrize("task", [*UNTIL, Task.UNDO])
def test_half_an_hour_in_which_nothing_is_seen_is_no_reason_to_give_up(task: Task) -> None:
    seen, not_yet = UNTIL.get(task, (UP_TO_PROOF[:3], REFUSED))
    began = walk(*seen, *([FAILED] if task is Task.UNDO else []))
    blind = began
    while blind.due_at < began.due_at + timedelta(minutes=30):
        blind = walk(BLIND, start=blind)

    assert blind.task is task
    assert walk(not_yet, start=blind).task is task


@pytest.mark.parametrize("task", UNTIL)
def test_a_deadline_counts_the_time_in_which_it_was_looked(task: Task) -> None:
    seen, not_yet = UNTIL[task]
    redeploy = began = walk(*seen)
    looks = cycle([not_yet, BLIND, BLIND])
    while redeploy.task is task:
        redeploy = walk(next(looks), start=redeploy)

    looked = LIMITS.time[task]
    assert looked < redeploy.steps[-1].ended_at - began.due_at < 4 * looked


@pytest.mark.parametrize("task", UNTIL)
def test_nobody_is_waited_for_for_ever(task: Task) -> None:
    seen, _ = UNTIL[task]
    redeploy = began = walk(*seen)
    while redeploy.task is task:
        redeploy = walk(BLIND, start=redeploy)

    waited = redeploy.steps[-1].ended_at - began.due_at
    assert timedelta(minutes=50) <= waited - LIMITS.time[task] <= timedelta(minutes=70)


def test_right_answers_in_a_row_are_not_forgotten_meanwhile() -> None:
    proven = walk(*UP_TO_PROOF, RIGHT, RIGHT, *[BLIND] * 20, RIGHT)
    undone = walk(*UP_TO_PROOF[:3], FAILED, Made(), BACK, *[BLIND] * 20, *[OLD_RIGHT] * 3)

    assert proven.task is Task.COMPLETE
    assert undone.state is State.UNDONE


def test_what_was_seen_since_counts_again() -> None:
    ready_late = walk(*UP_TO_PROOF[:3], *[BLIND] * 70, READY)
    never = walk(*UP_TO_PROOF[:3], *[BLIND] * 60, WAITING, *[BLIND] * 20)

    assert ready_late.task is Task.PROVE
    assert never.task is Task.WATCH
