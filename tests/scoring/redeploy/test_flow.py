"""What comes after each step: the good way, and every way back."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import UnionType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.scoring.redeploy.flow import advance, closed, given_up
from shared.scoring.redeploy.mover import (
    NOTHING_LEFT,
    Change,
    ChangeKind,
    Completion,
    PlatformState,
)
from shared.scoring.redeploy.record import (
    FINAL,
    Ground,
    Redeploy,
    Refusal,
    State,
    Task,
)
from shared.scoring.redeploy.seen import Examined, Gated, Made, PartlyExamined, Seen, Trouble
from tests.support.flow_walks import (
    ASKED_FOR,
    AWAY,
    BACK,
    DOWN,
    FAILED,
    LET_IN,
    LIMITS,
    OLD_DOWN,
    OLD_RIGHT,
    READY,
    REFUSED,
    RIGHT,
    UP_TO_PROOF,
    UPDATING,
    WAITING,
    WRONG,
    halfway,
    landing,
    walk,
)
from tests.support.redeploys import (
    A_SNAPSHOT,
    NEW_DIGEST,
    NOON,
    OLD_DIGEST,
    a_redeploy,
    after,
)


def test_a_good_redeploy_goes_through_every_state() -> None:
    states = [walk(*UP_TO_PROOF[:count]).state for count in range(5)]
    proven = walk(*UP_TO_PROOF, RIGHT, RIGHT, RIGHT)
    end = walk(*UP_TO_PROOF, RIGHT, RIGHT, RIGHT, NOTHING_LEFT)

    assert states == ["queued", "gating", "changing", "waiting", "proving"]
    assert (proven.state, proven.task) == (State.PROVING, Task.COMPLETE)
    assert (end.state, end.task) == (State.SUCCEEDED, Task.CLOSE)
    assert end.snapshot == A_SNAPSHOT
    assert end.digest_after == NEW_DIGEST
    assert end.ended_at is not None
    assert closed(end, now=NOON).is_closed


def test_every_step_has_its_number_and_waits_ten_to_sixty_seconds() -> None:
    watched = walk(*UP_TO_PROOF[:3])
    waits = []
    for _ in range(9):
        before = watched.due_at
        watched = walk(WAITING, start=watched)
        waits.append((watched.due_at - before).total_seconds())

    assert watched.step == 12
    assert waits == [10, 20, 30, 40, 50, 60, 60, 60, 60]
    assert watched.steps[-1].times == 9


def test_refusals_end_it_before_anything_was_changed() -> None:
    refusal = Refusal(ground=Ground.BREAKER_OPEN, text="all are down")

    end = walk(A_SNAPSHOT, Gated(refusals=(refusal,)))

    assert (end.state, end.said, end.refusals) == (State.REFUSED, "all are down", (refusal,))


@pytest.mark.parametrize("seen", [(REFUSED,), (A_SNAPSHOT, REFUSED)], ids=["snapshot", "gate"])
def test_what_cannot_be_looked_at_is_a_ground_too(seen: Sequence[Seen]) -> None:
    end = walk(*seen)

    assert end.state is State.REFUSED
    assert end.refusals == (Refusal(ground=Ground.PLATFORM_UNREADABLE, text=REFUSED.text),)


def test_a_kind_that_nobody_can_move_is_a_ground_and_a_look_that_failed_before_is_none() -> None:
    nobody = Trouble(text="nobody moves it", retryable=False, ground=Ground.UNSUPPORTED_KIND)

    end = walk(AWAY, nobody)

    assert [each.ground for each in end.refusals] == [Ground.UNSUPPORTED_KIND]


def test_a_dry_run_ends_at_the_last_line_before_the_effect() -> None:
    end = walk(A_SNAPSHOT, LET_IN, start=a_redeploy(dry_run=True))

    assert (end.state, end.task) == (State.SUCCEEDED, Task.CLOSE)
    assert "nothing was changed" in end.said


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ((FAILED,), "CrashLoopBackOff"),
        ((READY, WRONG, WRONG, WRONG), "it answers wrongly"),
        ((READY, RIGHT, RIGHT, RIGHT, REFUSED), "lacks"),
        ((READY, RIGHT, RIGHT, RIGHT, ASKED_FOR, landing(10), *[WRONG] * 3), "it answers wrongly"),
    ],
)
def test_what_goes_wrong_is_undone_and_the_old_one_proven(seen: Sequence[Seen], says: str) -> None:
    undoing = walk(*UP_TO_PROOF[:3], *seen)

    end = walk(Made(), BACK, OLD_RIGHT, OLD_RIGHT, OLD_RIGHT, start=undoing)

    assert (undoing.state, undoing.task) == (State.UNDOING, Task.UNDO)
    assert end.state is State.UNDONE
    assert says in end.said
    assert "back and proven" in end.said
    assert end.digest_after == OLD_DIGEST


def test_a_long_reason_does_not_hide_how_it_ended() -> None:
    long = replace(FAILED, text="x" * 1000)

    end = walk(*UP_TO_PROOF[:3], long, Made(), BACK, *[OLD_RIGHT] * 3)

    assert "CrashLoopBackOff xxx" in end.said
    assert end.said.endswith("x…; what ran before is back and proven")


def test_half_an_examination_is_no_proof_and_goes_on_at_once() -> None:
    before = walk(*UP_TO_PROOF, RIGHT)

    half = walk(halfway(), start=before)
    whole = walk(RIGHT, start=half)

    assert (half.passes, half.proofs, len(half.checked)) == (1, before.proofs, 1)
    assert half.due_at - before.due_at == timedelta(seconds=2)
    assert (whole.passes, whole.checked) == (2, ())


def test_half_an_examination_is_forgotten_where_it_is_undone() -> None:
    half = walk(*UP_TO_PROOF, halfway())

    assert given_up(replace(half, tries=6), "it broke", now=NOON).checked == ()


def test_both_sets_of_evidence_are_kept() -> None:
    end = walk(*UP_TO_PROOF, *[WRONG] * 3, Made(), BACK, *[OLD_RIGHT] * 3)
    platform = walk(*UP_TO_PROOF[:3], FAILED)

    assert [each.of for each in end.proofs] == ["new"] * 3 + ["old"] * 3
    assert platform.platform == ("exit code 137",)


def test_what_runs_well_again_does_not_take_the_place_of_why_it_was_undone() -> None:
    failed = walk(*UP_TO_PROOF[:3], FAILED)

    end = walk(Made(), replace(BACK, evidence=["running"]), *[OLD_RIGHT] * 3, start=failed)

    assert (end.state, end.platform) == (State.UNDONE, ("exit code 137",))


def test_wrong_now_and_then_is_not_wrong_three_times_in_a_row() -> None:
    redeploy = walk(*UP_TO_PROOF, WRONG, WRONG, DOWN, WRONG, WRONG, RIGHT, RIGHT)

    assert redeploy.task is Task.PROVE
    assert walk(RIGHT, start=redeploy).task is Task.COMPLETE


@pytest.mark.parametrize(
    ("seen", "slow", "end"),
    [
        (UP_TO_PROOF[:3], WAITING, Task.UNDO),
        (UP_TO_PROOF[:3], AWAY, Task.UNDO),
        (UP_TO_PROOF, DOWN, Task.UNDO),
        (UP_TO_PROOF[:2], AWAY, Task.UNDO),
        ((), AWAY, Task.CLOSE),
    ],
)
def test_waiting_has_an_end(seen: Sequence[Seen], slow: Seen, end: Task) -> None:
    redeploy = walk(*seen)
    waiting = redeploy.task

    while redeploy.task is waiting:
        redeploy = walk(slow, start=redeploy)

    assert redeploy.task is end
    assert timedelta(minutes=5) <= redeploy.steps[-1].at - NOON <= timedelta(minutes=25)


def test_undoing_that_is_not_back_in_time_is_no_success_however_it_answers() -> None:
    redeploy = walk(*UP_TO_PROOF[:3], FAILED, Made())
    while redeploy.task is Task.WATCH_UNDO:
        redeploy = walk(FAILED, start=redeploy)

    end = walk(OLD_RIGHT, OLD_RIGHT, OLD_RIGHT, start=redeploy)

    assert end.state is State.UNDO_FAILED
    assert "CrashLoopBackOff" in end.said


def test_an_old_one_that_is_not_proven_ends_red() -> None:
    redeploy = walk(*UP_TO_PROOF[:3], FAILED, Made(), BACK)
    while redeploy.task is Task.PROVE_OLD:
        redeploy = walk(OLD_DOWN, start=redeploy)

    assert redeploy.state is State.UNDO_FAILED
    assert "CrashLoopBackOff" in redeploy.said
    assert "not proven" in redeploy.said


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (OLD_RIGHT, "it answers right, but was not seen"),
        (OLD_DOWN, "what answers now is not proven"),
    ],
    ids=["right", "down"],
)
def test_after_an_undo_that_stays_refused_it_is_asked_what_answers_now(
    answers: Seen, says: str
) -> None:
    redeploy = walk(*UP_TO_PROOF, *[WRONG] * 3)
    while redeploy.task is Task.UNDO:
        redeploy = walk(REFUSED, start=redeploy)
    refused = redeploy
    while redeploy.task is Task.PROVE_OLD:
        redeploy = walk(answers, start=redeploy)

    assert "Microsoft.ContainerService/x/action" in refused.said
    assert redeploy.state is State.UNDO_FAILED
    assert {each.of for each in redeploy.proofs} == {"new", "old"}
    for part in ("it answers wrongly", "Microsoft.ContainerService/x/action", says):
        assert part in redeploy.said


THEIRS = Trouble(
    text="somebody else deployed it",
    retryable=False,
    left_alone=True,
    ground=Ground.CHANGED_BY_OTHERS,
)
OVERTAKEN = replace(THEIRS, text="somebody was faster", retryable=True)
CHANGING: Sequence[Seen] = UP_TO_PROOF[:2]


@pytest.mark.parametrize("overtaken", [0, 3])
def test_what_somebody_else_changed_first_is_refused_and_not_undone(overtaken: int) -> None:
    end = walk(*CHANGING, *[OVERTAKEN] * overtaken, THEIRS)

    assert (end.state, end.task) == (State.REFUSED, Task.CLOSE)
    assert end.said == "somebody else deployed it; nothing was changed"
    assert [each.ground for each in end.refusals] == [Ground.CHANGED_BY_OTHERS]


def test_who_is_overtaken_until_it_is_late_has_changed_nothing() -> None:
    redeploy = walk(*CHANGING)
    while redeploy.task is Task.CHANGE:
        redeploy = walk(OVERTAKEN, start=redeploy)

    assert redeploy.state is State.REFUSED
    assert timedelta(minutes=5) <= redeploy.steps[-1].at - NOON <= timedelta(minutes=6)


def test_a_change_that_may_have_been_made_before_somebody_elses_is_undone() -> None:
    after_a_lost_answer = walk(*CHANGING, AWAY, THEIRS)
    after_a_lost_worker = advance(
        replace(walk(*CHANGING), tries=2), THEIRS, now=NOON, limits=LIMITS
    )

    assert after_a_lost_answer.task is Task.UNDO
    assert after_a_lost_worker.task is Task.UNDO


def test_what_somebody_else_changed_is_not_tried_to_be_undone_again() -> None:
    redeploy = walk(*UP_TO_PROOF, *[WRONG] * 3, THEIRS)
    end = walk(*[OLD_RIGHT] * 3, start=redeploy)

    assert redeploy.task is Task.PROVE_OLD
    assert end.state is State.UNDO_FAILED
    assert "it answers wrongly: it is wrong; somebody else deployed it" in end.said


def test_ready_with_the_digest_of_before_is_not_what_was_ordered() -> None:
    target = f"registry.test/weight@{NEW_DIGEST}"
    order = a_redeploy(change=Change(kind=ChangeKind.IMAGE, target=target))

    lying = walk(*UP_TO_PROOF[:3], BACK, start=order)
    while lying.task is Task.WATCH:
        lying = walk(BACK, start=lying)

    assert lying.task is Task.UNDO
    assert f"not ready in time: {OLD_DIGEST} runs" in lying.said
    assert walk(*UP_TO_PROOF, start=order).task is Task.PROVE
    assert walk(*UP_TO_PROOF[:3], BACK).task is Task.PROVE, "a restart changes no digest"


def test_back_with_another_digest_than_before_is_not_back() -> None:
    redeploy = walk(*UP_TO_PROOF[:3], FAILED, Made(), READY)
    while redeploy.task is Task.WATCH_UNDO:
        redeploy = walk(READY, start=redeploy)

    end = walk(*[OLD_RIGHT] * 3, start=redeploy)

    assert end.state is State.UNDO_FAILED
    assert f"not back in time: {NEW_DIGEST} runs" in end.said


def test_looks_at_the_old_one_that_fail_for_good_end_red() -> None:
    redeploy = walk(*UP_TO_PROOF[:3], FAILED, Made(), BACK)
    while redeploy.task is Task.PROVE_OLD:
        redeploy = walk(AWAY, start=redeploy)

    assert redeploy.state is State.UNDO_FAILED
    assert "what answers now is not proven: 503 from Azure" in redeploy.said


@pytest.mark.parametrize(
    ("seen", "task", "state"),
    [
        ((), Task.CLOSE, State.REFUSED),
        (UP_TO_PROOF[:1], Task.CLOSE, State.REFUSED),
        (UP_TO_PROOF[:3], Task.UNDO, State.UNDOING),
        (UP_TO_PROOF, Task.UNDO, State.UNDOING),
        ((*UP_TO_PROOF[:3], FAILED), Task.PROVE_OLD, State.UNDOING),
        ((*UP_TO_PROOF[:3], FAILED, Made()), Task.PROVE_OLD, State.UNDOING),
        ((*UP_TO_PROOF[:3], FAILED, Made(), BACK), Task.CLOSE, State.UNDO_FAILED),
    ],
)
def test_a_poisoned_step_is_undone_and_reported(
    seen: Sequence[Seen], task: Task, state: State
) -> None:
    end = given_up(replace(walk(*seen), tries=6), "it broke five times", now=NOON)

    assert (end.task, end.state) == (task, state)
    assert "it broke five times" in end.said


@given(
    st.lists(
        st.sampled_from([A_SNAPSHOT, LET_IN, Made(), READY, WAITING, FAILED, RIGHT, WRONG, DOWN])
        | st.sampled_from([AWAY, REFUSED, halfway()])
        | st.sampled_from([UPDATING, landing(10), landing(50), landing(100), NOTHING_LEFT]),
        max_size=60,
    )
)
def test_whatever_is_seen_what_was_changed_ends_proven_or_undone(story: Sequence[Seen]) -> None:
    redeploy = a_redeploy()
    for seen in story:
        if redeploy.task is Task.CLOSE:
            break
        if not _fits(redeploy.task, seen):
            continue
        before = redeploy
        redeploy = walk(seen, start=before)
        assert redeploy.step == before.step + 1
        assert redeploy.due_at > before.due_at
        assert (redeploy.state in FINAL) is (redeploy.task is Task.CLOSE)
        if redeploy.share != before.share:
            assert (redeploy.task, redeploy.passes) == (Task.PROVE, 0), "not proven under its share"
            assert redeploy.share > before.share

    if redeploy.state is State.SUCCEEDED:
        assert redeploy.proofs[-1].passed
    if redeploy.state is State.UNDONE:
        assert redeploy.proofs[-1].passed
    assert Redeploy.from_json(json.loads(json.dumps(redeploy.to_json()))) == redeploy


def _fits(task: Task, seen: Seen) -> bool:
    kinds: dict[Task, type | UnionType] = {
        Task.SNAPSHOT: type(A_SNAPSHOT),
        Task.GATE: Gated,
        Task.CHANGE: Made,
        Task.WATCH: PlatformState,
        Task.PROVE: Examined | PartlyExamined,
        Task.COMPLETE: Completion,
        Task.UNDO: Made,
        Task.WATCH_UNDO: PlatformState,
        Task.PROVE_OLD: Examined | PartlyExamined,
    }
    return isinstance(seen, Trouble | kinds[task])


def test_a_long_history_keeps_its_beginning_and_its_end() -> None:
    redeploy = walk(*UP_TO_PROOF[:3])
    for number in range(200):
        seen = replace(WAITING, text=f"look {number}")
        redeploy = advance(redeploy, seen, now=after(0.01 * number), limits=LIMITS)

    assert len(redeploy.steps) < 70
    assert redeploy.steps[0].task is Task.SNAPSHOT
    assert "look 199" in redeploy.steps[-1].text
