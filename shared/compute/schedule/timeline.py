"""A schedule on the time axis: may a machine be up at an instant, and when does that change next.

The axis is cut into weeks. Each week's changes are worked out once and kept, so that a tick over
10,000 machines costs a look-up per machine.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from zoneinfo import ZoneInfo

from shared.compute.schedule.windows import Span, Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Far enough from the last year of `datetime` for a horizon beyond any instant asked about.
LATEST = datetime(9900, 1, 1, tzinfo=UTC)
WEEK = timedelta(weeks=1)
# More than 400 days, so that what happens once a year is found.
HORIZON_WEEKS = 60


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a machine may be up: inside any of its windows; without windows, `always` or never.

    Instants must be aware and lie in the years 1970 to 9899 (ValueError otherwise).
    `str(schedule)` is canonical and parses to an equal schedule.
    """

    windows: tuple[Window, ...] = ()
    always: bool = False

    def __str__(self) -> str:
        return ", ".join(map(str, self.windows)) or ("always" if self.always else "none")

    @property
    def zone(self) -> ZoneInfo:
        """The zone to show its times in: that of its first window, else UTC."""
        return self.windows[0].zone if self.windows else ZoneInfo("UTC")

    def may_be_up(self, at: datetime) -> bool:
        """Whether `at` lies in any window, ends excluded."""
        instant = _utc(at)
        if not self.windows:
            return self.always
        changes = _changes(self, _week(instant))
        return changes[bisect_right(changes, instant, key=itemgetter(0)) - 1][1]

    def next_change(self, at: datetime) -> datetime | None:
        """Return the first instant after `at` at which `may_be_up` changes, in UTC.

        None: it does not change within 400 days.
        """
        after, up = _utc(at), self.may_be_up(at)
        if not self.windows or any(window.is_always for window in self.windows):
            return None
        first = _week(after)
        weeks = (_changes(self, week) for week in range(first, first + HORIZON_WEEKS))
        for instant, state in chain.from_iterable(weeks):
            if instant > after and state is not up:
                return instant
        return None

    def last_change(self, at: datetime) -> datetime | None:
        """Return the last instant, `at` or before, at which `may_be_up` became what it is at `at`.

        None: it has been so for 400 days.
        """
        instant, up = _utc(at), self.may_be_up(at)
        if not self.windows:
            return None
        last: datetime | None = None
        week = _week(instant)
        for earlier in range(week, max(week - HORIZON_WEEKS, 0), -1):
            for change, state in reversed(_changes(self, earlier)):
                if change > instant:
                    continue
                if state is not up:
                    return last
                last = change
        return None


def _utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("an instant needs a time zone")
    if not EPOCH <= at < LATEST:
        raise ValueError(f"{at.isoformat()} is outside the years 1970 to {LATEST.year - 1}")
    return at.astimezone(UTC)


def _week(at: datetime) -> int:
    return (at - EPOCH) // WEEK


@lru_cache(maxsize=16384)
def _changes(schedule: Schedule, week: int) -> tuple[tuple[datetime, bool], ...]:
    """From when on it may be up or not, beginning with the week's first instant."""
    extent = Span(EPOCH + week * WEEK, EPOCH + (week + 1) * WEEK)
    changes = {extent.start: False}
    spans = chain.from_iterable(window.spans(extent) for window in schedule.windows)
    for span in _merged(spans):
        if span.end <= extent.start or span.start >= extent.end:
            continue
        changes[max(span.start, extent.start)] = True
        if span.end < extent.end:
            changes[span.end] = False
    return tuple(changes.items())


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Join what overlaps or touches."""
    joined: Span | None = None
    for span in sorted(spans):
        if joined and span.start <= joined.end:
            joined = Span(joined.start, max(joined.end, span.end))
            continue
        if joined:
            yield joined
        joined = span
    if joined:
        yield joined
