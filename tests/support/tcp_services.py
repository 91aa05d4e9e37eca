"""Scoring services on real sockets of loopback: scripted ones, and ones that say any bytes."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from shared.scoring.probe import Contact
from tests.support.odd_server import http
from tests.support.scripted import Asked, Behaviour, Scripted

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve each connection so, until the block is left; yields the URL, without a path."""
    tasks: set[asyncio.Task[None]] = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            # asyncio's streams take a cancelled task of theirs for an accident, and log it.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await serve(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"{'https' if tls else 'http'}://{host}:{port}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def scripted(behaviour: Behaviour, asked: list[Asked]) -> AsyncIterator[str]:
    """Do what the script says for each request, which is put down in `asked`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        asked.append(request)
        script = behaviour(request)
        await asyncio.sleep(script.seconds)
        await _act(script, writer)

    async with listening(serve) as url:
        yield url


async def _act(script: Scripted, writer: asyncio.StreamWriter) -> None:
    if script.contact is Contact.TIMED_OUT:
        await asyncio.Event().wait()
    if script.contact is Contact.MALFORMED:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    if script.contact is Contact.ANSWERED:
        writer.write(http(script.body, status=script.status, **script.headers))
    await writer.drain()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def read_request(reader: asyncio.StreamReader) -> Asked:
    head = (await read_head(reader)).decode().removesuffix("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    at = asyncio.get_running_loop().time()
    return Asked(method=method, target=target, headers=headers, body=body, at=at)


def closed_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
