"""Which way requests to the storage account take: the environment's proxy, and no .netrc."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from local_host.azurite.process import ACCOUNT_KEY
from shared.clients.share_queue import ShareQueueClient
from shared.clients.stop_claims import StopClaimsClient
from shared.clients.storage import StorageAccount
from shared.errors import StorageUnavailableError
from tests.support.builders import LONG_AGO, NIGHT

ELSEWHERE = StorageAccount(
    connection_string=f"DefaultEndpointsProtocol=https;AccountName=ops;AccountKey={ACCOUNT_KEY};"
    "EndpointSuffix=storage.example",
    call_seconds=3,
)


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """A proxy that lets nobody through; the first lines of what it was asked."""
    asked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode().strip())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    async with server:
        yield asked


async def claim(account: StorageAccount, table: str, life: datetime = LONG_AGO) -> bool:
    async with StopClaimsClient(account, table=table) as claims:
        return (await claims.claim("ci", life, run_id="run", now=NIGHT)).granted


async def test_tables_are_asked_through_the_proxy_of_the_environment(
    proxy: list[str], table: str
) -> None:
    with pytest.raises(StorageUnavailableError):
        await claim(ELSEWHERE, table)

    assert proxy[0] == "CONNECT ops.table.storage.example:443 HTTP/1.1"


async def test_the_queue_is_asked_through_the_proxy_of_the_environment(
    proxy: list[str], queue: str
) -> None:
    async with ShareQueueClient(ELSEWHERE, queue=queue) as shares:
        with pytest.raises(StorageUnavailableError):
            await shares.send("run", "share")

    assert proxy[0] == "CONNECT ops.queue.storage.example:443 HTTP/1.1"


async def test_without_a_proxy_a_netrc_of_the_machine_does_not_meddle_with_the_signature(
    account: StorageAccount, table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password nobody-uses-this\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))

    assert await claim(account, table)
