"""Probes of servers that say what a test tells them to."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from shared.clients.prober import NetworkProber
from shared.scoring.probe import Probe, ProbeRequest
from tests.support.tcp_services import Serve

PATIENCE_SECONDS = 20.0


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
