"""A prober without a network: scripted services by origin. Passes the suite of the real one."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from shared.scoring.probe import Contact, Probe, ProbeRequest
from tests.support.scripted import Asked, Behaviour, Scripted

HANGS = frozenset({Contact.TIMED_OUT, Contact.CONNECT_TIMED_OUT})
WITHOUT_TCP = frozenset(
    {Contact.UNRESOLVED, Contact.REFUSED, Contact.UNREACHABLE, Contact.CONNECT_TIMED_OUT}
)
WITH_AN_ANSWER = frozenset({Contact.ANSWERED, Contact.TOO_LARGE})


@dataclass(kw_only=True)
class FakeProber:
    """`services` by origin (`http://one.test`); an origin that is not there has no name.

    `asked` has each request by origin; `at_once` the most that were in flight at an origin.
    """

    now: Callable[[], datetime]
    services: dict[str, Behaviour] = field(default_factory=dict)
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    at_once: Counter[str] = field(default_factory=Counter)
    _in_flight: Counter[str] = field(default_factory=Counter)

    async def probe(self, request: ProbeRequest) -> Probe:
        """Do what the service's script says, on the clock of the loop."""
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        at, started = self.now(), asyncio.get_running_loop().time()
        script = self._script(origin, request, started)
        self._in_flight[origin] += 1
        self.at_once[origin] = max(self.at_once[origin], self._in_flight[origin])
        try:
            contact = await _wait(script, request)
        finally:
            self._in_flight[origin] -= 1
        return _probe(script, request, contact, at, asyncio.get_running_loop().time() - started)

    def _script(self, origin: str, request: ProbeRequest, at: float) -> Scripted:
        if origin not in self.services:
            return Scripted(contact=Contact.UNRESOLVED)
        parts = urlsplit(request.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(
            method=request.method, target=target, headers=headers, body=request.body, at=at
        )
        self.asked.setdefault(origin, []).append(asked)
        return self.services[origin](asked)


async def _wait(script: Scripted, request: ProbeRequest) -> Contact:
    if script.contact in HANGS or script.seconds >= request.timeout_seconds:
        await asyncio.sleep(request.timeout_seconds)
        return script.contact if script.contact in HANGS else Contact.TIMED_OUT
    await asyncio.sleep(script.seconds)
    too_large = script.contact is Contact.ANSWERED and len(script.body) > request.max_bytes
    return Contact.TOO_LARGE if too_large else script.contact


def _probe(
    script: Scripted, request: ProbeRequest, contact: Contact, at: datetime, seconds: float
) -> Probe:
    answered = contact in WITH_AN_ANSWER
    return Probe(
        contact=contact,
        at=at,
        seconds=seconds,
        connect_seconds=None if contact in WITHOUT_TCP else 0.0,
        status=script.status if answered else None,
        headers={name.lower(): value for name, value in script.headers.items()} if answered else {},
        body=script.body[: request.max_bytes] if answered else b"",
        certificate_ends=script.certificate_ends,
        detail="" if contact is Contact.ANSWERED else f"scripted: {contact.value}",
    )
