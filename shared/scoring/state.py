"""A service over the rounds: healthy or not, flapping, hung, in maintenance. Pure.

One failed round is an event, not yet a state: thresholds part the two. What is told to people is
kept apart from what is so: while a service flaps or is in maintenance its changes are recorded,
and what they have come to is told once when that has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import JsonValue, TypeAdapter

from shared.scoring.evidence import VERDICTS, Evidence
from shared.scoring.judgement import FAILURES, NEUTRAL, Judgement, Verdict
from shared.scoring.service import Thresholds
from shared.scoring.uptime import LONGEST_LOOK

FLAPPING_ROUNDS = 24
# Rounds further apart say nothing about the time between them.
LONGEST_GAP = timedelta(hours=1)


class Health(StrEnum):
    """What a service is called, and what people were told that it is."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    FLAPPING = "flapping"


class Mark(StrEnum):
    """What a round counts as."""

    GOOD = "good"
    FAILED = "failed"
    NEUTRAL = "neutral"


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round in a service's memory; `changed`: it went from healthy to unhealthy or back."""

    mark: Mark
    changed: bool = False


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """What is remembered of a service between rounds. The first one knows nothing.

    `health` is never flapping: that is `flapping`. `since` is when `health` began, `busy_since`
    when the first of the last busy rounds was. `rounds`: at most the last 24, the latest last.
    `told` is what people were last told, as far as it is known that it was sent. `etag` is the
    version in storage that it was read from, or grew from; "": none.
    """

    health: Health = Health.UNKNOWN
    since: datetime | None = None
    flapping: bool = False
    told: Health = Health.UNKNOWN
    verdict: Verdict | None = None
    evidence: str = ""
    text: str = ""
    checked_at: datetime | None = None
    busy_since: datetime | None = None
    rounds: tuple[Round, ...] = ()
    etag: str = field(default="", compare=False)

    @property
    def standing(self) -> Health:
        """What people should be told: its health, or that it flaps."""
        return Health.FLAPPING if self.flapping else self.health

    def is_stale(self, at: datetime) -> bool:
        """Whether the last look is too far off to speak for this moment; of none there is nothing.

        Also where it is ahead: then some worker's clock was wrong, and nobody knows when it was.
        """
        return self.checked_at is not None and abs(at - self.checked_at) > LONGEST_LOOK

    def to_json(self) -> dict[str, JsonValue]:
        """Return it as JSON; times are ISO 8601."""
        dumped: dict[str, JsonValue] = _adapter().dump_python(self, mode="json", exclude={"etag"})
        return dumped

    @classmethod
    def from_json(cls, document: Any) -> ServiceState:
        """Read what `to_json` wrote, also a later version's; raises ValueError for anything else."""
        return _adapter().validate_python(document)


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something about a service's health that is worth an event.

    `before` and `after` are its health; equal where only flapping, or what people are told,
    changed. `standing` is what it is to be called now. `alerts`: people are to be told, now;
    `told_before` is what they were told last.
    """

    at: datetime
    before: Health
    after: Health
    standing: Health
    alerts: bool
    told_before: Health
    in_maintenance: bool
    verdict: Verdict
    evidence: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Advanced:
    """One round taken in. `judgement` is the given one, or `hung` where it was busy too long."""

    state: ServiceState
    judgement: Judgement
    change: Change | None


def advance(
    state: ServiceState,
    judgement: Judgement,
    *,
    thresholds: Thresholds,
    in_maintenance: bool = False,
) -> Advanced:
    """Take one round's judgement in."""
    busy_since = _busy_since(state, judgement)
    final = _hung_if_long(judgement, busy_since, thresholds.busy_limit_seconds)
    after = _recall(state, final, health=_health(state, final, thresholds), busy_since=busy_since)
    flapping = _flaps(after.rounds, thresholds.flapping_changes, already=state.flapping)
    standing = Health.FLAPPING if flapping else after.health
    told = state.told if in_maintenance else standing
    after = replace(after, flapping=flapping, told=told)
    change = _change(state, after, final, in_maintenance=in_maintenance)
    return Advanced(state=after, judgement=final, change=change)


