"""Where a probe goes, and the bytes it sends: one HTTP/1.1 request on a connection of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, urlsplit

import h11

from shared.scoring.probe import ProbeRequest

USER_AGENT = "aml-r-ops"
PORTS = {"http": 80, "https": 443}
# How a request is framed is not the caller's to say. Encodings are refused: a body is then never
# larger than what was read. Kept open, a connection to plumber costs 48 ms for each request.
OURS = frozenset(
    {"host", "connection", "accept-encoding", "content-length", "transfer-encoding", "expect"}
)


class UnsendableError(Exception):
    """A request that cannot be written down. Says which part of it, never what it holds."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An address, and the request for it. Its bytes may hold a key."""

    host: str
    port: int
    tls: bool
    sent: bytes = field(repr=False)
    connection: h11.Connection = field(repr=False)

    @classmethod
    def of(cls, request: ProbeRequest, *, max_head_bytes: int) -> Self:
        """Write a request down. Raises UnsendableError."""
        parts, port = _split(request.url)
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=max_head_bytes)
        try:
            sent = _write(connection, request, parts)
        except (h11.LocalProtocolError, UnicodeError) as error:
            # h11 quotes the header that it refuses, and the header may be the key.
            raise UnsendableError("its path or one of its headers is not valid HTTP") from error
        return cls(
            host=parts.hostname or "",
            port=port,
            tls=parts.scheme == "https",
            sent=sent,
            connection=connection,
        )


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise UnsendableError("its URL is not one of http or https") from error
    if not parts.hostname:
        raise UnsendableError("its URL names no host")
    return parts, port


def _write(connection: h11.Connection, request: ProbeRequest, parts: SplitResult) -> bytes:
    path = parts.path or "/"
    head = h11.Request(
        method=request.method,
        target=f"{path}?{parts.query}" if parts.query else path,
        headers=_headers(request, parts),
    )
    events = [head, *([h11.Data(data=request.body)] if request.body else []), h11.EndOfMessage()]
    return b"".join(connection.send(event) or b"" for event in events)


def _headers(request: ProbeRequest, parts: SplitResult) -> list[tuple[str, str]]:
    given = {name.lower(): value for name, value in request.headers.items()}
    headers = {
        "host": parts.netloc.rpartition("@")[2],
        "user-agent": USER_AGENT,
        "accept": "*/*",
        "accept-encoding": "identity",
        **{name: value for name, value in given.items() if name not in OURS},
        "connection": "close",
    }
    if request.body or request.method == "POST":
        headers["content-length"] = str(len(request.body))
    return list(headers.items())
