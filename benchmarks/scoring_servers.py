"""Scoring services of a benchmark: `python -m benchmarks.scoring_servers FOLDER NUMBER`.

Each listens at an address of its own, 127.1.x.y, and answers as plumber would: the cheap route at once,
the golden request after a second or more. One in ten speaks TLS. One more never answers. Writes
`services.json` and `ca.pem` into FOLDER, the former last.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import trustme

from benchmarks.open_files import allow_most_files

FASTEST_SECONDS, SLOWEST_SECONDS = 1.0, 3.0
TLS_EVERY = 10
# The slowest comes amid the others, and speaks plain HTTP.
STRIDE = 7
SERVICES, CA = "services.json", "ca.pem"
ANSWER = b'{"response":[161.8533]}'

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Served:
    """One service; `seconds` until it answers its golden request, None: never."""

    name: str
    url: str
    seconds: float | None


def read_services(folder: Path) -> Sequence[Served]:
    """Return what a running program serves."""
    documents: Sequence[Mapping[str, Any]] = json.loads((folder / SERVICES).read_text("utf-8"))
    return [Served(**each) for each in documents]


async def _serve_all(folder: Path, number: int) -> None:
    hosts = [f"127.1.{place // 250}.{place % 250 + 1}" for place in range(number + 1)]
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / CA))
    served = []
    for place, host in enumerate(hosts):
        is_sealed = place % TLS_EVERY == 0 and place < number
        tls = _tls(authority, host) if is_sealed else None
        seconds = _seconds(place, number)
        server = await asyncio.start_server(_answering(seconds), host, 0, ssl=tls, backlog=64)
        port = server.sockets[0].getsockname()[1]
        url = f"{'https' if tls else 'http'}://{host}:{port}"
        served.append(Served(name=f"s{place}", url=url, seconds=seconds))
    _write(folder, served)
    await asyncio.Event().wait()


def _seconds(place: int, number: int) -> float | None:
    if place == number:
        return None
    share = (place * STRIDE) % number / max(number - 1, 1)
    return FASTEST_SECONDS + (SLOWEST_SECONDS - FASTEST_SECONDS) * share


def _tls(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def _answering(seconds: float | None) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await _think(seconds, is_golden=head.startswith(b"GET /weight"))
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(ANSWER)}\r\n\r\n".encode()
            writer.write(head + ANSWER)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # who gave up does not wait for an answer
        finally:
            writer.close()

    return serve


async def _think(seconds: float | None, *, is_golden: bool) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    elif is_golden:
        await asyncio.sleep(seconds)


def _write(folder: Path, served: Sequence[Served]) -> None:
    unfinished = folder / "services.unfinished"
    unfinished.write_text(json.dumps([asdict(each) for each in served]), "utf-8")
    unfinished.rename(folder / SERVICES)


if __name__ == "__main__":
    allow_most_files()
    asyncio.run(_serve_all(Path(sys.argv[1]), int(sys.argv[2])))
