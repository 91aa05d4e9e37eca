"""When a service is restarted every day or week: `03:30`, `Sun 03:30`, `Mon-Fri 03:30`, in UTC."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY: Final = "|".join(_DAYS)
_WEEK: Final = len(_DAYS)
_TIME: Final = re.compile(
    rf"(?:(?P<first>{_DAY})(?:-(?P<last>{_DAY}))? )?(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)"
)


def check_restart_schedule(text: str) -> str:
    """Return a schedule as it is. Raises ValueError for what is none."""
    if not _TIME.fullmatch(text):
        raise ValueError("must look like 03:30, Sun 03:30 or Mon-Fri 03:30 (UTC)")
    return text


def last_restart_time(text: str, *, now: datetime) -> datetime:
    """Return the last moment of a schedule that is not after `now`, which is in UTC."""
    found = _TIME.fullmatch(check_restart_schedule(text))
    if found is None:
        raise ValueError("is no schedule")
    at = time(int(found["hour"]), int(found["minute"]), tzinfo=now.tzinfo)
    days = _days(found["first"], found["last"])
    moments = (datetime.combine(now - timedelta(days=back), at) for back in range(_WEEK + 1))
    return next(each for each in moments if each <= now and each.weekday() in days)


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return frozenset(range(_WEEK))
    start = _DAYS.index(first)
    length = (_DAYS.index(last or first) - start) % _WEEK + 1
    return frozenset((start + each) % _WEEK for each in range(length))
