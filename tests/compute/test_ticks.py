"""Which tick of the timer sees a change first, and which one fires now."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.compute.ticks import first_tick, scheduled_time

QUARTERLY = "0 */15 * * * *"
TEN = datetime(2026, 11, 20, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "not_before", "tick"),
    [
        (QUARTERLY, TEN, TEN),
        (QUARTERLY, TEN - timedelta(microseconds=1), TEN),
        (QUARTERLY, TEN + timedelta(microseconds=1), TEN + timedelta(minutes=15)),
        (QUARTERLY, TEN + timedelta(seconds=1), TEN + timedelta(minutes=15)),
        ("*/15 * * * *", TEN, TEN),
        ("0 0 22 * * *", TEN, TEN),
        ("0 0 22 * * *", TEN + timedelta(seconds=1), TEN + timedelta(days=1)),
        ("30 0 6 * * Monday", TEN, datetime(2026, 11, 23, 6, 0, 30, tzinfo=UTC)),
        # NCronTab wants day of month and day of week to match: the next Friday the 13th.
        ("0 0 0 13 * 5", TEN, datetime(2027, 8, 13, tzinfo=UTC)),
    ],
)
def test_the_first_tick_is_at_the_moment_or_after_it(
    schedule: str, not_before: datetime, tick: datetime
) -> None:
    assert first_tick(schedule, not_before=not_before) == tick


@pytest.mark.parametrize("schedule", [None, "", "nightly", "0 0 25 * * *", "0 0 0 31 2 *"])
def test_what_is_no_schedule_has_no_ticks(schedule: str | None) -> None:
    assert first_tick(schedule, not_before=TEN) is None


def test_a_tick_that_fires_early_knows_its_time() -> None:
    status = {"Last": "2026-11-20T21:45:00+00:00", "Next": "2026-11-20T22:00:00+00:00"}

    early = scheduled_time(status, now=TEN - timedelta(milliseconds=200))

    assert early == TEN
    assert scheduled_time(status, now=TEN) is None
    assert scheduled_time(None, now=TEN) is None
