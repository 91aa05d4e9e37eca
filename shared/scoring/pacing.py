"""Whose turn it is to be probed: a service is asked one thing at a time, an origin a few.

R has one thread: a second question makes a service look busy that is not. All services of an AML v1
cluster share one front-end address, and must not be knocked over by their own health check.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from shared.scoring.address import Origin, origin_of
from shared.scoring.probe import Probe, Prober, ProbeRequest

AT_ONCE_PER_ORIGIN = 8


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
        return self._on_demand.setdefault(service, asyncio.Lock())

    @asynccontextmanager
    async def turn(self, service: str, url: str) -> AsyncIterator[None]:
        """Wait for the turn of a service at an origin, and hold it while the block runs."""
        asked = self._services.setdefault(service, asyncio.Lock())
        place = self._origins.setdefault(origin_of(url), asyncio.Semaphore(AT_ONCE_PER_ORIGIN))
        # In this order everywhere: who holds a place never waits for a service.
        async with asked, place:
            yield


@dataclass(frozen=True, kw_only=True)
class InTurn:
    """A prober for one service. Waiting for its turn is no part of a probe's time."""

    prober: Prober
    service: str
    turns: Turns = field(repr=False)

    async def probe(self, request: ProbeRequest) -> Probe:
        """Send it when it is the service's turn."""
        async with self.turns.turn(self.service, request.url):
            return await self.prober.probe(request)
