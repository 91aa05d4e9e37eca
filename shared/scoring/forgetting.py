"""Forget services that nobody looks after any more: long after, so that a bad list loses nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from shared.scoring.records import HourHistory, Records
from shared.scoring.state import ServiceState
from shared.telemetry import Event, Telemetry

HOUR = timedelta(hours=1)
# A round goes on beside it: who is left is forgotten an hour later.
MOST_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True)
class Forgetting:
    """The use case. `keep`: how long after the last look at it a service is remembered."""

    records: Records
    hours: HourHistory
    telemetry: Telemetry
    keep: timedelta

    async def forget(self, looked_after: Collection[str], *, at: datetime) -> None:
        """Forget who is not looked after, and tell why. `looked_after` must be known in full.

        Raises StorageUnavailableError; whatever was done stays done.
        """
        gone = self._gone(await self.records.states.load(), looked_after, at=at)
        for name, seen_at in islice(gone, MOST_AT_ONCE):
            await self.hours.forget_hours([name], before=at + HOUR)
            await self.records.maintenance.delete(name)
            self._tell(name, seen_at)
            # Last: what comes in between does all of it again.
            await self.records.states.forget(name)

    def _gone(
        self, states: Mapping[str, ServiceState], looked_after: Collection[str], *, at: datetime
    ) -> Iterator[tuple[str, datetime]]:
        for name, state in states.items():
            seen_at = state.checked_at
            if name not in looked_after and seen_at is not None and at - seen_at > self.keep:
                yield name, seen_at

    def _tell(self, name: str, seen_at: datetime) -> None:
        self.telemetry.event(
            Event.SCORING_SERVICE_FORGOTTEN,
            service=name,
            seen_at=seen_at.isoformat().replace("+00:00", "Z"),
            text=f"Neither file nor Azure has named it for more than {self.keep.days} days: "
            "its state, its hours and its maintenance are deleted.",
        )
