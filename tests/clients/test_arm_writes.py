"""Asking ARM to do something: sent a second time only where ARM said that it did nothing."""

import time

import pytest

from shared.compute.azure import AnswerKind, StopAnswer
from shared.compute.instance import Compute
from tests.support.arm_session import HANGS, ArmSession, within
from tests.support.builders import a_workspace, an_instance
from tests.support.pace import BUSY_SECONDS

PRODUCTION = "8f4b6a1e-3c27-4d58-9b0e-5a7c1d2e3f40"
CHURN = a_workspace("mlw-churn", subscription_id=PRODUCTION, group="rg-ds-prod")
ADA = an_instance("ci-ada", workspace=CHURN)
STOP = "/ci-ada/stop$"


async def begin_stop(
    session: ArmSession,
    compute: Compute = ADA,
    *,
    seconds: float = 20,
    token: str | None = "",
) -> StopAnswer:
    async with session.machine_learning(token=token) as azure:
        return await azure.begin_stop(compute, deadline=within(seconds))


def stop_requests(session: ArmSession, name: str = "ci-ada") -> int:
    """How many stops reached the machine itself."""
    count: int = session.emulator.computes()[name]["stop_requests"]
    return count


async def test_an_accepted_stop_names_its_operation_and_azures_time(session: ArmSession) -> None:
    answer = await begin_stop(session)

    assert answer.kind is AnswerKind.ACCEPTED
    assert "computeOperationsStatus" in answer.operation
    assert abs((answer.at - within(0)).total_seconds()) < BUSY_SECONDS
    assert stop_requests(session) == 1


async def test_the_signed_address_of_the_operation_is_in_no_text(session: ArmSession) -> None:
    answer = await begin_stop(session)

    assert "&s=" in answer.operation
    assert "&s=" not in repr(answer)


async def test_a_stop_that_did_nothing_is_sent_again(session: ArmSession) -> None:
    session.emulator.fault(STOP, status=429, headers={"Retry-After": "0"})

    answer = await begin_stop(session)

    assert answer.kind is AnswerKind.ACCEPTED
    assert stop_requests(session) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_stop_that_may_have_happened_is_not_sent_again(
    session: ArmSession, status: int
) -> None:
    session.emulator.fault(STOP, status=status, headers={"Retry-After": "0"}, times=None)

    answer = await begin_stop(session)

    assert answer.kind is AnswerKind.UNCLEAR
    assert len(session.seen("/ci-ada/stop", method="POST")) == 1


@pytest.mark.parametrize("cut", ["before_effect", "after_effect", "mid_body"])
async def test_a_stop_whose_connection_was_cut_is_not_sent_again(
    session: ArmSession, cut: str
) -> None:
    session.emulator.fault(STOP, cut=cut, times=None)

    answer = await begin_stop(session)

    assert answer.kind is AnswerKind.UNCLEAR
    assert len(session.seen("/ci-ada/stop", method="POST")) == 1
    assert stop_requests(session) == (0 if cut == "before_effect" else 1)


async def test_a_stop_that_hangs_is_unclear_at_the_deadline(session: ArmSession) -> None:
    session.emulator.fault(STOP, hang_seconds=30)
    began = time.monotonic()

    answer = await begin_stop(session, seconds=1)

    assert time.monotonic() - began < 1 + BUSY_SECONDS
    assert answer.kind is AnswerKind.UNCLEAR
    assert len(session.seen("/ci-ada/stop", method="POST")) == 1


async def test_a_stop_accepted_with_half_a_document_is_accepted(session: ArmSession) -> None:
    session.emulator.fault(STOP, malformed_json=True)

    answer = await begin_stop(session)

    assert answer.kind is AnswerKind.ACCEPTED
    assert stop_requests(session) == 1


async def test_an_unclear_answer_says_how_long_azure_wants_to_be_left_alone(
    session: ArmSession,
) -> None:
    session.emulator.fault(STOP, status=503, headers={"Retry-After": "90"})

    answer = await begin_stop(session)

    assert (answer.kind, answer.retry_after.total_seconds()) == (AnswerKind.UNCLEAR, 90)


