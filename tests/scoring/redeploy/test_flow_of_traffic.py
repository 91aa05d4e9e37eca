"""The flow of a redeploy whose traffic is given in steps, each with a proof."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.scoring.redeploy.flow import advance, given_up
from shared.scoring.redeploy.mover import (
    NOTHING_LEFT,
    Completion,
    Progress,
)
from shared.scoring.redeploy.record import (
    Redeploy,
    State,
    Task,
)
from shared.scoring.redeploy.seen import Trouble
from tests.support.flow_walks import (
    ASKED_FOR,
    AWAY,
    LIMITS,
    PROVEN,
    RIGHT,
    UPDATING,
    WRONG,
    landing,
    slowly,
    walk,
)

LEAVING = Completion(progress=Progress.CLEARING, text="blue is being deleted")


def test_traffic_goes_in_steps_each_with_a_proof() -> None:
    landed = walk(*PROVEN, ASKED_FOR, landing(10))
    proven = walk(RIGHT, start=landed)

    assert (landed.task, landed.share) == (Task.PROVE, 10)
    assert (proven.task, proven.steps[-1].text) == (
        Task.COMPLETE,
        "proven once, under 10 % of the traffic",
    )
    assert walk(NOTHING_LEFT, start=proven).state is State.SUCCEEDED
    assert walk(WRONG, WRONG, WRONG, start=landed).task is Task.UNDO


def test_a_step_of_traffic_is_looked_at_until_it_is_carried_out() -> None:
    moving = walk(*PROVEN, ASKED_FOR)
    waits = []
    for _ in range(7):
        before = moving.due_at
        moving = walk(UPDATING, start=moving)
        waits.append((moving.due_at - before).total_seconds())

    assert (moving.task, moving.state, moving.share) == (Task.COMPLETE, State.PROVING, 0)
    assert waits == [20, 30, 40, 50, 60, 60, 60]
    assert [(each.text, each.times) for each in moving.steps[-2:]] == [
        ("10 % is asked for", 1),
        ("it is Updating", 7),
    ]
    assert walk(landing(10), start=moving).task is Task.PROVE


def test_each_step_of_traffic_has_twenty_minutes_and_says_so() -> None:
    redeploy = walk(*PROVEN, *slowly(10), *slowly(50), ASKED_FOR)
    began = redeploy.task_since

    while redeploy.task is Task.COMPLETE:
        redeploy = walk(UPDATING, start=redeploy)

    assert redeploy.task is Task.UNDO
    assert timedelta(minutes=20) <= redeploy.task_since - began <= timedelta(minutes=21)
    assert redeploy.said == (
        "a step of traffic was not carried out within 20 minutes: it is Updating"
    )


def test_a_step_that_landed_late_is_proven_like_any_other() -> None:
    moving = walk(*PROVEN, ASKED_FOR)

    landed = advance(moving, landing(10), now=moving.task_since + timedelta(hours=1), limits=LIMITS)

    assert (landed.task, landed.share) == (Task.PROVE, 10)


def test_what_the_platform_could_not_carry_out_is_undone_in_its_words() -> None:
    failed = walk(*PROVEN, ASKED_FOR, Trouble(text="it is Failed: no quota", retryable=False))

    assert (failed.task, failed.said) == (Task.UNDO, "it is Failed: no quota")


@pytest.mark.parametrize("share", [10, 5], ids=["again", "less"])
def test_steps_of_traffic_that_lead_nowhere_are_undone(share: int) -> None:
    proven = walk(*PROVEN, ASKED_FOR, landing(10), RIGHT)

    redeploy = walk(landing(share), start=proven)

    assert redeploy.task is Task.UNDO
    assert redeploy.said == f"it was proven under 10 % of the traffic, and has {share} %"


def test_what_ran_before_and_cannot_be_cleared_away_undoes_nothing_and_is_told() -> None:
    stays = Completion(progress=Progress.CLEARING, text="blue stays: 503")
    proven = walk(*PROVEN, ASKED_FOR, landing(100), RIGHT)

    clearing = late = walk(stays, start=proven)
    while late.task is Task.COMPLETE:
        late = walk(stays, start=late)
    refused = walk(replace(stays, progress=Progress.DONE), start=proven)

    assert (clearing.task, clearing.steps[-1].text) == (Task.COMPLETE, stays.text)
    assert late.steps[-2].times > 20
    for end in (late, refused):
        assert end.state is State.SUCCEEDED
        assert end.said.endswith(" blue stays: 503")


def test_while_what_ran_before_is_leaving_nothing_is_undone_for_want_of_a_look() -> None:
    clearing = walk(*PROVEN, ASKED_FOR, landing(100), RIGHT, LEAVING)

    late = walk(AWAY, start=clearing)
    while late.task is Task.COMPLETE:
        late = walk(AWAY, start=late)
    lost = given_up(clearing, "it never ended", now=clearing.due_at)

    for end, why in ((late, AWAY.text), (lost, "it never ended")):
        assert end.state is State.SUCCEEDED
        assert end.said.endswith(f" what ran before was not seen gone, and may cost on: {why}")


def test_an_endpoint_that_is_gone_while_what_ran_before_leaves_does_not_end_well() -> None:
    end = walk(*PROVEN, ASKED_FOR, landing(100), RIGHT, LEAVING)
    while end.task is Task.COMPLETE:
        end = walk(UPDATING, start=end)

    assert end.task is Task.UNDO


@pytest.mark.parametrize("task", [Task.PROVE, Task.COMPLETE])
def test_a_record_of_the_previous_form_is_read_and_its_traffic_proven_again(task: Task) -> None:
    """It counted rounds, landed or not, so that nothing is known of the traffic."""
    written = replace(walk(*PROVEN), task=task).to_json() | {"shifts": 19}

    read = Redeploy.from_json(written)
    landed = walk(*[RIGHT] * 3 * (task is Task.PROVE), landing(100), start=read)

    assert (read.task, read.share) == (task, 0)
    assert (landed.task, landed.share) == (Task.PROVE, 100)
    assert walk(RIGHT, NOTHING_LEFT, start=landed).state is State.SUCCEEDED
