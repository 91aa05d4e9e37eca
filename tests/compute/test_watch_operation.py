"""One instance whose stop was accepted: when its operation is read, and what that tells."""

from datetime import timedelta

import pytest

from shared.compute.azure import OperationState
from shared.compute.instance import LastOperation
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


def a_stop(*, status: str) -> LastOperation:
    return an_operation("Stop", at=NIGHT, status=status)


def test_an_accepted_stop_without_effect_has_its_operation_read_once() -> None:
    watch = look(asked(a_watch()), "Running", at=60)
    assert watch.step(after(60)) is Step.READ_OPERATION

    watch.read(OperationState(status="InProgress"))

    assert watch.is_open
    assert [watch.step(after(at)) for at in (61, 120, 1400)] == [Step.LOOK] * 3


def test_patience_begins_with_the_answer_however_long_the_request_waited_for_its_turn() -> None:
    watch = a_watch()
    watch.asking(NIGHT)
    watch.answered(an_answer(at=after(80)), now=after(80))

    look(watch, "Running", at=85)

    assert watch.step(after(85)) is Step.LOOK
    assert watch.step(after(140)) is Step.READ_OPERATION


def test_an_instance_seen_stopping_is_in_no_need_of_its_operation() -> None:
    watch = look(asked(a_watch()), "Stopping", at=300)

    assert watch.step(after(300)) is Step.LOOK


def test_a_failed_operation_gives_the_reason_of_the_failure() -> None:
    watch = look(asked(a_watch()), "Running", at=60)

    watch.read(OperationState(status="Failed", code="DeallocationFailed", message="No luck."))

    assert watch.outcome is Outcome.STOP_FAILED
    assert watch.detail == "DeallocationFailed: No luck."


def test_a_cancelled_operation_is_a_failed_stop() -> None:
    watch = look(asked(a_watch()), "Running", at=60)

    watch.read(OperationState(status="Canceled"))

    assert watch.outcome is Outcome.STOP_FAILED


def test_a_stop_that_became_stop_failed_has_its_operation_read() -> None:
    watch = look(asked(a_watch()), "Running", last=a_stop(status="StopFailed"))
    assert watch.step(after(5)) is Step.READ_OPERATION

    watch.read(OperationState(status="Failed", code="DeallocationFailed", message="No luck."))

    assert watch.outcome is Outcome.STOP_FAILED
    assert "No luck." in watch.detail


def test_a_stop_that_fails_after_its_operation_was_read_has_it_read_for_the_reason() -> None:
    watch = look(asked(a_watch()), "Running", at=60)
    watch.read(OperationState(status="InProgress"))

    look(watch, "Running", at=90, last=a_stop(status="StopFailed"))

    assert watch.is_open
    assert watch.step(after(90)) is Step.READ_OPERATION


def test_stop_failed_stands_when_its_operation_knows_nothing_of_it() -> None:
    failed = a_stop(status="StopFailed")
    watch = look(asked(a_watch()), "Running", last=failed)
    watch.read(OperationState(status="InProgress"))

    look(watch, "Running", at=10, last=failed)

    assert watch.outcome is Outcome.STOP_FAILED
    assert "no reason" in watch.detail


def test_stop_failed_stands_when_its_operation_cannot_be_read() -> None:
    watch = look(asked(a_watch()), "Running", last=a_stop(status="StopFailed"))

    watch.operation_unreadable("404: NotFound")

    assert watch.outcome is Outcome.STOP_FAILED
    assert "404: NotFound" in watch.detail


def test_a_stop_that_failed_another_night_is_not_ours() -> None:
    failed = an_operation("Stop", at=NIGHT - timedelta(days=1), status="StopFailed")
    watch = look(asked(a_watch(an_instance(last_operation=failed))), "Running", last=failed)

    assert watch.step(after(5)) is Step.LOOK


@pytest.mark.parametrize("state", ["Running", "Stopping"])
def test_an_end_without_a_reason_says_why_the_operation_could_not_be_read(state: str) -> None:
    watch = look(asked(a_watch()), state, at=60)

    watch.operation_unreadable("403: AuthorizationFailed")
    watch.close()

    assert "Its operation could not be read: 403: AuthorizationFailed" in watch.detail


def test_an_operation_that_was_read_in_the_end_is_not_called_unreadable() -> None:
    watch = look(asked(a_watch()), "Running", at=60)
    watch.operation_unreadable("503")

    watch.read(OperationState(status="InProgress"))
    watch.close()

    assert watch.outcome is Outcome.UNRESOLVED
    assert "could not be read" not in watch.detail