async def test_a_stop_throttled_beyond_the_deadline_was_not_sent(session: ArmSession) -> None:
    session.emulator.fault(STOP, status=429, headers={"Retry-After": "372"}, times=None)
    began = time.monotonic()

    answer = await begin_stop(session, seconds=60)

    assert time.monotonic() - began < BUSY_SECONDS
    assert answer.kind is AnswerKind.NOT_SENT


async def test_a_stop_that_has_to_wait_long_is_handed_back_to_be_decided_again(
    session: ArmSession,
) -> None:
    session.emulator.fault(STOP, status=429, headers={"Retry-After": "12"}, times=None)
    began = time.monotonic()

    answer = await begin_stop(session, seconds=60)

    assert time.monotonic() - began < BUSY_SECONDS
    assert (answer.kind, answer.retry_after.total_seconds()) == (AnswerKind.NOT_SENT, 12)
    assert stop_requests(session) == 0


async def test_a_stop_whose_turn_comes_after_the_deadline_is_not_sent(session: ArmSession) -> None:
    answer = await begin_stop(session, seconds=-1)

    assert answer.kind is AnswerKind.NOT_SENT
    assert not session.seen("/ci-ada/stop", method="POST")


async def test_a_stop_without_a_token_is_not_sent(session: ArmSession) -> None:
    answer = await begin_stop(session, token=None)

    assert answer.kind is AnswerKind.NOT_SENT
    assert "the vault is locked" in answer.message


async def test_a_stop_whose_token_never_comes_is_not_sent(session: ArmSession) -> None:
    answer = await begin_stop(session, seconds=1, token=HANGS)

    assert answer.kind is AnswerKind.NOT_SENT
    assert not session.seen("/ci-ada/stop", method="POST")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, AnswerKind.ACCEPTED),
        (204, AnswerKind.ACCEPTED),
        (302, AnswerKind.REFUSED),
        (400, AnswerKind.REFUSED),
        (401, AnswerKind.REFUSED),
        (403, AnswerKind.REFUSED),
        (404, AnswerKind.GONE),
        (409, AnswerKind.CONFLICT),
        (412, AnswerKind.REFUSED),
    ],
)
async def test_every_answer_has_one_meaning(
    session: ArmSession, status: int, kind: AnswerKind
) -> None:
    body = {"error": {"code": "SomeCode", "message": "Some words."}}
    body_or_none = None if status == 204 else body
    session.emulator.fault(STOP, status=status, body=body_or_none)

    answer = await begin_stop(session)

    assert answer.kind is kind


async def test_a_refusal_keeps_azures_code_and_words(session: ArmSession) -> None:
    body = {"error": {"code": "UserError", "message": "The disk is full."}}
    session.emulator.fault(STOP, status=400, body=body)

    answer = await begin_stop(session)

    assert (answer.code, answer.message) == ("UserError", "400 The disk is full.")


async def test_signed_addresses_and_tokens_in_a_refusal_are_not_passed_on(
    session: ArmSession,
) -> None:
    words = "See https://x.example/a?sig=canary-1, /b?s=canary-2 or eyJhbGciOiJub25lIn0.canary-3."
    body = {"error": {"code": "https://x.example/?sig=canary-4", "message": words}}
    session.emulator.fault(STOP, status=400, body=body)

    answer = await begin_stop(session)

    assert "canary" not in f"{answer.code} {answer.message}"
    assert "https://x.example/a" in answer.message


async def test_an_error_of_another_form_is_read_as_far_as_it_goes(session: ArmSession) -> None:
    session.emulator.fault(STOP, status=409, body={"code": "Conflict", "message": "Busy."})

    answer = await begin_stop(session)

    assert (answer.kind, answer.code) == (AnswerKind.CONFLICT, "Conflict")


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "yesterday",
    ],
)
async def test_a_date_that_no_clock_says_is_replaced_by_ours(
    session: ArmSession, date: str
) -> None:
    session.emulator.fault(STOP, status=202, headers={"Date": date})

    answer = await begin_stop(session)

    assert answer.kind is AnswerKind.ACCEPTED
    assert abs((answer.at - within(0)).total_seconds()) < BUSY_SECONDS
