"""Whose turn it is to be probed: a service is asked one thing at a time, an origin a few.

R has one thread: a second question makes a service look busy that is not. All services of an AML v1
cluster share one front-end address, and must not be knocked over by their own health check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakValueDictionary

from shared.scoring.address import Origin, origin_of
from shared.scoring.probe import Probe, Prober, ProbeRequest

AT_ONCE_PER_ORIGIN = 8

_K = TypeVar("_K")
_T = TypeVar("_T")


class Turns:
    """Turns of one event loop. Rounds that overlap, and checks on demand, share it.

    It holds nothing of services that nobody asks at the moment.
    """

    def __init__(self) -> None:
        self._services: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._on_demand: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._origins: WeakValueDictionary[Origin, asyncio.Semaphore] = WeakValueDictionary()

    def on_demand(self, service: str) -> asyncio.Lock:
        """Return the lock of those who check a service on demand: one of them vies with a round."""
        return _kept(self._on_demand, service, asyncio.Lock)

    def of_service(self, service: str) -> asyncio.Lock:
        """Return the lock of those who ask a service."""
        return _kept(self._services, service, asyncio.Lock)

    def at_origin(self, origin: Origin) -> asyncio.Semaphore:
        """Return the places of those who ask an origin."""
        return _kept(self._origins, origin, _places)


@dataclass(frozen=True, kw_only=True)
class InTurn:
    """A prober for one service. Waiting for its turn is no part of a probe's time."""

    prober: Prober
    service: str
    turns: Turns = field(repr=False)

    async def probe(self, request: ProbeRequest) -> Probe:
        """Send it when it is the service's turn."""
        asked = self.turns.of_service(self.service)
        place = self.turns.at_origin(origin_of(request.url))
        # In this order everywhere: who holds a place never waits for a service.
        async with asked, place:
            return await self.prober.probe(request)


def _places() -> asyncio.Semaphore:
    return asyncio.Semaphore(AT_ONCE_PER_ORIGIN)


def _kept(known: WeakValueDictionary[_K, _T], key: _K, make: Callable[[], _T]) -> _T:
    found = known.get(key)
    if found is None:
        known[key] = found = make()
    return found
