"""One instance whose stop was answered by a gateway, or not at all: looked for before it is sent again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.compute.azure import AnswerKind
from shared.compute.instance import LastOperation
from shared.compute.report import Outcome
from shared.compute.watch import Step, Watch
from tests.support.builders import (
    NIGHT,
    a_watch,
    after,
    an_answer,
    an_instance,
    an_operation,
    asked,
    look,
)

THIS_MORNING = an_operation(at=NIGHT - timedelta(hours=12))
# Where requests hang for half a minute, our clock says little about when Azure got one.
LATE = replace(an_answer(AnswerKind.UNCLEAR), at=after(30))


def unheard(*, last: LastOperation = THIS_MORNING) -> Watch:
    """A watch whose stop hung for half a minute."""
    watch = a_watch(an_instance(last_operation=last))
    watch.asking(NIGHT)
    watch.answered(LATE, now=after(30))
    return watch


def test_a_look_that_came_too_early_does_not_show_that_nothing_happened() -> None:
    watch = look(asked(a_watch(), AnswerKind.UNCLEAR), "Running", at=59)

    assert [watch.step(after(at)) for at in (60, 600)] == [Step.LOOK] * 2


def test_each_further_stop_waits_twice_as_long() -> None:
    watch, at, asked_at = a_watch(), 0, []

    while at < 1500:
        if look(watch, "Running", at=at).step(after(at)) is Step.ASK:
            asked(watch, AnswerKind.UNCLEAR, at=at)
            asked_at.append(at)
        at += 5

    assert asked_at == [0, 60, 180, 420, 900]


def test_azures_own_wait_counts_where_it_is_longer() -> None:
    watch = a_watch()
    watch.asking(NIGHT)
    watch.answered(
        replace(an_answer(AnswerKind.UNCLEAR), retry_after=timedelta(seconds=90)), now=NIGHT
    )

    assert look(watch, "Running", at=85).step(after(85)) is Step.LOOK
    assert look(watch, "Running", at=90).step(after(90)) is Step.ASK


@pytest.mark.parametrize("status", ["InProgress", "Succeeded"])
def test_a_stop_in_the_last_operation_took_effect_whatever_the_state_says(status: str) -> None:
    watch = look(
        unheard(), "Running", at=600, last=an_operation("Stop", at=after(1), status=status)
    )

    assert watch.is_open
    assert watch.step(after(600)) is Step.LOOK


def test_a_stop_of_another_night_is_no_effect_of_this_one() -> None:
    last_night = an_operation("Stop", at=NIGHT - timedelta(days=1), status="StopFailed")
    watch = look(unheard(last=last_night), "Running", at=600, last=last_night)

    assert watch.step(after(600)) is Step.ASK


def test_a_stop_that_took_effect_and_failed_is_a_failed_stop() -> None:
    failed = an_operation("Stop", at=after(1), status="StopFailed")

    watch = look(unheard(), "Running", at=40, last=failed)

    assert watch.outcome is Outcome.STOP_FAILED


def test_a_start_while_the_answer_was_awaited_is_a_start_after_our_stop() -> None:
    watch = look(unheard(), "Starting", at=35, last=an_operation(at=after(20)))

    assert watch.outcome is Outcome.STARTED_AGAIN
