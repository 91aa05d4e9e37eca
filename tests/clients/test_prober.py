"""What only real sockets and real TLS can show of a probe."""

import asyncio
import errno
import os
import resource
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from shared.clients.open_files import sockets_at_once
from shared.clients.probe_failure import Stage, explain
from shared.clients.prober import NetworkProber
from shared.scoring.probe import Contact, Probe, ProbeRequest
from tests.support.odd_server import http
from tests.support.scripted import Asked, always
from tests.support.tcp_services import Serve, listening, scripted

PATIENCE_SECONDS = 20.0
SECRET = "canary-key"


def now() -> datetime:
    return datetime.now(UTC)


async def probe(url: str, *, seconds: float = PATIENCE_SECONDS, max_bytes: int = 1_000) -> Probe:
    async with NetworkProber(now=now) as prober:
        return await prober.probe(a_request(url, seconds=seconds, max_bytes=max_bytes))


def a_request(
    url: str,
    *,
    seconds: float = PATIENCE_SECONDS,
    max_bytes: int = 1_000,
    headers: Mapping[str, str] | None = None,
) -> ProbeRequest:
    return ProbeRequest(
        method="GET",
        url=url,
        headers=headers or {},
        timeout_seconds=seconds,
        max_bytes=max_bytes,
    )


