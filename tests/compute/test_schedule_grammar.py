"""Which texts are schedules, what they mean, and what is said about those that are not."""

from datetime import UTC, datetime

import pytest

from shared.compute.schedule import Schedule, ScheduleError, parse_schedule

CANONICAL = [
    "Mon-Fri 07:30-20:30 Europe/Berlin",
    "Mon-Sun 06:00-22:00 UTC",
    "Sun-Thu 08:00-18:00 Asia/Riyadh",
    "Fri-Mon 09:00-12:00 America/Port-au-Prince",
    "Sat+Sun 10:00-14:00 Etc/GMT+3",
    "Mon+Wed+Fri 22:00-06:00 America/Argentina/Buenos_Aires",
    "Mon-Wed+Sat 00:00-24:00 UTC",
    "Mon-Fri 07:30-20:30 Europe/Berlin, Sat 10:00-14:00 America/New_York",
    "Mon-Fri 07:30-20:30 Europe/Berlin holidays=AT+DE-BY",
    "2026-12-24T08:00/2026-12-27T06:00 Europe/Berlin",
    "always",
    "none",
]
SPELLINGS = {
    "mon-fri 7:30-20:30 europe/berlin": "Mon-Fri 07:30-20:30 Europe/Berlin",
    "Monday-FRIDAY 07:30-20:30 Europe/Berlin": "Mon-Fri 07:30-20:30 Europe/Berlin",
    "Mon,Wed, Fri 08:00-18:00 UTC": "Mon+Wed+Fri 08:00-18:00 UTC",
    "Sat,Mon-Tue 08:00-18:00 UTC,Sun 10:00-11:00 UTC": (
        "Mon+Tue+Sat 08:00-18:00 UTC, Sun 10:00-11:00 UTC"
    ),
    "Mon - Fri  07:30 – 20:30\tUTC": "Mon-Fri 07:30-20:30 UTC",  # noqa: RUF001  # as Word types it
    "Mon 22:00-00:00 UTC": "Mon 22:00-24:00 UTC",
    "Mon-Fri 08:00-09:00 UTC holidays=de-by+at": "Mon-Fri 08:00-09:00 UTC holidays=AT+DE-BY",
    "Mon-Fri 08:00-09:00 UTC, Mon-Fri 08:00-09:00 utc": "Mon-Fri 08:00-09:00 UTC",
    "2026-12-24t08:00:00/2026-12-26T24:00 utc": "2026-12-24T08:00/2026-12-27T00:00 UTC",
    " Always ": "always",
    "NONE": "none",
}
MISTAKES = {
    "": "it is empty or has an empty window",
    " , ": "it is empty or has an empty window",
    "Mon-Fri 08:00-18:00 UTC,": "it is empty or has an empty window",
    "never": "`never` is not a day of the week",
    "Mon": "`Mon` has no times",
    "Mon-Fri 08:00-18:00 UTC, Sat,Sun": "`Sat+Sun` has no times",
    "Mon-Fry 08:00-18:00 UTC": "`Fry` is not a day of the week",
    "08:00-18:00 UTC": "`08:00` is not a day of the week",
    "Mon-Fri 08:00 UTC": "`08:00` is not a pair of times",
    "Mon-Fri 8-18 UTC": "`8` is not a time of day",
    "Mon-Fri 8am-6pm UTC": "`8am` is not a time of day",
    "Mon-Fri 08:60-18:00 UTC": "`08:60` is not a time of day",
    "Mon-Fri 08:00-24:01 UTC": "`24:01` is not a time of day",
    "Mon-Fri ٠٨:00-18:00 UTC": "`٠٨:00` is not a time of day",
    "Mon-Fri 24:00-06:00 UTC": "no window starts at 24:00",
    "Mon-Fri 08:00-08:00 UTC": "`08:00-08:00` starts and ends at the same time",
    "Mon-Fri 08:00-18:00": "`Mon-Fri 08:00-18:00` has no time zone",
    "Mon-Fri 08:00-18:00 Europe/Berln": "`Europe/Berln` is not an IANA time zone",
    "Mon-Fri 08:00-18:00 CEST": "`CEST` is not an IANA time zone",
    "Mon-Fri 08:00-18:00 UTC+2": "`UTC+2` is not an IANA time zone",
    "Mon-Fri 08:00-18:00 localtime": "`localtime` is not an IANA time zone",
    "Mon-Fri 08:00-18:00 ../etc/passwd": "`../etc/passwd` is not an IANA time zone",
    "Mon-Fri 08:00-18:00 W. Europe Standard Time": (
        "`W. Europe Standard Time` is not a time zone's name"
    ),
    "Mon-Fri 08:00-18:00 UTC holidays=ZZ": "no public holidays are known for the country `ZZ`",
    "Mon-Fri 08:00-18:00 UTC holidays=HolidayBase": (
        "no public holidays are known for the country `HolidayBase`"
    ),
    "Mon-Fri 08:00-18:00 UTC holidays=DE-QQ": (
        "no public holidays are known for the region `QQ` of DE"
    ),
    "Mon-Fri 08:00-18:00 UTC holidays=": "no public holidays are known for the country ``",
    "Mon-Fri 08:00-18:00 UTC vacation=DE": "`vacation=DE` is not understood",
    "always, Mon-Fri 08:00-18:00 UTC": "`always` is followed by something else",
    "Mon-Fri 08:00-18:00 UTC, none": "`none` is followed by something else",
    "2026-12-24T08:00 UTC": "`2026-12-24T08:00` has no end",
    "2026-12-24/2026-12-27 UTC": "`2026-12-24` is not a date and time",
    "2026-02-30T08:00/2026-12-27T06:00 UTC": "`2026-02-30T08:00` is not a date and time",
    "2026-12-24T08:00Z/2026-12-27T06:00Z UTC": "`2026-12-24T08:00Z` is not a date and time",
    "2026-12-24T08:00/2026-12-24T08:00 UTC": (
        "`2026-12-24T08:00/2026-12-24T08:00` ends before it starts"
    ),
    "2026-12-24T08:00/9999-12-27T06:00 UTC": "the year 9999 is out of range",
    "2026-12-24T08:00/2026-12-27T06:00": ("`2026-12-24T08:00/2026-12-27T06:00` has no time zone"),
    "2026-12-24T08:00/2026-12-27T06:00 UTC holidays=DE": (
        "a window with dates holds on public holidays too"
    ),
}
ADVICE = {
    "Mon-Fri 08:00-18:00 Europe/Berln": "write Europe/Berlin",
    "Mon-Fri 08:00-18:00 berlin": "write Europe/Berlin",
    "Mon-Fri 08:00-18:00": "write it as Mon-Fri 08:00-18:00 Europe/Berlin, say",
    "Mon-Fri 08:00-18:00 UTC holidays=GB-XX": (
        "write holidays=GB, or one of its regions: GB-ENG, GB-NIR, GB-SCT, GB-WLS"
    ),
    "Mon-Fri 08:00-08:00 UTC": "write 00:00-24:00 for a whole day",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_a_canonical_text_is_printed_as_it_was_read(text: str) -> None:
    assert str(parse_schedule(text)) == text


@pytest.mark.parametrize("text", SPELLINGS)
def test_other_spellings_mean_the_same(text: str) -> None:
    canonical = SPELLINGS[text]

    assert str(parse_schedule(text)) == canonical
    assert parse_schedule(text) == parse_schedule(canonical)


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named_and_corrected(text: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(text)

    assert caught.value.problem == MISTAKES[text]
    assert caught.value.suggestion
    assert str(caught.value) == f"{caught.value.problem}; {caught.value.suggestion}"


@pytest.mark.parametrize("text", ADVICE)
def test_what_would_be_right_is_said(text: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(text)

    assert caught.value.suggestion == ADVICE[text]


def test_what_someone_typed_is_cut_and_made_printable_in_an_error() -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_schedule("x" * 5000 + "\x1b[2J")
    with pytest.raises(ScheduleError) as escaped:
        parse_schedule("M\x1bon 08:00-09:00 UTC")

    assert len(str(caught.value)) < 300
    assert escaped.value.problem == "`M?on` is not a day of the week"


def test_a_schedule_is_shown_in_the_zone_of_its_first_window() -> None:
    schedule = parse_schedule("Sat 08:00-09:00 Asia/Tokyo, Sun 08:00-09:00 UTC")

    assert schedule.zone.key == "Asia/Tokyo"
    assert parse_schedule("always").zone.key == "UTC"


def test_the_same_text_is_read_once() -> None:
    assert parse_schedule(CANONICAL[0]) is parse_schedule(CANONICAL[0])


@pytest.mark.parametrize("at", [datetime(2026, 1, 1), datetime(1969, 12, 31, tzinfo=UTC)])  # noqa: DTZ001  # naive on purpose
def test_an_instant_must_be_aware_and_in_range(at: datetime) -> None:
    for schedule in (Schedule(), parse_schedule(CANONICAL[0])):
        with pytest.raises(ValueError, match=r"zone|outside"):
            schedule.may_be_up(at)
        with pytest.raises(ValueError, match=r"zone|outside"):
            schedule.next_change(at)
