"""Rows become hours, hours become uptime, and what is old is forgotten."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shared.scoring.judgement import Verdict
from shared.scoring.records import CheckRow
from shared.scoring.rolling import Rolling
from shared.scoring.uptime import together, uptime
from tests.support.builders import NIGHT
from tests.support.fake_records import FakeCheckHistory, FakeHourHistory

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def rows(
    first: datetime, count: int, *, verdict: Verdict = Verdict.HEALTHY, service: str = "weight"
) -> Sequence[CheckRow]:
    """Checks every five minutes."""
    return [
        CheckRow(
            service=service,
            at=first + number * 5 * MINUTE,
            verdict=verdict,
            evidence="golden_right",
            text="",
            seconds=0.04,
        )
        for number in range(count)
    ]


def a_rolling() -> tuple[Rolling, FakeCheckHistory, FakeHourHistory]:
    history, hours = FakeCheckHistory(), FakeHourHistory()
    return Rolling(history=history, hours=hours), history, hours


async def test_an_hour_is_rolled_up_when_it_is_over_with_the_look_that_ends_it() -> None:
    rolling, history, hours = a_rolling()
    await history.append(rows(NIGHT - 5 * MINUTE, 14))

    await rolling.roll(["weight"], at=NIGHT + HOUR + MINUTE)

    (night,) = [each for (_, hour), each in hours.hours.items() if hour == NIGHT]
    assert (night.up_seconds, night.down_seconds, night.rounds) == (3600, 0, 12)
    assert hours.until == NIGHT + HOUR


async def test_an_hour_that_is_not_over_is_not_rolled_up() -> None:
    rolling, history, hours = a_rolling()
    await history.append(rows(NIGHT, 6))

    await rolling.roll(["weight"], at=NIGHT + 30 * MINUTE)

    assert (("weight", NIGHT) in hours.hours, hours.until) == (False, NIGHT)


async def test_rolling_up_again_changes_nothing() -> None:
    rolling, history, hours = a_rolling()
    await history.append(rows(NIGHT, 13))
    await rolling.roll(["weight"], at=NIGHT + HOUR)
    before = dict(hours.hours)
    hours.until = NIGHT

    await rolling.roll(["weight"], at=NIGHT + HOUR)

    assert hours.hours == before


async def test_rows_are_kept_for_a_day_and_hours_for_a_month() -> None:
    rolling, history, hours = a_rolling()
    await history.append(rows(NIGHT, 12 * 24 * 40))

    for number in range(24 * 40):
        await rolling.roll(["weight"], at=NIGHT + (number + 1) * HOUR)

    end = NIGHT + 40 * DAY
    oldest_row = min(row.at for row in history.rows.values())
    oldest_hour = min(hour for _, hour in hours.hours)
    assert timedelta(days=1) <= end - oldest_row <= timedelta(days=1, hours=2)
    assert timedelta(days=30) <= end - oldest_hour <= timedelta(days=30, hours=3)


async def test_uptime_counts_what_is_rolled_up_and_what_is_not_yet_once_each() -> None:
    rolling, history, _ = a_rolling()
    await history.append(rows(NIGHT, 18))
    await history.append(rows(NIGHT + 90 * MINUTE, 6, verdict=Verdict.DOWN))
    at = NIGHT + 2 * HOUR - 5 * MINUTE
    fresh = together(await rolling.hours_of("weight", at=at + MINUTE))

    await rolling.roll(["weight"], at=NIGHT + HOUR + MINUTE)
    rolled = await rolling.hours_of("weight", at=at + MINUTE)

    assert together(rolled) == fresh
    day = uptime(rolled, at=at, over=DAY)
    assert (day.up_seconds, day.known_seconds) == (85 * 60, 115 * 60)


async def test_after_a_long_pause_only_what_can_have_rows_is_rolled_up() -> None:
    rolling, history, hours = a_rolling()
    hours.until = NIGHT - 90 * DAY
    await history.append(rows(NIGHT - HOUR, 13))

    await rolling.roll(["weight"], at=NIGHT)

    assert hours.until == NIGHT
    assert len(hours.hours) == 1


async def test_old_hours_are_looked_for_once_however_many_hours_are_rolled_up() -> None:
    looked: list[datetime] = []

    class Hours(FakeHourHistory):
        async def forget_hours(self, services: Collection[str], *, before: datetime) -> None:
            looked.append(before)
            await super().forget_hours(services, before=before)

    rolling = Rolling(history=FakeCheckHistory(), hours=Hours())

    for minute in (5, 10):
        await rolling.roll(["weight"], at=NIGHT.replace(minute=minute))

    # There is nothing to look for in a roll that ends no hour.
    assert len(looked) == 1
