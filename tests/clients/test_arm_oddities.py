"""Bytes that no Azure should send: an error in bounded time, never a crash or a false success."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from azure.core.credentials_async import AsyncTokenCredential

from shared.clients.arm import Arm, ArmSettings
from shared.clients.pacer import Pacer
from shared.errors import AzureRequestError
from tests.support.arm_session import AUDIENCE, FixedToken, now, within
from tests.support.odd_server import OddServer, Respond, http, odd_server
from tests.support.pace import BUSY_SECONDS

EMPTY = '{"value": []}'


@asynccontextmanager
async def arm_that_says(
    respond: Respond, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Arm, OddServer]]:
    credential: AsyncTokenCredential = FixedToken("canary-token")
    async with odd_server(respond) as server:
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", server.trusting)
        settings = ArmSettings(endpoint=server.url, scope=AUDIENCE, api_version="2025-12-01")
        async with Arm(
            settings, credential=credential, pacer=Pacer(), now=now, on_answer=lambda *_: None
        ) as arm:
            yield arm, server


async def list_from(
    respond: Respond, monkeypatch: pytest.MonkeyPatch, *, seconds: float = 20
) -> Sequence[dict[str, Any]]:
    async with arm_that_says(respond, monkeypatch) as (arm, _):
        return await arm.list("/subscriptions", deadline=within(seconds))


async def test_a_plain_answer_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await list_from(lambda _: http('{"value": [{"a": 1}]}'), monkeypatch) == [{"a": 1}]


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        http("no gzip", Content_Encoding="gzip"),
        http("{", Content_Type="application/json"),
        http(b'\xff\xfe{"value": []'),
        http('{"value": [1e999999]}'[:-2]),
        http(json.dumps({"value": []}) + "}"),
        http(EMPTY, X_Long="y" * 100_000),
    ],
    ids=[
        "silence",
        "noise",
        "no status",
        "negative length",
        "too short",
        "broken chunks",
        "not gzip",
        "half a document",
        "not UTF-8",
        "cut in a number",
        "too much",
        "endless header",
    ],
)
async def test_what_cannot_be_read_is_an_error_that_may_pass(
    response: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()

    with pytest.raises(AzureRequestError) as raised:
        await list_from(lambda _: response, monkeypatch, seconds=0.4)

    assert raised.value.retryable
    assert time.monotonic() - began < BUSY_SECONDS
    assert "canary-token" not in str(raised.value)


@pytest.mark.parametrize("digits", ["²", "٣", "9" * 400, "1_0", "+1", "nan", "1e3"])
async def test_a_remaining_count_that_is_no_number_is_passed_over(
    digits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = http(EMPTY, x_ms_ratelimit_remaining_tenant_reads=digits)

    assert await list_from(lambda _: response, monkeypatch) == []


@pytest.mark.parametrize("wait", ["²", "9" * 400, "nan"])
async def test_a_wait_that_is_no_number_is_ours_to_choose(
    wait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([http("{}", status=503, Retry_After=wait), http(EMPTY)])

    assert await list_from(lambda _: next(answers), monkeypatch) == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirection_is_not_followed(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def respond(_: str) -> bytes:
        return http("", status=status, Location="https://127.0.0.1:1/subscriptions")

    async with arm_that_says(respond, monkeypatch) as (arm, server):
        with pytest.raises(AzureRequestError) as raised:
            await arm.list("/subscriptions", deadline=within(5))

    assert raised.value.status == status
    assert len(server.targets) == 1


async def test_pages_without_an_end_end_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = count()
    began = time.monotonic()

    async with arm_that_says(lambda _: b"", monkeypatch) as (arm, server):
        server.respond = lambda _: http(
            json.dumps({"value": [], "nextLink": f"{server.url}/more?page={next(pages)}"})
        )
        with pytest.raises(AzureRequestError, match="the deadline"):
            await arm.list("/subscriptions", deadline=within(1))

    assert time.monotonic() - began < 1 + BUSY_SECONDS
    assert len(server.targets) > 1


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/subscriptions/a b", "/subscriptions/a%20b?api-version=2025-12-01"),
        ("/subscriptions/ä(1)", "/subscriptions/%C3%A4(1)?api-version=2025-12-01"),
    ],
)
async def test_names_that_need_escaping_are_escaped(
    path: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with arm_that_says(lambda _: http("{}"), monkeypatch) as (arm, server):
        await arm.get(path, deadline=within(5))

    assert server.targets == [target]


async def test_a_challenge_that_makes_no_sense_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    challenge = 'Bearer claims="not base64!", error="insufficient_claims"'

    with pytest.raises(AzureRequestError, match="no answer"):
        await list_from(lambda _: http("{}", status=401, WWW_Authenticate=challenge), monkeypatch)
