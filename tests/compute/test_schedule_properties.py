"""Any schedule, compared with an oracle that looks at a wall clock once a minute.

The oracle turns every minute of some days into what clocks show, and reads windows off that list:
it never turns a wall time into an instant and knows nothing of offsets or folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.compute.schedule import Schedule, parse_schedule

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
DAYS_BESIDE = 3  # what the oracle walks before and after the days it judges
DAYS_JUDGED = 3
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

# Days on which clocks change somewhere, public holidays fall, or nothing happens.
ANCHORS = [
    date(2026, 3, 29),  # Europe, Beirut, Troll
    date(2026, 10, 25),
    date(2026, 3, 8),  # New York
    date(2026, 11, 1),
    date(2026, 4, 5),  # Lord Howe, Santiago, Easter Sunday
    date(2026, 10, 4),
    date(2026, 4, 24),  # Cairo skips a midnight
    date(2026, 10, 30),
    date(2018, 11, 4),  # Sao Paulo skips a midnight
    date(2018, 2, 18),
    date(2011, 12, 30),  # Samoa skips a day
    date(2026, 5, 1),
    date(2026, 12, 25),
    date(2026, 7, 15),
]
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Beirut",
    "Pacific/Apia",
    "America/Santiago",
    "Antarctica/Troll",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Etc/GMT+3",
    "UTC",
]
CALENDARS = {"DE-BY": ("DE", "BY"), "US": ("US", None), "IL": ("IL", None)}


@dataclass(frozen=True, kw_only=True)
class Weekly:
    days: frozenset[int]
    start: int
    end: int
    zone: str
    calendar: str

    def __str__(self) -> str:
        days = "+".join(DAY_NAMES[day] for day in sorted(self.days))
        suffix = f" holidays={self.calendar}" if self.calendar else ""
        return f"{days} {clock(self.start)}-{clock(self.end)} {self.zone}{suffix}"


@dataclass(frozen=True, kw_only=True)
class Dated:
    start: datetime
    minutes: int
    zone: str

    def __str__(self) -> str:
        end = self.start + self.minutes * MINUTE
        return f"{self.start.isoformat()[:16]}/{end.isoformat()[:16]} {self.zone}"


Case = tuple[date, list[Weekly | Dated]]


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


# Boundaries gather where clocks change.
starts = st.one_of(st.integers(0, 1439), st.integers(0, 210), st.sampled_from([0, 60, 120, 150]))
ends = st.one_of(st.integers(1, 1440), st.integers(1, 210), st.sampled_from([60, 120, 150, 1440]))
days = st.frozensets(st.integers(0, 6), min_size=1)


@st.composite
def weeklies(draw: st.DrawFn) -> Weekly:
    start = draw(starts)
    return Weekly(
        days=draw(days),
        start=start,
        end=draw(ends.filter(lambda end: end != start)),
        zone=draw(st.sampled_from(ZONES)),
        calendar=draw(st.sampled_from(["", "", *CALENDARS])),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    anchor = draw(st.sampled_from(ANCHORS))
    midnight = datetime(anchor.year, anchor.month, anchor.day)  # noqa: DTZ001  # a wall time
    dated = st.builds(
        Dated,
        start=st.integers(-2000, 3000).map(lambda minutes: midnight + minutes * MINUTE),
        minutes=st.integers(1, 3000),
        zone=st.sampled_from(ZONES),
    )
    windows = st.lists(st.one_of(weeklies(), weeklies(), dated), min_size=1, max_size=4)
    return anchor, draw(windows)


def first_minute(anchor: date) -> datetime:
    return datetime(anchor.year, anchor.month, anchor.day, tzinfo=UTC) - (DAYS_BESIDE + 1) * DAY


@lru_cache(maxsize=64)
def wall_clock(anchor: date, zone: str) -> Sequence[datetime]:
    """What clocks in `zone` show in each minute of the days around `anchor`."""
    info, start = ZoneInfo(zone), first_minute(anchor)
    count = (2 * DAYS_BESIDE + DAYS_JUDGED) * 1440
    return [
        (start + n * MINUTE).astimezone(info).replace(tzinfo=None, fold=0) for n in range(count)
    ]


def minutes_inside(shown: Sequence[datetime], start: datetime, end: datetime) -> range:
    """From the first minute that shows `start` or later to the last that shows `end`."""
    begin = next((n for n, wall in enumerate(shown) if wall >= start), len(shown))
    before = next((n for n in reversed(range(len(shown))) if shown[n] <= end), None)
    if before is None:
        return range(0)
    # Where clocks skip the end, the last minute before the skip is still inside.
    return range(begin, before if shown[before] == end else before + 1)


def is_holiday(calendar: str, day: date) -> bool:
    if not calendar:
        return False
    country, region = CALENDARS[calendar]
    return day in holidays.country_holidays(country, subdiv=region)


def wall_windows(window: Weekly | Dated, anchor: date) -> list[tuple[datetime, datetime]]:
    if isinstance(window, Dated):
        return [(window.start, window.start + window.minutes * MINUTE)]
    first = datetime(anchor.year, anchor.month, anchor.day) - (DAYS_BESIDE + 1) * DAY  # noqa: DTZ001  # a wall time
    length = (window.end - window.start) % 1440 or 1440
    begins = [
        first + n * DAY + window.start * MINUTE
        for n in range(2 * DAYS_BESIDE + DAYS_JUDGED + 1)
        if (first + n * DAY).weekday() in window.days
        and not is_holiday(window.calendar, (first + n * DAY).date())
    ]
    return [(begin, begin + length * MINUTE) for begin in begins]


def oracle(anchor: date, windows: Sequence[Weekly | Dated]) -> list[bool]:
    """Whether a machine may be up, for each minute that is judged."""
    inside: set[int] = set()
    for window in windows:
        shown = wall_clock(anchor, window.zone)
        for start, end in wall_windows(window, anchor):
            inside.update(minutes_inside(shown, start, end))
    return [n in inside for n in range(DAYS_BESIDE * 1440, (DAYS_BESIDE + DAYS_JUDGED) * 1440)]


def parsed(windows: Sequence[Weekly | Dated]) -> Schedule:
    return parse_schedule(", ".join(map(str, windows)))


def judged_minutes(anchor: date) -> list[datetime]:
    start = first_minute(anchor) + DAYS_BESIDE * DAY
    return [start + n * MINUTE for n in range(DAYS_JUDGED * 1440)]


slow_is_fine = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
autumn = Weekly(days=frozenset(range(7)), start=150, end=120, zone="Europe/Berlin", calendar="")


@slow_is_fine
@given(case=cases())
@example(case=(date(2026, 10, 25), [autumn]))
@example(case=(date(2026, 3, 29), [autumn]))
def test_it_may_be_up_in_the_minutes_in_which_the_oracle_says_so(case: Case) -> None:
    anchor, windows = case
    schedule = parsed(windows)

    answers = [schedule.may_be_up(minute) for minute in judged_minutes(anchor)]

    assert answers == oracle(anchor, windows)


@slow_is_fine
@given(case=cases())
@example(case=(date(2026, 10, 25), [autumn]))
def test_the_next_change_is_the_first_minute_in_which_the_oracle_changes(case: Case) -> None:
    anchor, windows = case
    schedule, minutes, states = parsed(windows), judged_minutes(anchor), oracle(anchor, windows)
    expected: datetime | None = None

    for n in reversed(range(len(minutes) - 1)):
        if states[n + 1] != states[n]:
            expected = minutes[n + 1]
        change = schedule.next_change(minutes[n])
        if expected is None:
            assert change is None or change > minutes[-1]
        else:
            assert change == expected


@slow_is_fine
@given(case=cases(), offset=st.timedeltas(timedelta(), 400 * DAY))
def test_the_decision_holds_until_the_next_change_and_not_at_it(
    case: Case, offset: timedelta
) -> None:
    anchor, windows = case
    schedule, moment = parsed(windows), first_minute(anchor) + offset
    up, change = schedule.may_be_up(moment), schedule.next_change(moment)
    until = change or moment + 400 * DAY

    between = [moment + (until - moment) * part / 50 for part in range(50)]

    assert {schedule.may_be_up(instant) for instant in between} == {up}
    assert change is None or schedule.may_be_up(change) is not up
    assert change is None or (change > moment and change.second == change.microsecond == 0)


@settings(slow_is_fine, max_examples=300)
@given(case=cases())
def test_what_is_printed_is_read_as_the_same_schedule(case: Case) -> None:
    schedule = parsed(case[1])

    assert parse_schedule(str(schedule)) == schedule
    assert str(parse_schedule(str(schedule))) == str(schedule)
