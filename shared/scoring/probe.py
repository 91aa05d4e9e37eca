"""One request to a scoring service, and how far it came: the port of the checks to the network.

`shared.clients.prober` provides it; `tests/support` has a fake that passes the same suite. A probe
never raises: not getting an answer is what it found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Contact(StrEnum):
    """How far a probe came. TIMED_OUT: connected, and no whole answer in time."""

    ANSWERED = "answered"
    UNRESOLVED = "unresolved"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMED_OUT = "connect_timed_out"
    TLS_FAILED = "tls_failed"
    CERTIFICATE_INVALID = "certificate_invalid"
    TIMED_OUT = "timed_out"
    CUT = "cut"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, kw_only=True)
class ProbeRequest:
    """One request. Headers may hold a key and are kept out of every text.

    `timeout_seconds` bounds all of it, from resolving the name to the last byte.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""
    timeout_seconds: float
    max_bytes: int


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a request found.

    `at` is when it began, `seconds` how long it took, `connect_seconds` until TCP stood (None: it
    never did). `status`, `headers` (lower-case names) and `body` (at most `max_bytes`) are the
    answer's. A redirect is an answer: it is not followed. `certificate_ends` is the server
    certificate's notAfter. `detail` says in words why there is no answer.
    """

    contact: Contact
    at: datetime
    seconds: float
    connect_seconds: float | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    certificate_ends: datetime | None = None
    detail: str = ""


class Prober(Protocol):
    """Sends one request on a connection of its own."""

    async def probe(self, request: ProbeRequest) -> Probe:
        """Send it, within its timeout, without following redirects. Never raises."""
