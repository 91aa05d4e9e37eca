"""The timer's ticks: the time that one was scheduled for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

# A timer may fire early by as much as hosts' clocks differ; more is another occurrence.
EARLY = timedelta(seconds=60)


def scheduled_time(status: Mapping[str, str] | None, *, now: datetime) -> datetime | None:
    """Return the time that a tick which fires early at `now` was scheduled for, else None.

    `status` is the host's ScheduleStatus (WebJobs): its `Last` and `Next` are ISO 8601 times, one
    of them that of a tick that fires now.
    """
    times = (_parse((status or {}).get(name)) for name in ("Last", "Next"))
    return next((moment for moment in times if moment and now < moment <= now + EARLY), None)


def _parse(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)
