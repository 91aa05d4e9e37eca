"""When a native schedule of Azure ML fires: crontab lines and recurrences, in Windows' zones. Pure.

Source: ComputeStartStopSchedule of api-version 2025-12-01; a recurrence means what it means to
Logic Apps (learn.microsoft.com, concepts-schedule-automated-recurring-workflows).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from shared.compute.native_settings import NativeSchedule
from shared.compute.windows_zones import find_zone

DAY = timedelta(days=1)
CRON_FIELDS = 5
_WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EPOCH = datetime(2000, 1, 3)  # noqa: DTZ001  # a wall time, on a Monday


class UnknownTimesError(Exception):
    """It cannot be said when a schedule fires; the text says why."""


def fires_between(schedule: NativeSchedule, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the instants in `[start, end)` at which it fires, in order.

    Raises UnknownTimesError for a zone that is not known and for what is no schedule by the day.
    """
    zone = find_zone(schedule.time_zone)
    if zone is None:
        raise UnknownTimesError(f"its time zone '{schedule.time_zone[:60]}' is not known")
    first, last = _wall(start, zone) - DAY, _wall(end, zone) + DAY
    fires = _cron_fires if schedule.cron else _recurrence_fires
    began = _parse_wall(schedule.starts_at)
    for wall in fires(schedule, first, last):
        instant = wall.replace(tzinfo=zone)
        if (began is None or wall >= began) and start <= instant < end:
            yield instant


def _cron_fires(schedule: NativeSchedule, start: datetime, end: datetime) -> Iterator[datetime]:
    # Loaded here: only a plan of instances with native schedules needs it.
    from croniter import croniter  # noqa: PLC0415

    if len(schedule.cron.split()) != CRON_FIELDS:
        raise UnknownTimesError(f"'{schedule.cron[:60]}' is not a crontab line of five fields")
    try:
        times = croniter(schedule.cron, start)
        while (moment := times.get_next(datetime)) < end:
            yield moment
    except (ValueError, KeyError) as error:
        raise UnknownTimesError(f"'{schedule.cron[:60]}' is not a crontab line") from error


def _recurrence_fires(
    schedule: NativeSchedule, start: datetime, end: datetime
) -> Iterator[datetime]:
    if schedule.frequency.lower() not in {"day", "week", "month"}:
        raise UnknownTimesError(f"it recurs by the '{schedule.frequency[:20]}'")
    began = _parse_wall(schedule.starts_at) or _EPOCH
    days = ((start + DAY * n).date() for n in range((end - start).days + 1))
    times = _times_of_day(schedule, began)
    for day in days:
        if _is_on(schedule, day, began.date()):
            yield from (datetime.combine(day, moment) for moment in times)


def _times_of_day(schedule: NativeSchedule, began: datetime) -> list[time]:
    hours, minutes = schedule.hours or (began.hour,), schedule.minutes or (began.minute,)
    try:
        return sorted(time(hour, minute) for hour, minute in product(set(hours), set(minutes)))
    except ValueError as error:
        raise UnknownTimesError("its hours or minutes are none of a day") from error


def _is_on(schedule: NativeSchedule, day: date, began: date) -> bool:
    every = max(schedule.interval, 1)
    match schedule.frequency.lower():
        case "day":
            return (day - began).days % every == 0
        case "week":
            wanted = {name.lower() for name in schedule.week_days} or {_day_name(began)}
            weeks = (_monday(day) - _monday(began)).days // 7
            return weeks % every == 0 and _day_name(day) in wanted
    months = (day.year - began.year) * 12 + day.month - began.month
    return months % every == 0 and day.day in (schedule.month_days or (began.day,))


def _day_name(day: date) -> str:
    return _WEEK_DAYS[day.weekday()]


def _monday(day: date) -> date:
    return day - DAY * day.weekday()


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _parse_wall(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
