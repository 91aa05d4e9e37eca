"""What a probe reads of an answer: to its end, to the cap, or to where it breaks off."""

import asyncio
import socket

import pytest

from shared.scoring.probe import Contact
from tests.support.odd_server import http
from tests.support.probing import probe, saying
from tests.support.scripted import Asked, always
from tests.support.tcp_services import listening, scripted


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
