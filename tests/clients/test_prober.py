"""Connections of a probe, on real sockets: one each, none left behind, no more than may be open."""

import asyncio
import errno
import os
import resource
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing

import pytest

from shared.clients.open_files import sockets_at_once
from shared.clients.probe_failure import Stage, explain
from shared.clients.prober import NetworkProber
from shared.scoring.probe import Contact
from tests.support.odd_server import http
from tests.support.probing import PATIENCE_SECONDS, a_request, now, probe, saying
from tests.support.scripted import Asked, always
from tests.support.tcp_services import listening, scripted

SECRET = "canary-key"


async def test_a_backlog_that_is_full_times_out_before_tcp_stands() -> None:
    # A process that is stopped long enough accepts nobody, and the kernel's queue fills up.
    with closing(socket.socket()) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        url = "http://{}:{}".format(*deaf.getsockname())
        async with AsyncExitStack() as queue:
            for _ in range(3):
                await queue.enter_async_context(_in_queue(deaf.getsockname()))
            found = await probe(url, seconds=0.5)

    assert (found.contact, found.connect_seconds) == (Contact.CONNECT_TIMED_OUT, None)
    assert "TCP" in found.detail


@asynccontextmanager
async def _in_queue(address: tuple[str, int]) -> AsyncIterator[None]:
    with closing(socket.socket()) as waiting:
        waiting.settimeout(0)
        waiting.connect_ex(address)
        await asyncio.sleep(0)
        yield


async def test_each_probe_has_a_connection_of_its_own_and_leaves_none_behind() -> None:
    connections: list[tuple[str, int]] = []
    ended = asyncio.Event()

    async def keep_alive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer.get_extra_info("peername"))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"connection: close\r\n" in head
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        await reader.read()
        ended.set()

    async with listening(keep_alive) as url, NetworkProber(now=now) as prober:
        for _ in range(2):
            ended.clear()
            found = await prober.probe(a_request(url))
            await asyncio.wait_for(ended.wait(), PATIENCE_SECONDS)
            assert found.contact is Contact.ANSWERED

    assert len(set(connections)) == 2


async def test_no_cookie_is_kept_and_none_is_told() -> None:
    asked: list[Asked] = []
    setting = always(headers={"Set-Cookie": "session=1"})
    async with scripted(setting, asked) as url, NetworkProber(now=now) as prober:
        first = await prober.probe(a_request(url))
        await prober.probe(a_request(url))

    assert "set-cookie" not in first.headers
    assert "cookie" not in asked[1].headers


async def test_no_proxy_of_the_environment_sees_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    proxied: list[Asked] = []
    async with scripted(always(status=502), proxied) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        async with listening(saying(http("Healthy"))) as url:
            found = await probe(url)

    assert (found.status, proxied) == (200, [])


async def test_how_a_request_is_framed_is_not_the_callers_to_say() -> None:
    asked: list[Asked] = []
    headers = {"Host": "other.example", "Content-Length": "7", "Connection": "keep-alive"}

    async with scripted(always(), asked) as url, NetworkProber(now=now) as prober:
        await prober.probe(a_request(url, headers=headers))

    assert asked[0].headers["host"] == url.removeprefix("http://")
    assert asked[0].headers["connection"] == "close"
    assert "content-length" not in asked[0].headers


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1:1/", {"Authorization": f"{SECRET}\nX-Other: 1"}),
        ("http://127.0.0.1:1/", {"Authorization": f"{SECRET}\u20ac"}),
        (f"ftp://127.0.0.1/{SECRET}", {}),
        (f"http://127.0.0.1:99999/{SECRET}", {}),
        (f"http:///{SECRET}", {}),
        (f"http://127.0.0.1:1/\u20ac{SECRET}", {}),
    ],
)
async def test_what_cannot_be_sent_is_told_without_its_secret(
    url: str, headers: Mapping[str, str]
) -> None:
    async with NetworkProber(now=now) as prober:
        found = await prober.probe(a_request(url, headers=headers))

    assert (found.contact, found.connect_seconds) == (Contact.MALFORMED, None)
    assert found.detail.startswith("nothing was sent")
    assert SECRET not in repr(found)


