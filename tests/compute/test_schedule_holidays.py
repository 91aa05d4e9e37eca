"""Public holidays: on which days weekly windows do not begin, and which ones never notice."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from shared.compute.schedule import parse_schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_weekly_window_does_not_begin_on_a_holiday() -> None:
    schedule = parse_schedule("Mon-Fri 07:30-20:30 Europe/Berlin holidays=DE")

    assert not schedule.may_be_up(at("2026-05-01T12:00+02:00"))
    assert schedule.next_change(at("2026-05-01T12:00+02:00")) == at("2026-05-04T07:30+02:00")


def test_without_a_calendar_a_holiday_is_an_ordinary_day() -> None:
    schedule = parse_schedule("Mon-Fri 07:30-20:30 Europe/Berlin")

    assert schedule.may_be_up(at("2026-05-01T12:00+02:00"))


def test_a_region_has_holidays_of_its_own() -> None:
    epiphany = at("2026-01-06T12:00+01:00")

    assert parse_schedule("Mon-Fri 08:00-18:00 Europe/Berlin holidays=DE").may_be_up(epiphany)
    bavaria = parse_schedule("Mon-Fri 08:00-18:00 Europe/Berlin holidays=DE-BY")
    assert not bavaria.may_be_up(epiphany)


def test_several_calendars_add_up() -> None:
    schedule = parse_schedule("Mon-Fri 08:00-18:00 UTC holidays=DE+US")

    assert not schedule.may_be_up(at("2026-05-01T12:00+00:00"))
    assert not schedule.may_be_up(at("2025-11-27T12:00+00:00"))


def test_each_window_has_calendars_of_its_own() -> None:
    schedule = parse_schedule(
        "Mon-Fri 08:00-18:00 Europe/Berlin holidays=DE, Mon-Fri 10:00-12:00 Europe/Berlin"
    )

    assert not schedule.may_be_up(at("2026-05-01T09:00+02:00"))
    assert schedule.may_be_up(at("2026-05-01T11:00+02:00"))


def test_a_night_that_begins_before_a_holiday_ends_on_it() -> None:
    schedule = parse_schedule("Mon-Sun 22:00-06:00 Europe/Berlin holidays=DE")

    assert schedule.may_be_up(at("2026-05-01T05:00+02:00"))
    assert not schedule.may_be_up(at("2026-05-01T23:00+02:00"))
    assert not schedule.may_be_up(at("2026-05-02T05:00+02:00"))
    assert schedule.may_be_up(at("2026-05-02T23:00+02:00"))


def test_a_holiday_is_a_date_in_the_zone_of_the_window() -> None:
    schedule = parse_schedule("Mon-Sun 00:00-24:00 Pacific/Auckland holidays=NZ")

    # Waitangi Day, 6 February, begins there while London still has the fifth.
    assert schedule.next_change(at("2026-02-05T00:00+00:00")) == at("2026-02-06T00:00+13:00")
    assert schedule.next_change(at("2026-02-05T12:00+00:00")) == at("2026-02-07T00:00+13:00")


def test_a_dated_window_holds_on_holidays() -> None:
    schedule = parse_schedule(
        "Mon-Fri 08:00-18:00 Europe/Berlin holidays=DE, "
        "2026-12-25T08:00/2026-12-25T12:00 Europe/Berlin"
    )

    assert schedule.may_be_up(at("2026-12-25T09:00+01:00"))
    assert not schedule.may_be_up(at("2026-12-25T13:00+01:00"))


def test_a_holiday_that_is_observed_in_the_year_before_is_known() -> None:
    schedule = parse_schedule("Mon-Fri 08:00-18:00 America/New_York holidays=US")

    # New Year's Day of 2022 was a Saturday.
    assert not schedule.may_be_up(at("2021-12-31T12:00-05:00"))


def test_a_year_whose_calendar_is_not_known_yet_has_the_holidays_that_are() -> None:
    schedule = parse_schedule("Mon-Fri 08:00-18:00 Asia/Kolkata holidays=IN, Sat 08:00-09:00 UTC")

    assert not schedule.may_be_up(at("2040-10-02T12:00+05:30"))
    assert schedule.may_be_up(at("9000-10-02T12:00+05:30"))


@pytest.mark.parametrize(
    ("text", "loaded"),
    [
        ("Mon-Fri 08:00-18:00 Europe/Berlin", "False"),
        ("Mon-Fri 08:00-18:00 Europe/Berlin holidays=DE", "True"),
    ],
)
def test_calendars_are_loaded_only_where_they_are_named(text: str, loaded: str) -> None:
    program = (
        "import sys; from datetime import UTC, datetime;"
        "from shared.compute.uptime import read_uptime;"
        f"read_uptime({{'uptime': '{text}'}}).schedule.next_change(datetime.now(UTC));"
        "print('holidays' in sys.modules)"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert ran.stdout.strip() == loaded
