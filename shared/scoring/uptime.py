"""How much of the time a service was up, and how fast it answered: hourly roll-ups, merged. Pure.

Time is counted in whole seconds, so that merging in any order gives the same. What nobody looked
at, and what was busy, is unknown: it counts neither as up nor as down.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, reduce
from typing import Any

from pydantic import JsonValue, TypeAdapter

from shared.scoring.judgement import FAILURES, Judgement, Verdict

# Upper bounds of the latency histogram, in seconds; the last bucket holds what took longer.
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# One look speaks for the time since the one before, but for no more than three rounds.
LONGEST_LOOK = timedelta(minutes=15)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class RollUp:
    """One hour of a service, or several merged; `hour` is when the first one begins, in UTC.

    `latencies` counts the golden answers of each bucket; `slowest_ms` is the slowest of them.
    """

    hour: datetime
    rounds: int = 0
    up_seconds: int = 0
    down_seconds: int = 0
    latencies: tuple[int, ...] = (0,) * (len(BUCKETS) + 1)
    slowest_ms: int = 0

    def merged(self, other: RollUp) -> RollUp:
        """Return both together; associative and commutative."""
        return RollUp(
            hour=min(self.hour, other.hour),
            rounds=self.rounds + other.rounds,
            up_seconds=self.up_seconds + other.up_seconds,
            down_seconds=self.down_seconds + other.down_seconds,
            latencies=tuple(map(sum, zip(self.latencies, other.latencies, strict=True))),
            slowest_ms=max(self.slowest_ms, other.slowest_ms),
        )

    def latency_seconds(self, share: float) -> float | None:
        """Return within how many seconds that share of the golden answers came, None without any.

        It is the upper bound of a bucket, or the slowest answer where that is less.
        """
        if not any(self.latencies):
            return None
        slowest, seen = self.slowest_ms / 1000, 0
        for bound, count in zip(BUCKETS, self.latencies, strict=False):
            seen += count
            if seen >= share * sum(self.latencies):
                return min(bound, slowest)
        return slowest

    def to_json(self) -> dict[str, JsonValue]:
        """Return it as JSON; times are ISO 8601."""
        dumped: dict[str, JsonValue] = _adapter().dump_python(self, mode="json")
        return dumped

    @classmethod
    def from_json(cls, document: Any) -> RollUp:
        """Read what `to_json` wrote; raises ValueError for anything else."""
        return _adapter().validate_python(document)


@dataclass(frozen=True, kw_only=True)
class Uptime:
    """A window of time, which begins with a whole hour. `share` is 0 to 1 of what is known."""

    since: datetime
    until: datetime
    known_seconds: int
    up_seconds: int

    @property
    def share(self) -> float | None:
        """How much of the known time it was up, None where nothing is known."""
        return self.up_seconds / self.known_seconds if self.known_seconds else None

    @property
    def unknown_seconds(self) -> int:
        """How much of the window nobody knows: not looked at, or busy."""
        return max(0, _whole(self.until) - _whole(self.since) - self.known_seconds)


def roll_up(judgement: Judgement, *, looked_before: datetime | None) -> Sequence[RollUp]:
    """Return what one look adds, one roll-up for each hour that it touches, the latest last.

    It speaks for the time since the look before, at most `LONGEST_LOOK`, and for none if it was
    the first.
    """
    at = judgement.at.astimezone(UTC)
    begin = max(looked_before or at, at - LONGEST_LOOK).astimezone(UTC)
    *before, last = _spans(min(begin, at), at)
    counted = [_of_time(judgement.verdict, *span) for span in before]
    return [*counted, _of_time(judgement.verdict, *last).merged(_of_answer(judgement, last[0]))]


def uptime(hours: Sequence[RollUp], *, at: datetime, over: timedelta) -> Uptime:
    """Return the uptime over the time before a moment, to the hour."""
    since = _hour_of(at.astimezone(UTC) - over)
    within = [each for each in hours if since <= each.hour < at]
    up = sum(each.up_seconds for each in within)
    down = sum(each.down_seconds for each in within)
    return Uptime(since=since, until=at, known_seconds=up + down, up_seconds=up)


def together(hours: Sequence[RollUp]) -> RollUp | None:
    """Merge any number of roll-ups, None for none."""
    return reduce(RollUp.merged, hours) if hours else None


def _spans(begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut a span of time at full hours; the end belongs to the hour that it is in."""
    while _hour_of(begin) + _HOUR <= end:
        turn = _hour_of(begin) + _HOUR
        yield begin, turn
        begin = turn
    yield begin, end


def _of_time(verdict: Verdict, begin: datetime, end: datetime) -> RollUp:
    seconds = _whole(end) - _whole(begin)
    is_up = verdict in {Verdict.HEALTHY, Verdict.SLOW}
    return RollUp(
        hour=_hour_of(begin),
        up_seconds=seconds if is_up else 0,
        down_seconds=seconds if verdict in FAILURES else 0,
    )


def _of_answer(judgement: Judgement, begin: datetime) -> RollUp:
    hour = _hour_of(begin)
    if judgement.seconds is None:
        return RollUp(hour=hour, rounds=1)
    bucket = bisect_left(BUCKETS, judgement.seconds)
    latencies = tuple(int(place == bucket) for place in range(len(BUCKETS) + 1))
    milliseconds = round(judgement.seconds * 1000)
    return RollUp(hour=hour, rounds=1, latencies=latencies, slowest_ms=milliseconds)


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _whole(moment: datetime) -> int:
    return int(moment.timestamp())


@cache
def _adapter() -> TypeAdapter[RollUp]:
    return TypeAdapter(RollUp)