def mark_of(verdict: Verdict) -> Mark:
    """Return what a verdict counts as: busy and slow neither as failed nor as good."""
    if verdict in FAILURES:
        return Mark.FAILED
    return Mark.NEUTRAL if verdict in NEUTRAL else Mark.GOOD


def _busy_since(state: ServiceState, judgement: Judgement) -> datetime | None:
    if judgement.verdict is not Verdict.BUSY:
        return None
    if state.busy_since is None or state.checked_at is None:
        return judgement.at
    lost_sight = judgement.at - state.checked_at > LONGEST_GAP
    return judgement.at if lost_sight else state.busy_since


def _hung_if_long(judgement: Judgement, since: datetime | None, limit: float) -> Judgement:
    if since is None or judgement.at - since <= timedelta(seconds=limit):
        return judgement
    minutes = (judgement.at - since).total_seconds() / 60
    return replace(
        judgement,
        verdict=VERDICTS[Evidence.HUNG],
        evidence=Evidence.HUNG,
        text=f"Busy for {minutes:.0f} minutes, longer than it may. {judgement.text}",
    )


def _health(state: ServiceState, judgement: Judgement, thresholds: Thresholds) -> Health:
    mark = mark_of(judgement.verdict)
    marks = [*_since_change(state.rounds), mark]
    failed = marks[-thresholds.of_last_rounds :].count(Mark.FAILED)
    if mark is Mark.FAILED and failed >= thresholds.failed_rounds:
        return Health.UNHEALTHY
    if mark is not Mark.GOOD or state.health is Health.HEALTHY:
        return state.health
    needed = thresholds.good_rounds if state.health is Health.UNHEALTHY else 1
    return Health.HEALTHY if _good_in_a_row(marks) >= needed else state.health


def _since_change(rounds: Sequence[Round]) -> Sequence[Mark]:
    """Return the marks since the last change: failures that led to one are spent."""
    marks: list[Mark] = []
    for each in reversed(rounds):
        if each.changed:
            break
        marks.append(each.mark)
    return marks[::-1]


def _good_in_a_row(marks: Sequence[Mark]) -> int:
    counted = [mark for mark in marks if mark is not Mark.NEUTRAL]
    failed = [place for place, mark in enumerate(counted) if mark is Mark.FAILED]
    return len(counted) - (failed[-1] + 1 if failed else 0)


def _recall(
    state: ServiceState, judgement: Judgement, *, health: Health, busy_since: datetime | None
) -> ServiceState:
    changed = health is not state.health and state.health is not Health.UNKNOWN
    latest = Round(mark=mark_of(judgement.verdict), changed=changed)
    return replace(
        state,
        health=health,
        since=state.since if health is state.health else judgement.at,
        verdict=judgement.verdict,
        evidence=str(judgement.evidence),
        text=judgement.text,
        checked_at=judgement.at,
        busy_since=busy_since,
        rounds=(*state.rounds, latest)[-FLAPPING_ROUNDS:],
    )


def _flaps(rounds: Sequence[Round], limit: int, *, already: bool) -> bool:
    changes = sum(each.changed for each in rounds)
    # Ends at half of what began it: else the end would flap, too.
    return changes > limit // 2 if already else changes >= limit


def _change(
    before: ServiceState, after: ServiceState, judgement: Judgement, *, in_maintenance: bool
) -> Change | None:
    # That a new service is healthy is news to nobody.
    first_good = (before.told, after.told) == (Health.UNKNOWN, Health.HEALTHY)
    alerts = after.told is not before.told and not first_good
    if not alerts and (before.health, before.flapping) == (after.health, after.flapping):
        return None
    return Change(
        at=judgement.at,
        before=before.health,
        after=after.health,
        standing=after.standing,
        alerts=alerts,
        told_before=before.told,
        in_maintenance=in_maintenance,
        verdict=judgement.verdict,
        evidence=str(judgement.evidence),
        text=judgement.text,
    )


@cache
def _adapter() -> TypeAdapter[ServiceState]:
    return TypeAdapter(ServiceState)
