"""How much of the last day services were up, for many at once: one request each, and not too often."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.scoring.records import HourHistory
from shared.scoring.uptime import uptime

DAY: Final = timedelta(hours=24)
# Hours are rolled up once in an hour, so nothing is gained by asking at each look.
KEPT: Final = timedelta(minutes=5)
MOST: Final = 50
AT_ONCE: Final = 10


@dataclass(kw_only=True)
class KnownUptimes:
    """What a worker remembers: by name, when it was read, and the percentage."""

    read: dict[str, tuple[datetime, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Uptimes:
    """Reads the rolled-up hours of services."""

    hours: HourHistory
    known: KnownUptimes

    async def read(self, names: Sequence[str], *, at: datetime) -> Mapping[str, float | None]:
        """Return percentages of the known time, for the first MOST names.

        Raises StorageUnavailableError.
        """
        turns = asyncio.Semaphore(AT_ONCE)
        wanted = names[:MOST]
        found = await asyncio.gather(*(self._one(name, at, turns) for name in wanted))
        return dict(zip(wanted, found, strict=True))

    async def _one(self, name: str, at: datetime, turns: asyncio.Semaphore) -> float | None:
        read_at, percent = self.known.read.get(name, (None, None))
        if read_at is not None and at - read_at < KEPT:
            return percent
        async with turns:
            hours = await self.hours.list_hours(name, since=at - DAY)
        share = uptime(hours, at=at, over=DAY).share
        percent = None if share is None else round(100 * share, 2)
        self.known.read[name] = (at, percent)
        return percent
