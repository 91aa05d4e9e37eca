"""Addresses of scoring services: which are taken, and which may be sent a key."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

# What HTTP itself writes (RFC 9110, RFC 9112): a key there would break the request.
_FRAMING = frozenset({"connection", "content-length", "content-type", "host", "transfer-encoding"})
_DOTS = frozenset({".", ".."})
_PORTS = {"http": 80, "https": 443}
_LABELS = re.compile(r"(?!-)[a-z0-9_-]+(?<!-)(\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
# Resolvers take 2852039166, 0xa9fea9fe and 169.254.43518 for IPv4 addresses (inet_aton).
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)

Origin = tuple[str, str, int]


def check_base_url(url: str) -> str:
    """Return a service's base URL without a slash at its end.

    Raises ValueError for what could reach elsewhere than it says, or carries a secret.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in _PORTS:
        raise ValueError("must begin with https:// or http://")
    if "@" in parts.netloc:
        raise ValueError("holds a user or a password: name a Key Vault secret in `credential`")
    if "?" in url or "#" in url:
        raise ValueError("ends before the query: what is asked stands in `checks`")
    if port == 0:
        raise ValueError("has port 0")
    _check_host(host)
    if parts.path:
        check_path(parts.path)
    return url.rstrip("/")


def check_path(path: str) -> str:
    """Return a path below a base URL. Raises ValueError for one that leads out of it."""
    plain = unquote(unquote(path))
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("must begin with one slash")
    if "\\" in plain or any(
        character.isspace() or not character.isprintable() for character in plain
    ):
        raise ValueError("holds a space, a backslash or a control character")
    if _DOTS & set(plain.split("/")):
        raise ValueError("must not go up with `.` or `..`")
    return path


def check_header(name: str) -> str:
    """Return the name of a header that may hold a key. Raises ValueError for HTTP's own."""
    if name.lower() in _FRAMING:
        raise ValueError("is a header that HTTP itself needs")
    return name


# A round asks for the origin of each request, and asks the same ones every time.
@lru_cache(maxsize=16_384)
def origin_of(url: str) -> Origin:
    """Return scheme, host and port: who gets what is sent to this URL."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _PORTS[parts.scheme]


def is_sealed(url: str) -> bool:
    """Whether nobody on the way can read what is sent: TLS, or this very machine."""
    scheme, host, _ = origin_of(url)
    return scheme == "https" or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check_host(host: str) -> None:
    try:
        address = ip_address(host)
    except ValueError:
        _check_name(host)
        return
    address = getattr(address, "ipv4_mapped", None) or address
    # 169.254.169.254 hands out the machine's own identity.
    if address.is_link_local or address.is_unspecified or address.is_multicast:
        raise ValueError("is no address of a service: link-local, unspecified or multicast")


def _check_name(host: str) -> None:
    if not _LABELS.fullmatch(host):
        raise ValueError("has no host, or one that is none")
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise ValueError("ends in a number: write an IPv4 address as four decimal ones")
