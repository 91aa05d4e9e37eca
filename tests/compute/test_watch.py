"""One instance from the first look to its outcome, when Azure does what it should."""

from datetime import timedelta

import pytest

from shared.compute.azure import AnswerKind
from shared.compute.policy import Decision, Reason
from shared.compute.report import Outcome
from shared.compute.watch import Step
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


def test_a_running_instance_is_asked_to_stop_at_once() -> None:
    assert a_watch().step(NIGHT) is Step.ASK


def test_while_a_request_is_under_way_there_is_nothing_else_to_do() -> None:
    watch = a_watch()

    watch.asking(NIGHT)

    assert watch.step(after(1)) is Step.LOOK


def test_what_comes_to_rest_before_its_answer_ends_with_the_first_sight_of_it() -> None:
    watch = a_watch()
    watch.asking(NIGHT)

    for at in (20, 25):
        look(watch, "Stopped", at=at)
        assert watch.is_open
    watch.answered(an_answer(), now=after(29))

    assert watch.outcome is Outcome.STOPPED
    assert (watch.seconds, watch.seen_at) == (20, after(20))


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (AnswerKind.UNCLEAR, Outcome.STOPPED),
        (AnswerKind.CONFLICT, Outcome.ALREADY_STOPPED),
        (AnswerKind.NOT_SENT, Outcome.ALREADY_STOPPED),
        (AnswerKind.REFUSED, Outcome.ALREADY_STOPPED),
    ],
)
def test_the_answer_says_whose_doing_it_is_that_an_instance_came_to_rest(
    kind: AnswerKind, outcome: Outcome
) -> None:
    watch = a_watch()
    watch.asking(NIGHT)

    look(watch, "Stopped", at=20)
    watch.answered(an_answer(kind, at=after(29)), now=after(29))

    assert watch.outcome is outcome


def test_an_instance_deleted_while_its_answer_is_awaited_is_left_whatever_the_answer() -> None:
    watch = a_watch()
    watch.asking(NIGHT)

    look(watch, "Deleting", at=20)
    watch.answered(an_answer(AnswerKind.REFUSED), now=after(29))

    assert watch.outcome is Outcome.LEFT


def test_a_list_that_was_asked_for_before_the_stop_tells_nothing_of_it() -> None:
    watch = asked(a_watch(), at=10)

    watch.look(an_instance(state="Stopped"), seen_at=after(12), began_at=after(9))

    assert watch.is_open
    assert watch.state == "Running"


def test_an_accepted_stop_is_stopped_only_when_it_was_seen() -> None:
    watch = asked(a_watch())
    assert watch.is_open

    look(watch, "Stopping", at=5)
    assert watch.is_open

    look(watch, "Stopped", at=27)
    assert watch.outcome is Outcome.STOPPED
    assert watch.seconds == 27
    assert watch.seen_at == after(27)


@pytest.mark.parametrize("state", ["Stopped", "Deleting", "CreateFailed", "JobRunning"])
def test_what_is_left_alone_has_its_outcome_at_once(state: str) -> None:
    watch = a_watch(an_instance(state=state))

    assert watch.outcome is Outcome.LEFT
    assert watch.step(NIGHT) is Step.NONE
    assert watch.seconds is None


@pytest.mark.parametrize("state", ["Unknown", "Hibernating"])
def test_an_unknown_state_is_reported_and_not_touched(state: str) -> None:
    watch = a_watch(an_instance(state=state))

    assert watch.outcome is Outcome.UNKNOWN
    assert state in watch.detail


@pytest.mark.parametrize("state", ["Starting", "Restarting", "Creating", None, "Stopping"])
def test_an_instance_on_its_way_is_looked_at_again(state: str | None) -> None:
    watch = a_watch(an_instance(state=state))

    assert watch.is_open
    assert watch.step(after(600)) is Step.LOOK


def test_an_instance_that_came_up_meanwhile_is_stopped() -> None:
    watch = look(a_watch(an_instance(state="Starting")), "Running", at=40)

    look(asked(watch, at=40), "Stopped", at=67)

    assert watch.outcome is Outcome.STOPPED
    assert watch.seconds == 27
    assert watch.first_verdict.decision is Decision.RECHECK


