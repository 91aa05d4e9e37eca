"""The timer's ticks: the time that one was scheduled for, and when the next is due. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from croniter import croniter

FIELDS_WITH_SECONDS = 6
_NAME = re.compile(r"[A-Za-z]{3,}")

# A timer may fire early by as much as hosts' clocks differ; more is another occurrence.
EARLY = timedelta(seconds=60)
# A tick may begin so much late: a cold start, a host that moves.
LATE = timedelta(minutes=5)
_SECOND = timedelta(seconds=1)


def scheduled_time(status: Mapping[str, str] | None, *, now: datetime) -> datetime | None:
    """Return the time that a tick which fires early at `now` was scheduled for, else None.

    `status` is the host's ScheduleStatus (WebJobs): its `Last` and `Next` are ISO 8601 times, one
    of them that of a tick that fires now.
    """
    times = (_parse((status or {}).get(name)) for name in ("Last", "Next"))
    return next((moment for moment in times if moment and now < moment <= now + EARLY), None)


def last_tick(schedule: str | None, *, not_after: datetime) -> datetime | None:
    """Return the last tick at a moment or before it, UTC; None as for `first_tick`."""
    following = _ticks(schedule, not_after.astimezone(UTC).replace(microsecond=0) + _SECOND)
    try:
        tick: datetime | None = following.get_prev(datetime) if following else None
    except ValueError:
        return None
    return tick


def first_tick(schedule: str | None, *, not_before: datetime) -> datetime | None:
    """Return the first tick at a moment or after it, UTC.

    `schedule`: NCronTab, six fields (five: without seconds). None: it is not set, or what it says
    is no such expression; the host then says so, since it cannot start the timer either. Source:
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
    """
    ticks = _ticks(schedule, not_before.astimezone(UTC).replace(microsecond=0) - _SECOND)
    if ticks is None:
        return None
    try:
        tick: datetime = ticks.get_next(datetime)
        # Two ticks are a second apart at least, and the first may lie in that of `not_before`.
        following: datetime = ticks.get_next(datetime)
    except ValueError:
        return None
    return tick if tick >= not_before else following


def _ticks(schedule: str | None, start: datetime) -> croniter | None:
    # Loaded here: no run needs it.
    from croniter import croniter  # noqa: PLC0415

    # NCronTab takes "Monday" and "January"; croniter knows the first three letters.
    fields = _NAME.sub(lambda name: name[0][:3], schedule or "").split()
    has_seconds = len(fields) == FIELDS_WITH_SECONDS
    try:
        # NCronTab wants day of month *and* day of week to match.
        return croniter(" ".join(fields), start, second_at_beginning=has_seconds, day_or=False)
    except ValueError:
        return None


def _parse(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)
