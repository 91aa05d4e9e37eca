"""The flow of a redeploy that somebody aborts: before the change, after it, and too late."""

from dataclasses import replace

import pytest

from shared.scoring.redeploy.flow import aborted
from shared.scoring.redeploy.mover import (
    NOTHING_LEFT,
    Completion,
    Progress,
)
from shared.scoring.redeploy.record import (
    Abort,
    State,
    Task,
)
from shared.scoring.redeploy.seen import Made, Trouble
from tests.support.flow_walks import (
    ASKED_FOR,
    AWAY,
    BACK,
    FAILED,
    OLD_RIGHT,
    PROVEN,
    UP_TO_PROOF,
    walk,
)
from tests.support.redeploys import (
    NOON,
)


def test_an_abort_while_traffic_moves_is_undone() -> None:
    undoing = aborted(walk(*PROVEN, ASKED_FOR), ADA, now=NOON)

    assert undoing is not None
    assert undoing.task is Task.UNDO


ADA = Abort(by="ada", at=NOON)


@pytest.mark.parametrize("count", range(3))
def test_an_abort_before_the_change_changes_nothing(count: int) -> None:
    end = aborted(replace(walk(*UP_TO_PROOF[:count]), tries=1), ADA, now=NOON)

    assert end is not None
    assert (end.state, end.task) == (State.ABORTED, Task.CLOSE)
    assert "nothing was changed" in end.said


def test_an_abort_of_a_change_that_somebody_began_before_is_undone() -> None:
    changing = walk(*UP_TO_PROOF[:2])

    for begun in (replace(changing, tries=2), replace(walk(AWAY, start=changing), tries=1)):
        undone = aborted(begun, ADA, now=NOON)

        assert undone is not None
        assert undone.task is Task.UNDO


def test_an_abort_of_a_change_that_others_were_faster_than_changes_nothing() -> None:
    overtaken = Trouble(text="somebody was faster", retryable=True, left_alone=True)

    end = aborted(replace(walk(*UP_TO_PROOF[:2], overtaken), tries=1), ADA, now=NOON)

    assert end is not None
    assert (end.state, end.task) == (State.ABORTED, Task.CLOSE)


def test_an_abort_after_the_change_ends_aborted_with_the_old_one_proven() -> None:
    undoing = aborted(walk(*UP_TO_PROOF), ADA, now=NOON)
    end = walk(Made(), BACK, *[OLD_RIGHT] * 3, start=undoing)

    assert end.state is State.ABORTED
    assert "by ada" in end.said


def test_an_abort_comes_too_late_for_what_is_undone_already_or_has_ended() -> None:
    assert aborted(walk(*UP_TO_PROOF[:3], FAILED), ADA, now=NOON) is None
    assert aborted(walk(*PROVEN, NOTHING_LEFT), ADA, now=NOON) is None


def test_an_abort_comes_too_late_once_what_ran_before_is_leaving() -> None:
    leaving = Completion(progress=Progress.CLEARING, text="blue is being deleted")

    assert aborted(walk(*PROVEN, ASKED_FOR, leaving), ADA, now=NOON) is None
