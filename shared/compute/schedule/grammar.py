"""Read a schedule from the text of a tag or a setting.

schedule = "always" | "none" | window, {",", window}
window   = days clock-clock zone [holidays] | date"T"clock/date"T"clock zone
days     = day | day-day, joined by "+" (a comma reads the same)
holidays = "holidays=" country["-"region], joined by "+"

Nothing is guessed: a window without a zone is an error, as is every word that is not understood.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from shared.compute.schedule.error import ScheduleError, shown
from shared.compute.schedule.public_holidays import find_calendar
from shared.compute.schedule.timeline import EPOCH, LATEST, Schedule
from shared.compute.schedule.windows import (
    MINUTES_PER_DAY,
    AbsoluteWindow,
    WeeklyWindow,
    Window,
)
from shared.compute.schedule.words import DAY_WORD, find_zone, read_clock, read_days

EXAMPLE = "Mon-Fri 07:30-20:30 Europe/Berlin"
DATED_EXAMPLE = "2026-12-24T08:00/2026-12-27T06:00 Europe/Berlin"
_DASHES = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-"})
_JOINTS = re.compile(r"\s*([-+/=])\s*")
_DATED = re.compile(r"[0-9]{4}-")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(?::00)?", re.IGNORECASE)
_DAYS_ALONE = re.compile(rf"{DAY_WORD}(?:[-+]{DAY_WORD})*", re.IGNORECASE)


@lru_cache(maxsize=16384)
def parse_schedule(text: str) -> Schedule:
    """Read `always`, `none`, or a comma list of windows; capital letters do not matter.

    Raises ScheduleError saying what is wrong and what would be right. Answers are cached.
    """
    plain = _JOINTS.sub(r"\1", " ".join(text.translate(_DASHES).split()))
    if plain.lower() in {"always", "none"}:
        return Schedule(always=plain.lower() == "always")
    windows = (_read_window(part) for part in _split(plain))
    return Schedule(windows=tuple(dict.fromkeys(windows)))


def _split(text: str) -> Iterator[str]:
    days: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if _DAYS_ALONE.fullmatch(part):
            # `Mon,Wed 08:00-18:00 UTC` is what people write for `Mon+Wed 08:00-18:00 UTC`.
            days.append(part)
            continue
        yield "+".join((*days, part))
        days = []
    if days:
        yield "+".join(days)


def _read_window(part: str) -> Window:
    head, *rest = part.split() or [""]
    if not head:
        raise ScheduleError("it is empty or has an empty window", _write(EXAMPLE))
    if head.lower() in {"always", "none"}:
        raise ScheduleError(f"`{head}` is followed by something else", "write it alone")
    if _DATED.match(head):
        return _read_absolute(part, head, rest)
    return _read_weekly(part, head, rest)


def _read_weekly(part: str, head: str, rest: list[str]) -> WeeklyWindow:
    days = read_days(head)
    if not rest:
        raise ScheduleError(f"`{shown(part)}` has no times", _write(EXAMPLE))
    clocks, *words = rest
    start, end = _read_hours(clocks)
    name, calendars = _read_options(part, words)
    return WeeklyWindow(
        days=days,
        start=start,
        end=end,
        zone=find_zone(name),
        holidays=calendars,
    )


def _read_hours(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash:
        raise ScheduleError(f"`{shown(text)}` is not a pair of times", "write it as 07:30-20:30")
    start, end = read_clock(first), read_clock(last)
    if start == MINUTES_PER_DAY:
        raise ScheduleError("no window starts at 24:00", "write 00:00 and name the next day")
    if start == end:
        raise ScheduleError(
            f"`{shown(text)}` starts and ends at the same time",
            "write 00:00-24:00 for a whole day",
        )
    return start, end if end > start else end + MINUTES_PER_DAY


def _read_absolute(part: str, head: str, rest: list[str]) -> AbsoluteWindow:
    first, slash, last = head.partition("/")
    if not slash:
        raise ScheduleError(f"`{shown(head)}` has no end", _write(DATED_EXAMPLE))
    start, end = _read_moment(first), _read_moment(last)
    if start >= end:
        raise ScheduleError(f"`{shown(head)}` ends before it starts", "swap its start and its end")
    name, calendars = _read_options(part, rest)
    if calendars:
        raise ScheduleError(
            "a window with dates holds on public holidays too", "leave its holidays= out"
        )
    return AbsoluteWindow(start=start, end=end, zone=find_zone(name))


def _read_moment(text: str) -> datetime:
    match = _MOMENT.fullmatch(text)
    try:
        midnight = datetime.fromisoformat(match[1]) if match else None
    except ValueError:
        midnight = None
    if match is None or midnight is None:
        raise ScheduleError(f"`{shown(text)}` is not a date and time", _write(DATED_EXAMPLE))
    if not EPOCH.year < midnight.year < LATEST.year - 1:
        raise ScheduleError(f"the year {midnight.year} is out of range", "write always for ever")
    return midnight + timedelta(minutes=read_clock(match[2]))


def _read_options(part: str, words: list[str]) -> tuple[str, tuple[str, ...]]:
    """The name of the zone, and the calendars of public holidays."""
    names = [word for word in words if "=" not in word]
    options = [word for word in words if "=" in word]
    if not names:
        raise ScheduleError(
            f"`{shown(part)}` has no time zone", f"write it as {shown(part)} Europe/Berlin, say"
        )
    if len(names) > 1:
        raise ScheduleError(
            f"`{shown(' '.join(names))}` is not a time zone's name",
            "write one IANA name such as Europe/Berlin, and a comma between windows",
        )
    return names[0], _read_holidays(options)


def _read_holidays(options: list[str]) -> tuple[str, ...]:
    if not options:
        return ()
    key, _, value = options[0].partition("=")
    if len(options) > 1 or key.lower() != "holidays":
        raise ScheduleError(
            f"`{shown(' '.join(options))}` is not understood",
            "write holidays=DE-BY or leave it out",
        )
    return tuple(sorted({find_calendar(code) for code in value.split("+")}))


def _write(example: str) -> str:
    return f"write it as {example}"
