"""Which way requests to Resource Manager take: the environment's proxy, and no .netrc."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.errors import AzureRequestError
from tests.support.arm_session import ArmSession, within


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


async def test_requests_go_through_the_proxy_of_the_environment(
    session: ArmSession, proxy: list[str]
) -> None:
    async with session.open(token="any", endpoint="https://arm.example") as arm:
        with pytest.raises(AzureRequestError):
            await arm.get("/subscriptions", deadline=within(1))

    assert proxy[0] == "CONNECT arm.example:443 HTTP/1.1"


async def test_a_host_that_needs_no_proxy_is_asked_directly(
    session: ArmSession, proxy: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    async with session.open() as arm:
        found = await arm.list("/subscriptions", deadline=within(10))

    assert found
    assert proxy == []


async def test_a_netrc_of_the_machine_does_not_meddle_with_our_token(
    session: ArmSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password nobody-uses-this\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))

    async with session.open() as arm:
        found = await arm.list("/subscriptions", deadline=within(10))

    assert found
