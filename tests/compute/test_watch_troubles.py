"""One instance whose stop is refused, conflicts, is not heard of, or is not over in time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.compute.azure import AnswerKind
from shared.compute.policy import Reason
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

DEAD_ENDS = ["Unusable", "SetupFailed", "UserSetupFailed"]


def test_a_refusal_is_an_outcome_in_azures_words() -> None:
    watch = asked(a_watch(), AnswerKind.REFUSED)

    assert watch.outcome is Outcome.REFUSED
    assert watch.detail == "SomeCode: Some words."


@pytest.mark.parametrize("state", DEAD_ENDS)
def test_a_dead_end_that_can_be_stopped_is_stopped(state: str) -> None:
    watch = look(asked(a_watch(an_instance(state=state))), "Stopped")

    assert watch.outcome is Outcome.STOPPED


@pytest.mark.parametrize("state", DEAD_ENDS)
@pytest.mark.parametrize("kind", [AnswerKind.REFUSED, AnswerKind.CONFLICT])
def test_a_dead_end_is_tried_once(state: str, kind: AnswerKind) -> None:
    watch = asked(a_watch(an_instance(state=state)), kind)

    assert watch.outcome is Outcome.REFUSED


def test_a_dead_end_of_which_nothing_was_heard_is_not_tried_again() -> None:
    watch = asked(a_watch(an_instance(state="Unusable")), AnswerKind.UNCLEAR)

    look(watch, "Unusable", at=600)

    assert watch.step(after(600)) is Step.LOOK


def test_a_conflict_is_asked_again_after_a_while() -> None:
    watch = look(asked(a_watch(), AnswerKind.CONFLICT), "Running", at=5)
    assert watch.step(after(5)) is Step.LOOK

    assert look(watch, "Running", at=10).step(after(10)) is Step.ASK


def test_a_conflict_that_ends_stopped_was_somebody_elses_stop() -> None:
    watch = look(asked(a_watch(), AnswerKind.CONFLICT), "Stopping", at=5)
    assert watch.step(after(60)) is Step.LOOK

    assert look(watch, "Stopped", at=65).outcome is Outcome.ALREADY_STOPPED


def test_a_conflict_that_cleared_ends_with_our_stop() -> None:
    watch = look(asked(a_watch(), AnswerKind.CONFLICT), "Running", at=10)

    look(asked(watch, at=10), "Stopped", at=37)

    assert watch.outcome is Outcome.STOPPED
    assert watch.seconds == 27


@pytest.mark.parametrize("kind", [AnswerKind.CONFLICT, AnswerKind.UNCLEAR, AnswerKind.NOT_SENT])
@pytest.mark.parametrize("state", ["Restarting", "Starting", "Stopping", None])
def test_nothing_is_asked_of_an_instance_on_its_way(kind: AnswerKind, state: str | None) -> None:
    watch = look(asked(a_watch(), kind), state, at=100)

    assert watch.is_open
    assert watch.step(after(100)) is Step.LOOK


@pytest.mark.parametrize("kind", [AnswerKind.CONFLICT, AnswerKind.NOT_SENT])
def test_a_job_that_appears_after_a_stop_that_did_nothing_is_left(kind: AnswerKind) -> None:
    watch = look(asked(a_watch(), kind), "JobRunning", at=10)

    assert watch.outcome is Outcome.LEFT
    assert watch.verdict.reason is Reason.JOB_RUNNING


@pytest.mark.parametrize("kind", [AnswerKind.CONFLICT, AnswerKind.NOT_SENT])
def test_a_tag_set_meanwhile_is_heeded(kind: AnswerKind) -> None:
    watch = look(asked(a_watch(), kind), "Running", at=10, tags={"shutdown": "never"})

    assert watch.outcome is Outcome.LEFT


def test_a_job_seen_after_an_unclear_stop_is_not_asked_to_stop_again() -> None:
    watch = look(asked(a_watch(), AnswerKind.UNCLEAR), "JobRunning", at=100)

    assert watch.step(after(100)) is Step.LOOK


def test_an_instance_that_became_a_dead_end_after_a_conflict_is_tried_once_more() -> None:
    watch = look(asked(a_watch(), AnswerKind.CONFLICT), "Unusable", at=10)

    asked(watch, AnswerKind.CONFLICT, at=10)

    assert watch.outcome is Outcome.REFUSED


def test_a_stop_that_was_not_sent_is_sent_after_a_while() -> None:
    watch = look(asked(a_watch(), AnswerKind.NOT_SENT), "Running", at=5)
    assert watch.step(after(5)) is Step.LOOK

    assert look(watch, "Running", at=10).step(after(10)) is Step.ASK


def test_an_instance_that_stopped_without_our_request_was_not_stopped_by_us() -> None:
    watch = look(asked(a_watch(), AnswerKind.NOT_SENT), "Stopped")

    assert watch.outcome is Outcome.ALREADY_STOPPED


def test_an_unclear_stop_that_had_an_effect_is_stopped() -> None:
    watch = look(asked(a_watch(), AnswerKind.UNCLEAR), "Stopping", at=5)
    assert watch.step(after(120)) is Step.LOOK

    assert look(watch, "Stopped", at=27).outcome is Outcome.STOPPED


def test_an_unclear_stop_is_resolved_by_looking_before_anything_is_sent_again() -> None:
    watch = asked(a_watch(), AnswerKind.UNCLEAR)

    for at in (5, 30, 59):
        assert look(watch, "Running", at=at).step(after(at)) is Step.LOOK

    assert look(watch, "Running", at=60).step(after(60)) is Step.ASK


def test_an_instance_started_again_after_an_unclear_stop_is_not_stopped_twice() -> None:
    watch = asked(a_watch(), AnswerKind.UNCLEAR)

    watch.look(
        an_instance(state="Running", last_operation=an_operation(at=after(50))), seen_at=after(60)
    )

    assert watch.outcome is Outcome.STARTED_AGAIN


def test_an_instance_that_is_gone_is_left_once_the_lists_agree() -> None:
    watch = asked(a_watch(), AnswerKind.GONE)
    assert watch.is_open

    watch.look(None, seen_at=after(5))
    watch.look(None, seen_at=after(10))
    assert watch.step(after(10)) is Step.CONFIRM_ABSENCE
    watch.gone()

    assert watch.outcome is Outcome.LEFT


def test_an_instance_that_is_gone_and_listed_is_not_asked_again() -> None:
    watch = look(asked(a_watch(), AnswerKind.GONE), "Running", at=600)
    assert watch.step(after(600)) is Step.LOOK

    watch.close()

    assert watch.outcome is Outcome.UNRESOLVED
    assert "did not find it" in watch.detail


@pytest.mark.parametrize("state", ["Running", "Stopping"])
def test_an_instance_still_stopping_at_the_deadline_is_still_stopping(state: str) -> None:
    watch = a_watch(an_instance(state=state))
    look(asked(watch) if state == "Running" else watch, "Stopping", at=200)

    watch.close()

    assert watch.outcome is Outcome.STILL_STOPPING
    assert "deadline" in watch.detail


@pytest.mark.parametrize(
    ("state", "words"), [("Restarting", "still Restarting"), (None, "still being created")]
)
def test_an_instance_still_on_its_way_at_the_deadline_is_unresolved(
    state: str | None, words: str
) -> None:
    watch = a_watch(an_instance(state=state))

    watch.close()

    assert watch.outcome is Outcome.UNRESOLVED
    assert words in watch.detail


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (AnswerKind.ACCEPTED, "A stop was requested, and it was still Running"),
        (AnswerKind.CONFLICT, "Another operation was in progress at every attempt: SomeCode"),
        (AnswerKind.NOT_SENT, "The stop was not sent: SomeCode: Some words."),
        (AnswerKind.UNCLEAR, "Whether the stop arrived is not known"),
    ],
)
def test_the_deadline_says_what_is_known_of_the_request(kind: AnswerKind, words: str) -> None:
    watch = look(asked(a_watch(), kind), "Running")

    watch.close()

    assert watch.outcome is Outcome.UNRESOLVED
    assert words in watch.detail


def test_an_instance_never_asked_says_only_what_was_seen() -> None:
    watch = a_watch()

    watch.close()

    assert watch.outcome is Outcome.UNRESOLVED
    assert watch.detail == "It was still Running at the deadline."


def test_no_text_holds_the_signed_address_of_the_operation() -> None:
    watch = asked(a_watch(), at=0)

    watch.close()

    assert "signature" not in f"{watch.detail} {watch.answer!r}"


def test_seconds_are_unknown_until_a_list_is_younger_than_the_request() -> None:
    watch = a_watch()
    watch.asking(after(3))

    assert watch.seen_at == NIGHT
    assert watch.seconds is None


def test_a_stop_that_was_throttled_waits_as_long_as_azure_wants_and_is_decided_again() -> None:
    watch = a_watch()
    assert watch.step(after(0)) is Step.ASK
    watch.asking(after(0))
    throttled = replace(an_answer(AnswerKind.NOT_SENT), retry_after=timedelta(seconds=30))
    watch.answered(throttled, now=after(0))

    look(watch, "Running", at=20)
    assert watch.step(after(20)) is Step.LOOK

    look(watch, "JobRunning", at=31)
    assert watch.outcome is Outcome.LEFT
