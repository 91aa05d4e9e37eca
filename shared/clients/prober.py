"""Probe scoring services over the network: one request, one connection, one deadline for all of it.

Connections are made by hand, not by a client session, because a probe has to tell how far it came:
a name that is unknown, a port where nobody listens, a handshake that hangs and R that does not
answer are different news. No redirect is followed, no proxy asked, no cookie kept.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Self

import aiohappyeyeballs

from shared.clients.open_files import sockets_at_once
from shared.clients.probe_failure import Stage, explain
from shared.clients.probe_names import Addresses, Names
from shared.clients.probe_reading import Answer, Reading
from shared.clients.probe_target import Target, UnsendableError
from shared.scoring.probe import Contact, Probe, ProbeRequest

# RFC 8305, 5: when the next address of a host is tried beside the first.
NEXT_ADDRESS_SECONDS = 0.25


class NetworkProber:
    """`shared.scoring.probe.Prober` over sockets. Verifies against the system's authorities.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` replace these, as OpenSSL documents. At most `connections`
    are open at once, by default as many as the process may have; waiting for one's turn is no part
    of a probe's time.
    """

    def __init__(self, *, now: Callable[[], datetime], connections: int | None = None) -> None:
        self._now = now
        self._places = asyncio.Semaphore(connections or sockets_at_once())
        self._names = Names()
        self._trust = _trusted()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._names.close()

    async def probe(self, request: ProbeRequest) -> Probe:
        """Send a request and say how far it came. Never raises, unless it is cancelled."""
        async with self._places:
            try:
                target = Target.of(request)
            except UnsendableError as error:
                unsent = _Attempt(request=request, at=self._now())
                return unsent.probe(Contact.MALFORMED, f"nothing was sent: {error}")
            # Others' names may hang in every thread there is: that is no part of its time.
            found = await self._names.begin(target.host, target.port)
            return await self._probe(request, target, found)

    async def _probe(
        self, request: ProbeRequest, target: Target, found: asyncio.Future[Addresses]
    ) -> Probe:
        attempt = _Attempt(request=request, at=self._now())
        try:
            async with asyncio.timeout(request.timeout_seconds):
                contact, detail = await self._run(attempt, target, found)
        except (OSError, UnicodeError) as error:
            contact, detail = explain(error, attempt.stage, request.timeout_seconds)
        return attempt.probe(contact, detail)

    async def _run(
        self, attempt: _Attempt, target: Target, found: asyncio.Future[Addresses]
    ) -> tuple[Contact, str]:
        # Who gives up must not take the answer from those who still wait for it.
        addresses = await asyncio.shield(found)
        attempt.stage = Stage.CONNECTING
        connected = await aiohappyeyeballs.start_connection(
            addresses, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS
        )
        attempt.connected()
        transport, reading = await self._open(connected, target, attempt)
        try:
            transport.write(target.sent)
            return await reading.ended
        finally:
            # A polite end of TLS may wait for half a minute for the other side.
            transport.abort()

    async def _open(
        self, connected: socket.socket, target: Target, attempt: _Attempt
    ) -> tuple[asyncio.Transport, Reading]:
        open_connection = asyncio.get_running_loop().create_connection
        new_reading = partial(Reading, attempt.answer)
        if not target.tls:
            attempt.stage = Stage.ANSWERING
            return await open_connection(new_reading, sock=connected)
        transport, reading = await open_connection(
            new_reading,
            sock=connected,
            ssl=self._trust,
            # The root's dot is for the resolver alone (RFC 6066, 3): no certificate names it.
            server_hostname=target.host.removesuffix("."),
            # Later than the deadline of the probe, so that this one is what is reported.
            ssl_handshake_timeout=attempt.request.timeout_seconds + 1,
        )
        attempt.stage = Stage.ANSWERING
        attempt.certificate_ends = _ends(transport)
        return transport, reading


@dataclass(kw_only=True)
class _Attempt:
    """A probe on its way."""

    request: ProbeRequest
    at: datetime
    started: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    stage: Stage = Stage.RESOLVING
    connect_seconds: float | None = None
    certificate_ends: datetime | None = None
    answer: Answer = field(init=False)

    def __post_init__(self) -> None:
        self.answer = Answer(max_bytes=self.request.max_bytes)

    def connected(self) -> None:
        """TCP stands."""
        self.stage = Stage.SECURING
        self.connect_seconds = self._seconds()

    def probe(self, contact: Contact, detail: str) -> Probe:
        """Say what was found, as of now."""
        return Probe(
            contact=contact,
            at=self.at,
            seconds=self._seconds(),
            connect_seconds=self.connect_seconds,
            status=self.answer.status,
            headers=self.answer.headers,
            body=bytes(self.answer.body),
            certificate_ends=self.certificate_ends,
            detail=detail,
        )

    def _seconds(self) -> float:
        return asyncio.get_running_loop().time() - self.started


def _trusted() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Python 3.13 began to refuse certificates that others accept. A service is not to look broken
    # because this app moved to another Python.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["http/1.1"])
    return context


def _ends(transport: asyncio.Transport) -> datetime | None:
    ends = (transport.get_extra_info("peercert") or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None
