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
Key: TypeAlias = tuple[str, int]

THREADS = 32


class Names:
    """Lookups in threads of their own; nothing is remembered once it is answered."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="probe-names")
        self._free = asyncio.Semaphore(THREADS)
        self._asked: dict[Key, asyncio.Future[Addresses]] = {}

    def close(self) -> None:
        """Wait for no lookup: its thread ends when the system's resolver gives up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def begin(self, host: str, port: int) -> asyncio.Future[Addresses]:
        """Begin to look a host up as soon as a thread is free; who waits for one is not to blame.

        The future holds its addresses, or OSError (socket.gaierror) or UnicodeError. It may be
        others', too: whoever gives it up must shield it.
        """
        if _is_address(host):
            return _settled(host, port)
        key = host, port
        if key not in self._asked:
            await self._free.acquire()
            if key in self._asked:
                self._free.release()
            else:
                self._asked[key] = self._looked_up(key)
        return self._asked[key]

    def _looked_up(self, key: Key) -> asyncio.Future[Addresses]:
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._threads, _addresses, *key)
        asked.add_done_callback(lambda done: self._forget(key, done))
        return asked

    def _forget(self, key: Key, done: asyncio.Future[Addresses]) -> None:
        del self._asked[key]
        self._free.release()
        if not done.cancelled():
            # Those who asked have seen it, or have given up: either way it is no surprise.
            done.exception()


def _settled(host: str, port: int) -> asyncio.Future[Addresses]:
    found: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
    try:
        found.set_result(_literal(host, port))
    except OSError as error:
        found.set_exception(error)
    return found


def _is_address(host: str) -> bool:
    if ":" in host:
        return True
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, ValueError):
        return False
    return True


def _literal(host: str, port: int) -> Addresses:
    if ":" in host:
        # An IPv6 address may name a zone of this machine, which only the system can number.
        return _addresses(host, port, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]


def _addresses(host: str, port: int, flags: int = 0) -> Addresses:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags))
