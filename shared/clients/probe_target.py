"""Where a probe goes, and the bytes it sends: one HTTP/1.1 request on a connection of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, urlsplit

from shared.scoring.probe import ProbeRequest

USER_AGENT = "aml-r-ops"
PORTS = {"http": 80, "https": 443}
# How a request is framed is not the caller's to say. Encodings are refused: a body is then never
# larger than what was read. Kept open, a connection to plumber makes each request slower.
OURS = frozenset(
    {"host", "connection", "accept-encoding", "content-length", "transfer-encoding", "expect"}
)
# RFC 9112, 3.2 and RFC 9110, 5.1 and 5.5: with no line end in it, nothing can follow it unasked.
_TARGET = re.compile(r"/[\x21-\x7e]*")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?|")


class UnsendableError(Exception):
    """A request that cannot be written down. Says which part of it, never what it holds."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An address, and the request for it. Its bytes may hold a key."""

    host: str
    port: int
    tls: bool
    sent: bytes = field(repr=False)

    @classmethod
    def of(cls, request: ProbeRequest) -> Self:
        """Write a request down. Raises UnsendableError."""
        parts, port = _split(request.url)
        return cls(
            host=parts.hostname or "",
            port=port,
            tls=parts.scheme == "https",
            sent=_write(request, parts),
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


def _write(request: ProbeRequest, parts: SplitResult) -> bytes:
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    if not _TARGET.fullmatch(target):
        raise UnsendableError("its path or query is not valid HTTP")
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in _headers(request, parts).items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + request.body


def _headers(request: ProbeRequest, parts: SplitResult) -> Mapping[str, str]:
    given = {name.lower(): value for name, value in request.headers.items()}
    foreign = {
        "host": parts.netloc.rpartition("@")[2],
        **{name: value for name, value in given.items() if name not in OURS},
    }
    # The one that is refused is not quoted: it may be the key.
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(foreign[name]) for name in foreign):
        raise UnsendableError("one of its headers is not valid HTTP")
    length = {"content-length": str(len(request.body))}
    return {
        "user-agent": USER_AGENT,
        "accept": "*/*",
        **foreign,
        "accept-encoding": "identity",
        "connection": "close",
        **(length if request.body or request.method == "POST" else {}),
    }
