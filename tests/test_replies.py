"""HTTP answers: every error is a problem that names what the caller can change, and leaks nothing."""

import asyncio
import json
import logging
from typing import Any

import azure.functions as func
import pytest

from shared.compute.answers import carry_out
from shared.compute.order import RunOrder
from shared.compute.report import RunReport
from shared.compute.shutdown import Shutdown
from shared.errors import (
    AzureRequestError,
    CredentialError,
    InvalidRequestError,
    NothingEnumeratedError,
    OpsError,
    SettingsError,
)
from shared.replies import Reply, answering, json_reply, problem
from tests.support.night import a_machine, an_estate
from tests.support.night import carry_out as spend_with


async def answer_to(error: Exception) -> tuple[Reply, dict[str, Any]]:
    async def work() -> Reply:
        raise error

    reply = await answering(work())
    return reply, json.loads(reply.body)


async def test_work_that_succeeds_is_answered_as_it_is() -> None:
    async def work() -> Reply:
        return json_reply("{}", status=200)

    reply = await answering(work())

    assert (reply.status, reply.content_type, reply.body) == (200, "application/json", "{}")


def test_a_reply_is_wrapped_as_the_host_wants_it() -> None:
    reply = Reply(status=202, content_type="text/html", body="<p>ö</p>", headers={"Location": "/1"})

    response = reply.wrapped_in(func.HttpResponse)

    assert (response.status_code, response.mimetype) == (202, "text/html")
    assert response.get_body() == "<p>ö</p>".encode()
    assert dict(response.headers) == {"Location": "/1"}


@pytest.mark.parametrize("status", [400, 404, 413])
async def test_wrong_input_is_a_problem_that_names_the_field(status: int) -> None:
    reply, body = await answer_to(InvalidRequestError("instances[0]", "no such", status=status))

    assert reply.status == body["status"] == status
    assert reply.content_type == "application/problem+json"
    assert (body["field"], body["detail"]) == ("instances[0]", "no such")
    assert body["title"]


@pytest.mark.parametrize(("retryable", "status"), [(True, 503), (False, 502)])
async def test_a_run_that_enumerated_nothing_says_whether_to_come_back_and_its_id(
    status: int, *, retryable: bool
) -> None:
    error = NothingEnumeratedError("No subscription.", run_id="0190", retryable=retryable)

    reply, body = await answer_to(error)

    assert reply.status == status
    assert (body["run_id"], body["detail"]) == ("0190", "No subscription.")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CredentialError("the vault is away", retryable=True), 503),
        (CredentialError("the secret has expired"), 502),
        (AzureRequestError("GET: 403", status=403), 502),
        (AzureRequestError("GET: 503", status=503, retryable=True), 503),
        (OpsError("odd"), 502),
    ],
)
async def test_every_error_of_ours_has_a_status(error: OpsError, status: int) -> None:
    reply, body = await answer_to(error)

    assert reply.status == status
    assert body["detail"] == str(error)


async def test_broken_settings_are_in_the_log_and_not_in_the_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reply, _ = await answer_to(SettingsError(["KEY_VAULT_URL is not set", "POLL_SECONDS is wrong"]))

    assert reply.status == 500
    assert "KEY_VAULT_URL" not in reply.body
    assert "KEY_VAULT_URL is not set; POLL_SECONDS is wrong" in caplog.text


async def test_a_mistake_of_ours_is_in_the_log_and_not_in_the_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reply, body = await answer_to(KeyError("canary"))

    assert (reply.status, body["title"]) == (500, "Internal Server Error")
    assert "canary" not in reply.body
    assert "canary" in caplog.text
    assert caplog.records[-1].exc_info
    assert caplog.records[-1].levelno == logging.ERROR


async def test_a_cancellation_is_no_answer() -> None:
    async def work() -> Reply:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await answering(work())


def test_a_problem_may_have_members_of_its_own() -> None:
    body = json.loads(problem(409, "Busy.", etag="1").body)

    assert body == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Busy.",
        "etag": "1",
    }


@pytest.mark.parametrize(
    ("disk_full", "status"), [(False, 200), (True, 207)], ids=["succeeded", "partial"]
)
def test_a_report_is_answered_by_its_result(status: int, *, disk_full: bool) -> None:
    replies: list[Reply] = []

    async def ask(shutdown: Shutdown) -> RunReport | None:
        replies.append(await carry_out(shutdown, RunOrder()))
        return None

    spend_with(an_estate(a_machine("ci-ada", disk_full=disk_full)), ask)

    (reply,) = replies
    assert reply.status == status
    assert json.loads(reply.body)["instances"][0]["name"] == "ci-ada"
