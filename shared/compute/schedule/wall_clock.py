"""What a wall time means as an instant, also where a zone's clocks skip or repeat it.

Twice a year most zones change their offset. A wall time that is skipped never exists; one that is
repeated exists twice. Both are answered with real instants; nothing is rounded to an hour, since
Lord Howe Island moves by 30 minutes and Troll by two hours.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When clocks in `zone` first show the naive `wall`; if they skip it, the instant of the skip."""
    return _instant(wall, zone, fold=0)


def last_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When clocks in `zone` last show the naive `wall`; if they skip it, the instant of the skip."""
    return _instant(wall, zone, fold=1)


def _instant(wall: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    # PEP 495: around a transition, fold=0 gives the offset before it and fold=1 the one after.
    before, after = _offset(wall, zone, fold=0), _offset(wall, zone, fold=1)
    if before < after:
        return _transition(wall, before=before, after=after, zone=zone)
    return (wall - (after if fold else before)).replace(tzinfo=UTC)


def _offset(wall: datetime, zone: ZoneInfo, *, fold: int) -> timedelta:
    return zone.utcoffset(wall.replace(tzinfo=zone, fold=fold)) or timedelta()


def _transition(wall: datetime, *, before: timedelta, after: timedelta, zone: ZoneInfo) -> datetime:
    # zoneinfo does not tell its transitions, so the skip is found by halving what surrounds it.
    low = (wall - after).replace(tzinfo=UTC)
    high = (wall - before).replace(tzinfo=UTC)
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