def saying(*parts: bytes, then_hang: bool = False) -> Serve:
    """Read the request, say these bytes one after the other, and close, or hang."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        if then_hang:
            await asyncio.Event().wait()

    return serve


async def hang(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that the whole process trusts, as OpenSSL's variable says."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


def tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def test_tls_tells_when_the_certificate_ends(authority: trustme.CA) -> None:
    ends = (now() + timedelta(days=30)).replace(microsecond=0)
    certificate = authority.issue_cert("127.0.0.1", not_after=ends)

    async with listening(saying(http("Healthy")), tls=tls(certificate)) as url:
        found = await probe(url)

    assert (found.contact, found.status, found.body) == (Contact.ANSWERED, 200, b"Healthy")
    assert found.certificate_ends == ends


async def test_plain_http_has_no_certificate() -> None:
    async with listening(saying(http("Healthy"))) as url:
        found = await probe(url)

    assert (found.contact, found.certificate_ends) == (Contact.ANSWERED, None)


async def test_an_expired_certificate_is_told_as_such(authority: trustme.CA) -> None:
    yesterday = now() - timedelta(days=1)
    certificate = authority.issue_cert("127.0.0.1", not_after=yesterday)

    async with listening(saying(http("Healthy")), tls=tls(certificate)) as url:
        found = await probe(url)

    assert found.contact is Contact.CERTIFICATE_INVALID
    assert "expired" in found.detail
    assert found.connect_seconds is not None


async def test_the_certificate_of_another_host_is_refused(authority: trustme.CA) -> None:
    certificate = authority.issue_cert("other.example")

    async with listening(saying(http("Healthy")), tls=tls(certificate)) as url:
        found = await probe(url)

    assert found.contact is Contact.CERTIFICATE_INVALID
    assert "mismatch" in found.detail


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: trustme.CA) -> None:
    del authority
    stranger = trustme.CA().issue_cert("127.0.0.1")

    async with listening(saying(http("Healthy")), tls=tls(stranger)) as url:
        found = await probe(url)

    assert found.contact is Contact.CERTIFICATE_INVALID
    assert "issuer" in found.detail


async def test_tls_where_plain_http_is_spoken_fails_as_tls() -> None:
    async with listening(saying(http("Healthy"))) as url:
        found = await probe(url.replace("http:", "https:"), seconds=0.5)

    # The server waits for the end of a line that a handshake may not have.
    assert found.contact in {Contact.TLS_FAILED, Contact.TIMED_OUT}
    assert found.connect_seconds is not None


async def test_bytes_that_are_no_tls_fail_as_tls() -> None:
    async def garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with listening(garbage) as url:
        found = await probe(url.replace("http:", "https:"))

    assert found.contact is Contact.TLS_FAILED
    assert "wrong version number" in found.detail


async def test_a_handshake_that_is_cut_fails_as_tls() -> None:
    async def cut(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with listening(cut) as url:
        found = await probe(url.replace("http:", "https:"))

    assert found.contact is Contact.TLS_FAILED
    assert "TLS handshake" in found.detail


async def test_a_handshake_that_hangs_was_connected_and_timed_out() -> None:
    async with listening(hang) as url:
        found = await probe(url.replace("http:", "https:"), seconds=0.3)

    assert found.contact is Contact.TIMED_OUT
    assert found.connect_seconds is not None
    assert "TLS handshake" in found.detail


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


async def test_a_body_that_drips_does_not_outlive_the_deadline() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with listening(drip) as url:
        found = await probe(url, seconds=0.5)

    assert (found.contact, found.status) == (Contact.TIMED_OUT, 200)
    assert set(found.body) == set(b"x")


async def test_an_endless_body_is_read_no_further_than_the_cap() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            await writer.drain()

    async with listening(flood) as url:
        found = await probe(url, max_bytes=5_000)

    assert found.contact is Contact.TOO_LARGE
    assert len(found.body) == 5_000
    assert "5000 bytes" in found.detail


async def test_chunks_are_joined() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    async with listening(saying(chunked, b"2\r\nab\r\n", b"1\r\nc\r\n0\r\n\r\n")) as url:
        found = await probe(url)

    assert (found.contact, found.body) == (Contact.ANSWERED, b"abc")


async def test_an_answer_without_length_ends_with_its_connection() -> None:
    async with listening(saying(b"HTTP/1.0 200 OK\r\n\r\n", b"Healthy")) as url:
        found = await probe(url)

    assert (found.contact, found.body) == (Contact.ANSWERED, b"Healthy")


async def test_interim_answers_are_passed_over() -> None:
    async with listening(saying(b"HTTP/1.1 100 Continue\r\n\r\n", http("ok", status=201))) as url:
        found = await probe(url)

    assert (found.contact, found.status) == (Contact.ANSWERED, 201)


@pytest.mark.parametrize(
    "bytes_said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-",
    ],
    ids=["body", "chunk", "headers"],
)
async def test_an_answer_that_ends_early_is_cut(bytes_said: bytes) -> None:
    async with listening(saying(bytes_said)) as url:
        found = await probe(url)

    assert found.contact is Contact.CUT
    assert "closed" in found.detail


async def test_a_reset_in_mid_answer_is_a_cut() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        await writer.drain()
        linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async with listening(reset) as url:
        found = await probe(url)

    assert found.contact is Contact.CUT


@pytest.mark.parametrize(
    "bytes_said",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_not_http_is_malformed_and_not_waited_for(bytes_said: bytes) -> None:
    async with listening(saying(bytes_said, then_hang=True)) as url:
        found = await probe(url)

    assert found.contact is Contact.MALFORMED
    assert found.detail


async def test_headers_without_end_are_too_large() -> None:
    lines = b"X-A: " + b"a" * 1_000 + b"\r\n"

    async with listening(saying(b"HTTP/1.1 200 OK\r\n", lines * 100, then_hang=True)) as url:
        found = await probe(url)

    assert found.contact is Contact.TOO_LARGE
    assert "headers" in found.detail


@pytest.mark.parametrize(
    ("beginning", "again"),
    [
        (b"2\r\n{}\r\n0\r\n", b"x: " + b"a" * 1_000 + b"\r\n"),
        (b"2;", b"a" * 1_000),
        (b"", b"1;" + b"a" * 1_000 + b"\r\n1\r\n"),
    ],
    ids=["trailers", "one extension of a chunk", "extensions of small chunks"],
)
async def test_what_is_neither_head_nor_body_is_read_no_further_than_the_cap(
    beginning: bytes, again: bytes
) -> None:
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + beginning)
        while True:
            writer.write(again)
            await writer.drain()
            sent += len(again)

    async with listening(serve) as url:
        found = await probe(url, max_bytes=100_000)

    assert found.contact is Contact.TOO_LARGE
    # What the kernel holds on the way is sent, too.
    assert sent < 20_000_000


async def test_a_probe_asks_for_no_encoding_and_leaves_what_comes_as_it_is() -> None:
    asked: list[Asked] = []

    async with scripted(
        always(body=b"\x1f\x8b bomb", headers={"Content-Encoding": "gzip"}), asked
    ) as url:
        found = await probe(url)

    assert asked[0].headers["accept-encoding"] == "identity"
    assert found.body == b"\x1f\x8b bomb"


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
