"""Addresses that are written as few write them: a probe comes as far as with any other."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import trustme

from shared.clients.prober import NetworkProber
from shared.scoring.probe import Contact, Probe, ProbeRequest
from tests.support.odd_server import http
from tests.support.tcp_services import listening

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    import pytest

NAME = "weights.example.org"


async def healthy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(http("Healthy"))
    await writer.drain()


async def probe(url: str) -> Probe:
    async with NetworkProber(now=lambda: datetime.now(UTC)) as prober:
        return await prober.probe(
            ProbeRequest(method="GET", url=url, timeout_seconds=20, max_bytes=1_000)
        )


async def test_a_name_with_the_dot_of_the_root_has_the_certificate_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _all_names_lead_here(monkeypatch)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)

    async with listening(healthy, tls=context) as url:
        found = await probe(url.replace("127.0.0.1", f"{NAME}."))

    assert (found.contact, found.detail) == (Contact.ANSWERED, "")
    assert asked == [f"{NAME}."]


async def test_a_name_whose_addresses_all_refuse_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _all_names_lead_here(monkeypatch, "127.0.0.1", "127.0.0.2")

    found = await probe(f"http://{NAME}:1/")

    assert found.contact is Contact.REFUSED


def _all_names_lead_here(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        tcp = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*tcp, (address, port)) for address in addresses or ("127.0.0.1",)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked
