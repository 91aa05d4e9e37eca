"""What schedules mean on the clock: ordinary nights, clock changes, dated windows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.compute.schedule import parse_schedule

SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# A schedule, an instant, and the two instants that follow at which a machine's right to be up
# changes. The offset in each instant is the one that the zone's clocks show.
CHANGES = [
    pytest.param(
        "Mon-Fri 07:30-20:30 Europe/Berlin",
        "2026-01-09T12:00+01:00",
        ["2026-01-09T20:30+01:00", "2026-01-12T07:30+01:00"],
        id="a weekend is off",
    ),
    pytest.param(
        "Sun-Thu 08:00-18:00 Asia/Riyadh",
        "2026-01-08T19:00+03:00",
        ["2026-01-11T08:00+03:00", "2026-01-11T18:00+03:00"],
        id="a week begins on Sunday",
    ),
    pytest.param(
        "Fri 22:00-06:00 UTC",
        "2026-01-10T03:00+00:00",
        ["2026-01-10T06:00+00:00", "2026-01-16T22:00+00:00"],
        id="a window across midnight belongs to the day it begins on",
    ),
    pytest.param(
        "Mon 08:00-12:00 UTC, Mon 12:00-14:00 UTC, Mon 13:00-15:00 UTC",
        "2026-01-12T09:00+00:00",
        ["2026-01-12T15:00+00:00", "2026-01-19T08:00+00:00"],
        id="windows that touch or overlap are one",
    ),
    pytest.param(
        "Mon 09:00-17:00 Europe/London, Mon 09:00-17:00 America/New_York",
        "2026-01-12T08:00+00:00",
        ["2026-01-12T09:00+00:00", "2026-01-12T17:00-05:00"],
        id="two zones share a day",
    ),
    pytest.param(
        "2026-12-24T08:00/2026-12-27T06:00 Europe/Berlin",
        "2026-12-01T00:00+00:00",
        ["2026-12-24T08:00+01:00", "2026-12-27T06:00+01:00"],
        id="a dated window comes once",
    ),
    pytest.param(
        "Mon-Sun 02:30-08:00 Europe/Berlin",
        "2026-03-29T00:00+01:00",
        ["2026-03-29T03:00+02:00", "2026-03-29T08:00+02:00"],
        id="a start that is skipped is the instant of the skip",
    ),
    pytest.param(
        "Mon-Sun 00:00-02:30 Europe/Berlin",
        "2026-03-29T01:00+01:00",
        ["2026-03-29T03:00+02:00", "2026-03-30T00:00+02:00"],
        id="an end that is skipped is the instant of the skip",
    ),
    pytest.param(
        "Sun 02:10-02:50 Europe/Berlin",
        "2026-03-28T00:00+01:00",
        ["2026-04-05T02:10+02:00", "2026-04-05T02:50+02:00"],
        id="a window that is skipped altogether does not exist",
    ),
    pytest.param(
        "Mon-Sun 02:30-08:00 Europe/Berlin",
        "2026-10-25T00:00+02:00",
        ["2026-10-25T02:30+02:00", "2026-10-25T08:00+01:00"],
        id="a start that exists twice is the first",
    ),
    pytest.param(
        "Mon-Sun 00:00-02:30 Europe/Berlin",
        "2026-10-25T01:00+02:00",
        ["2026-10-25T02:30+01:00", "2026-10-26T00:00+01:00"],
        id="an end that exists twice is the second",
    ),
    pytest.param(
        "Mon-Sun 01:45-02:15 Australia/Lord_Howe",
        "2026-10-04T00:00+10:30",
        ["2026-10-04T01:45+10:30", "2026-10-04T02:30+11:00"],
        id="clocks that skip half an hour",
    ),
    pytest.param(
        "Mon-Sun 01:45-02:15 Australia/Lord_Howe",
        "2026-04-05T00:00+11:00",
        ["2026-04-05T01:45+11:00", "2026-04-05T02:15+10:30"],
        id="clocks that repeat half an hour",
    ),
    pytest.param(
        "Sun 00:00-12:00 America/Sao_Paulo",
        "2018-11-03T12:00-03:00",
        ["2018-11-04T01:00-02:00", "2018-11-04T12:00-02:00"],
        id="a day without its midnight begins when it begins",
    ),
    pytest.param(
        "Sat 12:00-24:00 America/Sao_Paulo",
        "2018-02-17T12:00-02:00",
        ["2018-02-18T00:00-03:00", "2018-02-24T12:00-03:00"],
        id="an evening hour that is repeated belongs to its day",
    ),
    pytest.param(
        "Fri 00:00-24:00 Africa/Cairo",
        "2026-04-23T12:00+02:00",
        ["2026-04-24T01:00+03:00", "2026-04-25T00:00+03:00"],
        id="Cairo skips the midnight before a Friday",
    ),
    pytest.param(
        "Sat 22:00-00:30 Asia/Beirut",
        "2026-03-28T12:00+02:00",
        ["2026-03-28T22:00+02:00", "2026-03-29T01:00+03:00"],
        id="Beirut skips the half hour after midnight",
    ),
    pytest.param(
        "Mon-Sun 08:00-18:00 Pacific/Apia",
        "2011-12-29T12:00-10:00",
        ["2011-12-29T18:00-10:00", "2011-12-31T08:00+14:00"],
        id="Samoa skipped a whole day",
    ),
]


@pytest.mark.parametrize(("text", "start", "changes"), CHANGES)
def test_the_next_two_changes(text: str, start: str, changes: list[str]) -> None:
    schedule = parse_schedule(text)

    first = schedule.next_change(at(start))
    assert first == at(changes[0])
    assert schedule.next_change(at(changes[0])) == at(changes[1])


@pytest.mark.parametrize(("text", "start", "changes"), CHANGES)
def test_a_change_happens_at_its_instant(text: str, start: str, changes: list[str]) -> None:
    schedule = parse_schedule(text)
    up = schedule.may_be_up(at(start))

    for change in map(at, changes):
        assert schedule.may_be_up(change - SECOND) is up
        assert schedule.may_be_up(change) is not up
        up = not up


def test_a_tick_of_the_night_finds_the_default_window_closed() -> None:
    schedule = parse_schedule("Mon-Sun 06:00-22:00 UTC")

    assert schedule.may_be_up(at("2026-01-09T21:59:59.999999+00:00"))
    assert not schedule.may_be_up(at("2026-01-09T22:00+00:00"))


@pytest.mark.parametrize(("text", "up"), [("always", True), ("none", False)])
def test_always_and_none_never_change(text: str, *, up: bool) -> None:
    schedule = parse_schedule(text)

    assert schedule.may_be_up(at("2026-01-09T22:00+00:00")) is up
    assert schedule.next_change(at("2026-01-09T22:00+00:00")) is None


@pytest.mark.parametrize(
    "text",
    [
        "Mon-Sun 00:00-24:00 Europe/Berlin",
        "Mon-Fri 00:00-24:00 Europe/Berlin, Sat+Sun 00:00-24:00 Europe/Berlin",
        "Mon-Sun 06:00-22:00 UTC, Mon-Sun 22:00-06:00 UTC",
    ],
)
def test_windows_without_a_gap_never_change(text: str) -> None:
    schedule = parse_schedule(text)

    assert schedule.may_be_up(at("2026-03-29T02:00+01:00"))
    assert schedule.next_change(at("2026-01-09T22:00+00:00")) is None


def test_a_change_more_than_a_year_away_is_none_until_it_comes_near() -> None:
    schedule = parse_schedule("2030-06-01T00:00/2030-06-02T00:00 UTC")

    assert schedule.next_change(at("2026-01-01T00:00+00:00")) is None
    assert schedule.next_change(at("2029-05-01T00:00+00:00")) == at("2030-06-01T00:00+00:00")


def test_what_is_over_never_changes() -> None:
    schedule = parse_schedule("2020-06-01T00:00/2020-06-02T00:00 UTC")

    assert schedule.next_change(at("2026-01-01T00:00+00:00")) is None


def test_an_instant_may_carry_any_offset_and_answers_are_utc() -> None:
    schedule = parse_schedule("Mon-Fri 07:30-20:30 Europe/Berlin")
    tokyo = datetime(2026, 1, 9, 20, tzinfo=timezone(timedelta(hours=9)))

    assert schedule.may_be_up(tokyo)
    change = schedule.next_change(tokyo)
    assert change == datetime(2026, 1, 9, 19, 30, tzinfo=UTC)
    assert change.tzinfo is UTC


def test_a_window_may_span_a_century() -> None:
    schedule = parse_schedule("2026-01-01T00:00/2199-01-01T00:00 America/New_York")

    assert schedule.may_be_up(at("2150-01-01T00:00+00:00"))
    assert schedule.next_change(at("2198-12-01T00:00+00:00")) == at("2199-01-01T00:00-05:00")
