"""A TLS server that answers with any bytes: for what no well-behaved server would say."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trustme

Respond = Callable[[str], bytes]


@dataclass
class OddServer:
    """Its address, what makes aiohttp trust it, and the targets that were asked for."""

    respond: Respond
    url: str = ""
    trusting: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    targets: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        target = head.split(b" ", 2)[1].decode()
        self.targets.append(target)
        writer.write(self.respond(target))
        await writer.drain()
        writer.close()


def http(body: str | bytes, *, status: int = 200, **headers: str) -> bytes:
    """A response with these headers (`_` is written `-`); the connection closes after it."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Odd", *lines, f"Content-Length: {len(content)}"])
    return f"{head}\r\nConnection: close\r\n\r\n".encode() + content


@asynccontextmanager
async def odd_server(respond: Respond) -> AsyncIterator[OddServer]:
    authority = trustme.CA()
    server = OddServer(respond)
    authority.configure_trust(server.trusting)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context) as listening:
        server.url = "https://{}:{}".format(*listening.sockets[0].getsockname())
        yield server
