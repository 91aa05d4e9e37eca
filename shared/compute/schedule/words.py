"""The single words of a schedule: days of the week, times of day, time zones."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from shared.compute.schedule.error import ScheduleError, shown
from shared.compute.schedule.windows import DAY_NAMES, MINUTES_PER_DAY

_LONG_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS: Mapping[str, int] = {
    name: number
    for names in ([day.lower() for day in DAY_NAMES], _LONG_NAMES)
    for number, name in enumerate(names)
}
DAY_WORD = f"(?:{'|'.join(sorted(_DAYS, key=len, reverse=True))})"
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")


def read_days(text: str) -> frozenset[int]:
    """Read `Mon-Fri`, `Sun-Thu`, `Mon+Wed+Fri` or `Monday`; 0 is Monday."""
    return frozenset(day for part in text.split("+") for day in _read_range(part))


def _read_range(text: str) -> list[int]:
    first, dash, last = text.partition("-")
    start = _read_day(first)
    end = _read_day(last) if dash else start
    return [(start + step) % 7 for step in range((end - start) % 7 + 1)]


def _read_day(text: str) -> int:
    day = _DAYS.get(text.lower())
    if day is None:
        raise ScheduleError(
            f"`{shown(text)}` is not a day of the week",
            "begin with days such as Mon-Fri, Sun-Thu or Sat+Sun, or with a date",
        )
    return day


def read_clock(text: str) -> int:
    """Read `07:30` as minutes after midnight; `24:00` is the end of the day."""
    match = _CLOCK.fullmatch(text)
    hours, minutes = (int(match[1]), int(match[2])) if match else (24, 60)
    if minutes >= 60 or hours * 60 + minutes > MINUTES_PER_DAY:  # noqa: PLR2004  # an hour's minutes
        raise ScheduleError(
            f"`{shown(text)}` is not a time of day", "write hours and minutes from 00:00 to 24:00"
        )
    return hours * 60 + minutes


def find_zone(name: str) -> ZoneInfo:
    """Find an IANA time zone, whatever its capital letters; raise ScheduleError if there is none."""
    key = _zones().get(name.lower())
    if key is None:
        raise ScheduleError(f"`{shown(name)}` is not an IANA time zone", _offer_zone(name))
    return ZoneInfo(key)


def _offer_zone(name: str) -> str:
    plain = name.lower()[:60]
    cities = [zone for zone in _zones() if zone.endswith(f"/{plain}")]
    close = get_close_matches(plain, _zones(), n=1, cutoff=0.7) if "/" in plain else []
    for zone in (*sorted(cities), *close):
        return f"write {_zones()[zone]}"
    return "write a name such as Europe/Berlin, which knows its daylight saving time, or UTC"


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    # `localtime` is whatever the machine is set to: a schedule must mean the same everywhere.
    return {name.lower(): name for name in available_timezones() - {"localtime", "Factory"}}
