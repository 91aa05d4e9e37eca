"""Addresses that are written as few write them: a probe comes as far as with any other."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import trustme

from shared.clients.probe_names import THREADS
from shared.clients.prober import NetworkProber
from shared.scoring.probe import Contact, Probe, ProbeRequest
from tests.support.odd_server import http
from tests.support.tcp_services import listening

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NAME = "weights.example.org"


async def healthy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(http("Healthy"))
    await writer.drain()


def a_request(url: str, *, seconds: float = 20.0) -> ProbeRequest:
    return ProbeRequest(method="GET", url=url, timeout_seconds=seconds, max_bytes=1_000)


async def probe(url: str) -> Probe:
    async with NetworkProber(now=lambda: datetime.now(UTC)) as prober:
        return await prober.probe(a_request(url))


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


async def test_names_that_hang_in_every_thread_are_not_held_against_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = _names_hang_but_one(monkeypatch)
    async with listening(healthy) as url, NetworkProber(now=lambda: datetime.now(UTC)) as prober:
        hanging = [
            asyncio.create_task(prober.probe(a_request(f"http://n{number}.example/", seconds=0.3)))
            for number in range(THREADS)
        ]
        await asyncio.sleep(0)
        other = asyncio.create_task(
            prober.probe(a_request(url.replace("127.0.0.1", NAME), seconds=0.6))
        )
        hung = await asyncio.gather(*hanging)
        # Longer than the other would wait, if this were its time.
        await asyncio.wait([other], timeout=1)
        released.set()
        found = await other

    assert {each.contact for each in hung} == {Contact.UNRESOLVED}
    assert found.contact is Contact.ANSWERED


def _names_hang_but_one(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    released = threading.Event()

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        if host != NAME:
            released.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return released


def _all_names_lead_here(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        tcp = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*tcp, (address, port)) for address in addresses or ("127.0.0.1",)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked
