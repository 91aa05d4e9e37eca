"""The windows of a schedule, as people write them and as spans of time in UTC.

A window runs from the first instant its zone's clocks show its start to the last instant they show
its end. So a repeated wall time (autumn) makes a window longer, never shorter: a machine is rather
up an hour too long than cut off in its owner's working time. A skipped one (spring) is the instant
of the skip; a window whose start and end are both skipped does not exist on that day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.compute.schedule.public_holidays import is_holiday
from shared.compute.schedule.wall_clock import first_instant, last_instant

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ALL_DAYS = frozenset(range(len(DAY_NAMES)))
MINUTES_PER_DAY = 24 * 60
DAY = timedelta(days=1)


class Span(NamedTuple):
    """Half-open: from `start` up to and without `end`, both UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class WeeklyWindow:
    """`Mon-Fri 07:30-20:30 Europe/Berlin holidays=DE-BY`: recurs on the days it begins on.

    `days`: 0 is Monday. `start` and `end`: minutes after the midnight that begins the day; an
    `end` beyond 1440 lies on the next day. `holidays`: calendars on whose days it does not begin.
    """

    days: frozenset[int]
    start: int
    end: int
    zone: ZoneInfo
    holidays: tuple[str, ...] = ()

    def __str__(self) -> str:
        end = self.end if self.end <= MINUTES_PER_DAY else self.end - MINUTES_PER_DAY
        text = f"{_days_text(self.days)} {_clock(self.start)}-{_clock(end)} {self.zone.key}"
        return f"{text} holidays={'+'.join(self.holidays)}" if self.holidays else text

    @property
    def is_always(self) -> bool:
        """Whether it covers every minute of every day."""
        whole_days = (self.start, self.end) == (0, MINUTES_PER_DAY)
        return whole_days and self.days == ALL_DAYS and not self.holidays

    def spans(self, around: Span) -> Iterator[Span]:
        """Every span that touches `around`, perhaps some more beside it."""
        # A window may reach into the next day, and a change of offset may move a day's edge.
        day = around.start.astimezone(self.zone).date() - 2 * DAY
        last = around.end.astimezone(self.zone).date() + DAY
        while day <= last:
            if day.weekday() in self.days and not self._is_holiday(day):
                yield self._span(day)
            day += DAY

    def _is_holiday(self, day: date) -> bool:
        return any(is_holiday(code, day) for code in self.holidays)

    def _span(self, day: date) -> Span:
        midnight = datetime.combine(day, time())
        return Span(
            start=first_instant(midnight + timedelta(minutes=self.start), self.zone),
            end=last_instant(midnight + timedelta(minutes=self.end), self.zone),
        )


@dataclass(frozen=True, kw_only=True)
class AbsoluteWindow:
    """`2026-12-24T08:00/2026-12-27T06:00 Europe/Berlin`: once, whatever day it is.

    `start` and `end` are naive wall times of `zone`.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo

    def __str__(self) -> str:
        start, end = (wall.isoformat(timespec="minutes") for wall in (self.start, self.end))
        return f"{start}/{end} {self.zone.key}"

    @property
    def is_always(self) -> bool:
        """Whether it covers every minute of every day."""
        return False

    def spans(self, around: Span) -> Iterator[Span]:
        """Yield its one span, if that touches `around`."""
        span = Span(first_instant(self.start, self.zone), last_instant(self.end, self.zone))
        if span.start <= around.end and around.start <= span.end:
            yield span


Window = WeeklyWindow | AbsoluteWindow


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _days_text(days: frozenset[int]) -> str:
    if days == ALL_DAYS:
        return "Mon-Sun"
    runs = [_run(day, days) for day in sorted(days) if (day - 1) % 7 not in days]
    return "+".join(_run_text(run) for run in runs)


def _run(first: int, days: frozenset[int]) -> list[int]:
    run = [first]
    while (run[-1] + 1) % 7 in days:
        run.append((run[-1] + 1) % 7)
    return run


def _run_text(run: list[int]) -> str:
    names = [DAY_NAMES[day] for day in run]
    return f"{names[0]}-{names[-1]}" if len(names) > 2 else "+".join(names)  # noqa: PLR2004  # two days are no range
