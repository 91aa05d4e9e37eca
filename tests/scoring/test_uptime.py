"""Uptime from hourly roll-ups: what is not known is not up, and merging in any order is the same."""

from datetime import datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.scoring.judgement import Verdict
from shared.scoring.uptime import BUCKETS, RollUp, roll_up, together, uptime
from tests.support.scoring import NOON, a_judgement

FIVE = timedelta(minutes=5)
DAY = timedelta(days=1)


def looks(letters: str, *, begin: datetime = NOON, seconds: float | None = 0.2) -> list[RollUp]:
    """One look every five minutes: up, down, busy, slow; a dot is a look that was missed."""
    words = {"u": Verdict.HEALTHY, "d": Verdict.DOWN, "b": Verdict.BUSY, "s": Verdict.SLOW}
    found: list[RollUp] = []
    before: datetime | None = None
    for place, letter in enumerate(letters):
        if letter == ".":
            continue
        minutes = (begin - NOON).total_seconds() / 60 + 5 * place
        judgement = a_judgement(words[letter], minutes=minutes, seconds=seconds)
        found += roll_up(judgement, looked_before=before)
        before = judgement.at
    return found


def test_a_first_look_speaks_for_no_time() -> None:
    found = uptime(looks("u"), at=NOON + FIVE, over=DAY)

    assert (found.known_seconds, found.share) == (0, None)


def test_the_share_is_that_of_the_known_time() -> None:
    found = uptime(looks("uuusd"), at=NOON + timedelta(hours=1), over=DAY)

    assert found.known_seconds == 20 * 60
    assert found.share == pytest.approx(0.75)
    assert found.unknown_seconds == 24 * 3600 - 20 * 60


def test_busy_time_is_neither_up_nor_down() -> None:
    found = uptime(looks("uubb"), at=NOON + timedelta(hours=1), over=DAY)

    assert (found.known_seconds, found.share) == (300, 1.0)


def test_a_look_after_a_long_gap_speaks_for_a_quarter_of_an_hour() -> None:
    found = uptime(looks("u...........u"), at=NOON + timedelta(hours=2), over=DAY)

    assert found.known_seconds == 15 * 60


def test_a_span_of_time_is_cut_at_full_hours() -> None:
    parts = looks("uu", begin=NOON + timedelta(minutes=58))[1:]

    assert [(each.hour, each.up_seconds, each.rounds) for each in parts] == [
        (NOON, 120, 0),
        (NOON + timedelta(hours=1), 180, 1),
    ]


def test_a_look_at_a_full_hour_belongs_to_the_hour_that_begins() -> None:
    parts = looks("uu", begin=NOON + timedelta(minutes=55))[1:]

    assert [(each.hour, each.up_seconds, each.rounds) for each in parts] == [
        (NOON, 300, 0),
        (NOON + timedelta(hours=1), 0, 1),
    ]


def test_only_hours_of_the_window_count() -> None:
    hours = [*looks("dddd"), *looks("uuuu", begin=NOON + timedelta(hours=20))]

    found = uptime(hours, at=NOON + timedelta(hours=21), over=timedelta(hours=3))

    assert found.since == NOON + timedelta(hours=18)
    assert found.share == pytest.approx(1.0)


def test_latencies_are_told_by_their_bucket_and_never_above_the_slowest() -> None:
    quick, slow = looks("u" * 9, seconds=0.2), looks("u", seconds=4.0)

    found = together([*quick, *slow])

    assert found is not None
    assert found.latency_seconds(0.5) == pytest.approx(0.25)
    assert found.latency_seconds(0.99) == pytest.approx(4.0)
    assert found.slowest_ms == 4000


def test_a_bucket_holds_its_upper_bound() -> None:
    (found,) = looks("u", seconds=BUCKETS[2])

    assert found.latencies.index(1) == 2


def test_a_look_that_another_overtook_speaks_for_no_time() -> None:
    found = roll_up(a_judgement(), looked_before=NOON + timedelta(hours=1))

    assert [(each.hour, each.up_seconds, each.rounds) for each in found] == [(NOON, 0, 1)]


def test_what_took_longer_than_any_bucket_is_told_by_the_slowest() -> None:
    (found,) = looks("u", seconds=77)

    assert found.latency_seconds(0.5) == pytest.approx(77)


def test_without_a_golden_answer_there_is_no_latency() -> None:
    (found,) = looks("b", seconds=None)

    assert found.latency_seconds(0.5) is None
    assert together([]) is None


COUNTS = st.integers(0, 1000)


@st.composite
def roll_ups(draw: st.DrawFn) -> RollUp:
    return RollUp(
        hour=NOON + timedelta(hours=draw(st.integers(0, 50))),
        rounds=draw(COUNTS),
        up_seconds=draw(COUNTS),
        down_seconds=draw(COUNTS),
        latencies=tuple(draw(COUNTS) for _ in range(len(BUCKETS) + 1)),
        slowest_ms=draw(COUNTS),
    )


@given(one=roll_ups(), two=roll_ups(), three=roll_ups())
def test_merging_is_associative_and_commutative(one: RollUp, two: RollUp, three: RollUp) -> None:
    assert one.merged(two).merged(three) == one.merged(two.merged(three))
    assert one.merged(two) == two.merged(one)


@given(roll=roll_ups())
def test_a_roll_up_survives_json(roll: RollUp) -> None:
    assert RollUp.from_json(roll.to_json()) == roll


@given(
    gaps=st.lists(st.floats(0.001, 200 * 60), min_size=1, max_size=30),
    verdicts=st.lists(st.sampled_from(Verdict), min_size=30, max_size=30),
)
def test_no_time_is_counted_twice_however_looks_fall(
    gaps: list[float], verdicts: list[Verdict]
) -> None:
    before, hours, minutes = None, list[RollUp](), 0.0
    for gap, verdict in zip(gaps, verdicts, strict=False):
        minutes += gap / 60
        judgement = a_judgement(verdict, minutes=minutes)
        hours += roll_up(judgement, looked_before=before)
        before = judgement.at

    total = reduce(RollUp.merged, hours)
    assert total.rounds == len(gaps)
    assert total.up_seconds + total.down_seconds <= sum(gaps[1:]) + 1
    assert all(each.up_seconds >= 0 and each.down_seconds >= 0 for each in hours)
    assert all(each.up_seconds + each.down_seconds <= 3600 for each in hours)
