"""Roll the rows of rounds up to hours, and hours to uptime; what is old is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from shared.scoring.judgement import Judgement
from shared.scoring.records import CheckHistory, CheckRow, HourHistory
from shared.scoring.uptime import LONGEST_LOOK, RollUp, roll_up, together

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
# After a longer pause there is no row left to roll up.
MOST_HOURS = 48


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """The use case. Raises StorageUnavailableError; whatever was done stays done."""

    history: CheckHistory
    hours: HourHistory

    async def roll(self, services: Collection[str], *, at: datetime) -> bool:
        """Roll up the hours that are over: their last looks are the first of the hour after.

        Returns whether any was.
        """
        this_hour = _hour_of(at)
        until = await self.hours.rolled_until() or this_hour - DAY
        over = [*_hours_between(max(until, this_hour - MOST_HOURS * HOUR), this_hour)]
        for hour in over:
            rows = [row for near in (-1, 0, 1) for row in await self._rows(hour + near * HOUR)]
            await self.hours.save_hour(hour, roll_up_hour(rows, hour=hour))
            await self.history.forget(hour - DAY - HOUR)
        if over:
            # A question for each service: a first roll of a day's hours must not ask it for each.
            await self.hours.forget_hours(services, before=over[-1] - MONTH - HOUR)
        return bool(over)

    async def hours_of(self, service: str, *, at: datetime) -> Sequence[RollUp]:
        """Return the last month of a service, what is not rolled up yet among it."""
        until = await self.hours.rolled_until() or at - DAY
        since = max(until, at - 2 * DAY) - LONGEST_LOOK
        rows = await self.history.list_checks(service, since=since, until=at)
        fresh = [each for each in _looks(rows) if each.hour >= until]
        return [*await self.hours.list_hours(service, since=at - MONTH), *fresh]

    async def _rows(self, hour: datetime) -> Sequence[CheckRow]:
        return await self.history.rows_of(hour)


def roll_up_hour(rows: Sequence[CheckRow], *, hour: datetime) -> Mapping[str, RollUp]:
    """Return an hour by service; `rows` are those of the hour and of its neighbours."""
    by_service: dict[str, list[CheckRow]] = {}
    for row in rows:
        by_service.setdefault(row.service, []).append(row)
    rolled = {
        service: together([each for each in _looks(found) if each.hour == hour])
        for service, found in by_service.items()
    }
    return {service: each for service, each in rolled.items() if each is not None}


def _looks(rows: Sequence[CheckRow]) -> Iterator[RollUp]:
    """Return what each row adds, given when the one before it was."""
    in_order = sorted(rows, key=lambda row: row.at)
    for before, row in pairwise([None, *in_order]):
        if row is not None:
            yield from roll_up(_judgement(row), looked_before=before.at if before else None)


def _judgement(row: CheckRow) -> Judgement:
    return Judgement(
        verdict=row.verdict, evidence=row.evidence, text=row.text, at=row.at, seconds=row.seconds
    )


def _hours_between(begin: datetime, end: datetime) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += HOUR


def _hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
