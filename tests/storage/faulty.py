"""Storage that fails on demand: stands before an Azurite, or before nothing, on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from local_host.azurite.process import Azurite
from shared.clients.storage import StorageAccount
from tests.support.odd_server import http


class Effect(Enum):
    """What happens to a request instead of an answer."""

    FORWARD = "forwarded"
    LOSE_ANSWER = "forwarded, and the connection is cut before the answer"
    CUT = "the connection is cut"
    HANG = "nothing, ever"


Fate = Effect | bytes
BUSY = http('{"odata.error": {"code": "ServerBusy"}}', status=503, x_ms_error_code="ServerBusy")


@dataclass
class FaultyStorage:
    """`fates` are the next requests' effects, or raw answers; the last one is for all that follow."""

    upstream: str
    fates: list[Fate] = field(default_factory=lambda: [Effect.FORWARD])
    url: str = ""
    requests: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def next_fate(self) -> Fate:
        return self.fates.pop(0) if len(self.fates) > 1 else self.fates[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            self.requests.append(request.split(b"\r\n", 1)[0].decode())
            await self._answer(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            # The client gave up, as it should.
            return
        finally:
            writer.close()

    async def _answer(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        fate = self.next_fate()
        if fate is Effect.HANG:
            await self.ended.wait()
        if isinstance(fate, bytes):
            writer.write(fate)
        if fate in (Effect.FORWARD, Effect.LOSE_ANSWER):
            answer = await self._forward(request)
            writer.write(answer if fate is Effect.FORWARD else b"")
        await writer.drain()

    async def _forward(self, request: bytes) -> bytes:
        parts = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if line]
    headers = dict(line.lower().split(b": ", 1) for line in lines[1:])
    body = await reader.readexactly(int(headers.get(b"content-length", 0)))
    # One request a connection, so that a cut one is cut for this request alone.
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close", b"", body])


@asynccontextmanager
async def faulty(
    upstream: str = "http://127.0.0.1:1/devstoreaccount1",
) -> AsyncIterator[FaultyStorage]:
    """Run a storage that stands before the endpoint `upstream` of one service."""
    storage = FaultyStorage(upstream)
    server = await asyncio.start_server(storage.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    storage.url = f"http://{host}:{port}{urlsplit(upstream).path}"
    try:
        yield storage
    finally:
        storage.ended.set()
        server.close()


def before_tables(azurite: Azurite, storage: FaultyStorage) -> StorageAccount:
    """Return the Azurite's account, its tables reached through a faulty storage."""
    text = azurite.connection_string.replace(azurite.table_endpoint, storage.url)
    return StorageAccount(connection_string=text)
