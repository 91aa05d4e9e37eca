"""Schedules are NCronTab in UTC."""

from datetime import UTC, datetime

import pytest

from local_host.schedule import ScheduleError, parse_schedule

# A Tuesday.
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("0 0 22 * * *", datetime(2030, 1, 1, 22, tzinfo=UTC)),
        ("30 */5 * * * *", datetime(2030, 1, 1, 0, 0, 30, tzinfo=UTC)),
        ("0 22 * * *", datetime(2030, 1, 1, 22, tzinfo=UTC)),
        ("0 0 0 * * 0", datetime(2030, 1, 6, tzinfo=UTC)),
        ("0 30 9 * January Monday", datetime(2030, 1, 7, 9, 30, tzinfo=UTC)),
        ("0 0 9-17/4 * * 1-5", datetime(2030, 1, 1, 9, tzinfo=UTC)),
        ("0 0 0 13 * Fri", datetime(2030, 9, 13, tzinfo=UTC)),
        ("0 0 0 * * *", datetime(2030, 1, 2, tzinfo=UTC)),
    ],
    ids=[
        "every night",
        "seconds come first",
        "five fields start with minutes",
        "0 is Sunday",
        "full names",
        "ranges with steps",
        "day of month and day of week must both match",
        "strictly after now",
    ],
)
def test_a_timer_is_due(expression: str, due: datetime) -> None:
    assert parse_schedule(expression, now=NOW).next_after(NOW) == due


@pytest.mark.parametrize(
    "expression",
    ["", "* * *", "0 0 25 * * *", "@daily", "0 0 0 L * *", "0 0 0 31 2 *", "0 0 22 * * * 2030"],
    ids=[
        "empty",
        "too few fields",
        "no such hour",
        "a nickname",
        "the last day",
        "a day that never comes",
        "a year",
    ],
)
def test_a_schedule_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError, match="was not recognized as a valid cron expression"):
        parse_schedule(expression, now=NOW)
