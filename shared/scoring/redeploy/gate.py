"""Whether a redeploy may touch a service, and every ground on which it may not. Pure.

What a caller can be told at once (maintenance, cooldown, budget, breaker, kind) is apart from what
takes a look at the platform first; the gate of a redeploy weighs both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from shared.scoring.redeploy.model_files import ModelLook, unsuited
from shared.scoring.redeploy.mover import ChangeKind, Snapshot
from shared.scoring.redeploy.order import is_pinned
from shared.scoring.redeploy.proving import LONGEST_ANSWER_SECONDS
from shared.scoring.redeploy.record import Ground, Redeploy, Refusal, Trigger

DAY: Final = timedelta(days=1)
# One sick service is no sick estate, however small the estate is.
MIN_UNHEALTHY: Final = 2
_BY_ITSELF: Final = frozenset({Trigger.HEALING})


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How often services are redeployed. `budget`: per service and day.

    `cooldown` lies between two; between two that the app begins by itself it doubles each time.
    `breaker_share`: the share of the estate, 0 to 1, above which nothing is redeployed.
    """

    cooldown: timedelta = timedelta(minutes=10)
    budget: int = 6
    breaker_share: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Estate:
    """How the estate is: its services, and those of them that became unhealthy within a day.

    Those that were unhealthy for longer are no part of it.
    """

    services: int = 0
    unhealthy: int = 0


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What holds when a redeploy asks to be let in. `recent`: its service's others of a day."""

    now: datetime
    has_mover: bool
    maintenance_until: datetime | None = None
    recent: Sequence[Redeploy] = ()
    estate: Estate = field(default_factory=Estate)


def grounds_at_the_door(
    redeploy: Redeploy, seen: Circumstances, *, allowance: Allowance
) -> tuple[Refusal, ...]:
    """Return on what grounds a redeploy is refused before anybody looked at its platform."""
    found = (
        *_unsupported(redeploy, seen),
        *_maintenance(seen),
        *_budget(redeploy, seen, allowance),
        *_cooldown(redeploy, seen, allowance),
        *_breaker(seen, allowance),
    )
    return tuple(found)


def grounds_of_platform(
    redeploy: Redeploy, snapshot: Snapshot, *, model: ModelLook
) -> tuple[Refusal, ...]:
    """Return on what grounds a redeploy is refused after a look at what runs."""
    found = (
        *_not_possible(redeploy, snapshot),
        *_digest_unknown(redeploy, snapshot),
        *_not_provable(redeploy),
        *unsuited(model),
    )
    return tuple(found)


def pause_before_next(
    touched: Sequence[Redeploy], *, allowance: Allowance, by_itself: bool
) -> timedelta:
    """Return the pause after the last of these; each that the app began by itself doubles it."""
    own = sum(each.trigger in _BY_ITSELF for each in touched) if by_itself else 0
    return allowance.cooldown * (1 << max(0, own - 1))


def touched(recent: Sequence[Redeploy], *, since: datetime) -> Sequence[Redeploy]:
    """Return those that may have done something to their service, oldest first."""
    chosen = [each for each in recent if each.created_at > since and each.may_have_touched]
    return sorted(chosen, key=lambda each: each.created_at)


def _others(redeploy: Redeploy, seen: Circumstances) -> Sequence[Redeploy]:
    recent = [each for each in seen.recent if each.redeploy_id != redeploy.redeploy_id]
    return touched(recent, since=seen.now - DAY)


def _unsupported(redeploy: Redeploy, seen: Circumstances) -> Iterator[Refusal]:
    if not seen.has_mover:
        text = f"services of kind {redeploy.service.kind} cannot be redeployed by this app"
        yield Refusal(ground=Ground.UNSUPPORTED_KIND, text=text)
    if not redeploy.url:
        text = "its address is not known, so that nothing could be proven"
        yield Refusal(ground=Ground.ADDRESS_UNKNOWN, text=text)


def _maintenance(seen: Circumstances) -> Iterator[Refusal]:
    until = seen.maintenance_until
    if until is not None and seen.now < until:
        yield _refusal(
            Ground.IN_MAINTENANCE,
            f"somebody works on it until {until:%Y-%m-%dT%H:%M:%SZ}",
            until - seen.now,
        )


def _budget(redeploy: Redeploy, seen: Circumstances, allowance: Allowance) -> Iterator[Refusal]:
    others = _others(redeploy, seen)
    if len(others) >= allowance.budget:
        # The budget is free again when enough of a day's redeploys are a day old.
        freeing = others[len(others) - allowance.budget].created_at + DAY
        text = f"it was redeployed {len(others)} times within a day; {allowance.budget} are allowed"
        yield _refusal(Ground.BUDGET_SPENT, text, freeing - seen.now)


def _cooldown(redeploy: Redeploy, seen: Circumstances, allowance: Allowance) -> Iterator[Refusal]:
    others = _others(redeploy, seen)
    if not others:
        return
    by_itself = redeploy.trigger in _BY_ITSELF
    pause = pause_before_next(others, allowance=allowance, by_itself=by_itself)
    last = others[-1].ended_at or others[-1].created_at
    if seen.now < last + pause:
        text = f"its last redeploy ended less than {pause.total_seconds():.0f} s ago"
        yield _refusal(Ground.COOLDOWN, text, last + pause - seen.now)


def _breaker(seen: Circumstances, allowance: Allowance) -> Iterator[Refusal]:
    estate = seen.estate
    if estate.unhealthy < MIN_UNHEALTHY:
        return
    if estate.unhealthy > allowance.breaker_share * estate.services:
        text = (
            f"{estate.unhealthy} of {estate.services} services became unhealthy within a day: "
            "the trouble is not this service's alone"
        )
        yield Refusal(ground=Ground.BREAKER_OPEN, text=text)


def _not_possible(redeploy: Redeploy, snapshot: Snapshot) -> Iterator[Refusal]:
    reason = snapshot.refuses.get(redeploy.change.kind)
    if reason is not None:
        yield Refusal(ground=Ground.CHANGE_NOT_POSSIBLE, text=reason)


def _digest_unknown(redeploy: Redeploy, snapshot: Snapshot) -> Iterator[Refusal]:
    # A change of model pulls no image of its own: what ran is brought back by its version.
    may_pull = redeploy.change.kind is not ChangeKind.MODEL and bool(snapshot.image)
    if may_pull and snapshot.digest is None and not is_pinned(snapshot.image):
        text = (
            f"the digest that runs of {snapshot.image} is not known: "
            "its tag may have moved, and what runs could not be brought back"
        )
        yield Refusal(ground=Ground.DIGEST_UNKNOWN, text=text)


def _not_provable(redeploy: Redeploy) -> Iterator[Refusal]:
    # Told here, and not at the door: healing would pass it over there without a word.
    seconds = redeploy.subject.rules.timeout_seconds
    if seconds > LONGEST_ANSWER_SECONDS:
        text = (
            f"checks.timeout_seconds is {seconds:g}, and a step of a proof waits for one answer "
            f"{LONGEST_ANSWER_SECONDS:g} s at most: what takes longer could not be proven"
        )
        yield Refusal(ground=Ground.PROOF_NOT_POSSIBLE, text=text)


def _refusal(ground: Ground, text: str, wait: timedelta) -> Refusal:
    seconds = max(1, ceil(wait.total_seconds()))
    return Refusal(ground=ground, text=text, retry_after_seconds=seconds)