@pytest.mark.parametrize("state", ["Stopping", "Starting", None])
def test_an_instance_that_came_to_rest_by_itself_was_stopped_already(state: str | None) -> None:
    watch = look(a_watch(an_instance(state=state)), "Stopped")

    assert watch.outcome is Outcome.ALREADY_STOPPED


def test_a_job_that_began_meanwhile_is_left_to_run() -> None:
    watch = look(a_watch(an_instance(state="Starting")), "JobRunning")

    assert watch.outcome is Outcome.LEFT
    assert watch.verdict.reason is Reason.JOB_RUNNING
    assert "JobRunning" in watch.detail


def test_an_instance_whose_creation_failed_meanwhile_is_left() -> None:
    assert look(a_watch(an_instance(state="Creating")), "CreateFailed").outcome is Outcome.LEFT


@pytest.mark.parametrize("seconds", [1, 30, 59])
def test_running_shortly_after_the_202_is_no_failure_and_asks_nothing(seconds: float) -> None:
    watch = look(asked(a_watch()), "Running", at=seconds)

    assert watch.is_open
    assert watch.step(after(seconds)) is Step.LOOK


def test_an_operation_that_cannot_be_read_is_no_failure_by_itself() -> None:
    watch = look(asked(a_watch()), "Running", at=60)

    watch.operation_unreadable("503")

    assert watch.is_open
    assert watch.step(after(65)) is Step.LOOK


@pytest.mark.parametrize("state", ["Starting", "Running", "SettingUp"])
@pytest.mark.parametrize("trigger", ["User", "Schedule"])
def test_an_instance_that_was_started_again_says_by_whom_and_when(state: str, trigger: str) -> None:
    watch = look(asked(a_watch()), state, at=40, last=an_operation(at=after(33), trigger=trigger))

    assert watch.outcome is Outcome.STARTED_AGAIN
    assert watch.detail == f"Start by {trigger} at 2026-11-20T22:00:33Z."


def test_the_start_of_this_morning_is_not_a_start_after_our_stop() -> None:
    morning = an_operation(at=NIGHT - timedelta(hours=12))
    watch = asked(a_watch(an_instance(last_operation=morning)))

    look(watch, "Running", at=5, last=morning)

    assert watch.is_open


def test_a_start_shortly_before_our_stop_is_not_one_after_it() -> None:
    watch = asked(a_watch(), at=10)

    look(watch, "Running", at=15, last=an_operation(at=after(9)))

    assert watch.is_open


def test_a_list_that_lags_behind_shows_the_old_state_and_fools_nobody() -> None:
    watch = asked(a_watch())

    for at in (5, 10, 15):
        look(watch, "Running", at=at)
        assert watch.step(after(at)) is Step.LOOK

    assert look(watch, "Stopped", at=30).outcome is Outcome.STOPPED


def test_an_instance_that_is_being_deleted_is_left() -> None:
    watch = look(asked(a_watch()), "Deleting")

    assert watch.outcome is Outcome.LEFT
    assert watch.detail == "Its deletion began during the run."


def test_an_outcome_does_not_change_any_more() -> None:
    watch = look(asked(a_watch()), "Stopped", at=27)

    look(watch, "Running", at=60)
    watch.close()

    assert watch.outcome is Outcome.STOPPED
    assert watch.state == "Stopped"
    assert watch.seen_at == after(27)


@pytest.mark.parametrize("state", ["Running", "Stopping", "Starting", "Unusable"])
def test_a_plan_touches_nothing_and_says_so(state: str) -> None:
    watch = a_watch(an_instance(state=state))

    watch.plan()

    assert watch.outcome is Outcome.PLANNED
    assert watch.step(NIGHT) is Step.NONE


def test_a_plan_leaves_alone_what_is_left_alone() -> None:
    watch = a_watch(an_instance(state="JobRunning"))

    watch.plan()

    assert watch.outcome is Outcome.LEFT
