"""Times of restarts: what is understood, and when the last one was."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.scoring.restarts import check_restart_schedule, last_restart_time

# A Monday.
NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "before_noon"),
    [
        ("12:00", timedelta(0)),
        ("03:30", timedelta(hours=8, minutes=30)),
        ("12:01", timedelta(hours=23, minutes=59)),
        ("Mon 03:30", timedelta(hours=8, minutes=30)),
        ("Sun 12:00", timedelta(days=1)),
        ("Mon 12:01", timedelta(days=6, hours=23, minutes=59)),
        ("Tue-Fri 12:00", timedelta(days=3)),
        ("Sat-Mon 12:00", timedelta(0)),
        ("Sat-Sun 23:00", timedelta(hours=13)),
    ],
)
def test_the_last_time_is_the_last_one_that_has_come(schedule: str, before_noon: timedelta) -> None:
    assert last_restart_time(schedule, now=NOON) == NOON - before_noon


@pytest.mark.parametrize(
    "text", ["", "3:30", "24:00", "12:60", "mon 03:30", "Sun", "Mon,Tue 03:30", "03:30 ", "* * *"]
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        check_restart_schedule(text)
