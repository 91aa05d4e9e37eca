"""Resolve the names of probed hosts, so that one that hangs holds up nobody else.

The event loop's own threads are few, and a name server that does not answer keeps each for many
seconds. Here are more of them, and those who ask for one name share the answer.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

Addresses: TypeAlias = list[tuple[Any, ...]]

THREADS = 32


class Names:
    """Lookups in threads of their own; nothing is remembered once it is answered."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="probe-names")
        self._asked: dict[tuple[str, int], asyncio.Future[Addresses]] = {}

    def close(self) -> None:
        """Wait for no lookup: its thread ends when the system's resolver gives up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def resolve(self, host: str, port: int) -> Addresses:
        """Return the addresses of a host. Raises OSError (socket.gaierror) or UnicodeError."""
        literal = _literal(host, port)
        if literal:
            return literal
        # Who gives up must not take the answer from those who still wait for it.
        return await asyncio.shield(self._lookup(host, port))

    def _lookup(self, host: str, port: int) -> asyncio.Future[Addresses]:
        key = host, port
        if key not in self._asked:
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(self._threads, _addresses, host, port)
            asked.add_done_callback(lambda done: self._forget(key, done))
            self._asked[key] = asked
        return self._asked[key]

    def _forget(self, key: tuple[str, int], done: asyncio.Future[Addresses]) -> None:
        del self._asked[key]
        if not done.cancelled():
            # Those who asked have seen it, or have given up: either way it is no surprise.
            done.exception()


def _literal(host: str, port: int) -> Addresses:
    if ":" in host:
        # An IPv6 address may name a zone of this machine, which only the system can number.
        return _addresses(host, port, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, ValueError):
        return []
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]


def _addresses(host: str, port: int, flags: int = 0) -> Addresses:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags))