async def test_a_cancelled_probe_leaves_no_connection_behind() -> None:
    connected, ended = asyncio.Event(), asyncio.Event()

    async def wait_for_end(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        ended.set()

    async with listening(wait_for_end) as url:
        task = asyncio.create_task(probe(url))
        await asyncio.wait_for(connected.wait(), PATIENCE_SECONDS)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await asyncio.wait_for(ended.wait(), PATIENCE_SECONDS)


async def test_no_more_connections_are_open_than_allowed_and_waiting_costs_no_time() -> None:
    open_now, most = 0, 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        await reader.readuntil(b"\r\n\r\n")
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.2)
        open_now -= 1
        writer.write(http("ok"))
        await writer.drain()

    async with listening(slow) as url, NetworkProber(now=now, connections=2) as prober:
        found = await asyncio.gather(*(prober.probe(a_request(url, seconds=10)) for _ in range(6)))

    assert {each.contact for each in found} == {Contact.ANSWERED}
    assert most == 2


@pytest.mark.parametrize(
    ("soft", "sockets"),
    [(1_024, 900), (20_000, 4_000), (resource.RLIM_INFINITY, 4_000), (64, 1)],
)
def test_as_many_sockets_are_used_as_the_process_may_open(
    monkeypatch: pytest.MonkeyPatch, soft: int, sockets: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))

    assert sockets_at_once() == sockets


async def test_a_name_that_hangs_holds_up_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    release = _slow_names(monkeypatch, looked_up)
    async with listening(saying(http("Healthy"))) as url, NetworkProber(now=now) as prober:
        stuck = [
            asyncio.create_task(prober.probe(a_request("http://slow.example/", seconds=0.5)))
            for _ in range(100)
        ]
        found = await prober.probe(a_request(url))
        hung = await asyncio.gather(*stuck)
        release.set()

    assert found.contact is Contact.ANSWERED
    assert {each.contact for each in hung} == {Contact.UNRESOLVED}
    assert looked_up == ["slow.example"]


def _slow_names(monkeypatch: pytest.MonkeyPatch, looked_up: list[str]) -> threading.Event:
    """Let names of example hang in the resolver until the event is set."""
    released, real = threading.Event(), socket.getaddrinfo

    def getaddrinfo(host: str, *arguments: object, **named: object) -> object:
        if host.endswith(".example"):
            looked_up.append(host)
            released.wait(PATIENCE_SECONDS)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *arguments, **named)  # type: ignore[arg-type]  # as it was asked

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return released


@pytest.mark.parametrize(
    ("error", "stage", "contact"),
    [
        (socket.gaierror(-2, "Name or service not known"), Stage.RESOLVING, Contact.UNRESOLVED),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), Stage.CONNECTING, "unreachable"),
        (OSError("Multiple exceptions: a, b"), Stage.CONNECTING, Contact.UNREACHABLE),
        (OSError(errno.ECONNREFUSED, "refused"), Stage.CONNECTING, Contact.REFUSED),
        (OSError(errno.ETIMEDOUT, "timed out"), Stage.CONNECTING, Contact.CONNECT_TIMED_OUT),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Stage.SECURING, Contact.TLS_FAILED),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Stage.ANSWERING, Contact.CUT),
        (ssl.SSLEOFError(8, "EOF occurred"), Stage.SECURING, Contact.TLS_FAILED),
        (ssl.SSLEOFError(8, "EOF occurred"), Stage.ANSWERING, Contact.CUT),
        (ssl.SSLError(1, "certificate required"), Stage.ANSWERING, Contact.TLS_FAILED),
    ],
)
def test_each_failure_has_its_word_and_a_sentence(
    error: OSError, stage: Stage, contact: Contact
) -> None:
    word, sentence = explain(error, stage, 10)

    assert word == contact
    assert sentence


def test_our_own_shortage_is_not_blamed_on_the_service() -> None:
    _, sentence = explain(OSError(errno.EMFILE, os.strerror(errno.EMFILE)), Stage.CONNECTING, 10)

    assert "this app's own worker: Too many open files" in sentence
