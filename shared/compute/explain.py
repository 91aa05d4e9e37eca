"""Why is a machine up, or not; what decides about it, and when that changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from shared.compute.instance import Compute
from shared.compute.policy import Decision, Reason, Verdict, decide
from shared.compute.rulebook import Rule, Rulebook, Source
from shared.compute.ticks import first_tick

HORIZON = timedelta(days=400)


class ExplainedExemption(BaseModel):
    """The exemption that keeps a machine up. `claimed_by` is None where nobody was authenticated."""

    model_config = ConfigDict(frozen=True)

    exemption_id: str
    until: datetime
    reason: str
    claimed_by: str | None


class MisconfiguredTag(BaseModel):
    """A tag of the instance or its workspace that was meant for us and cannot be understood."""

    model_config = ConfigDict(frozen=True)

    resource_id: str
    tag: str
    value: str
    problem: str
    suggestion: str


class Explanation(BaseModel):
    """What a tick at `at` would decide about an instance, and why.

    `source` and `rule`: the first rule that applies, in its author's words; where `reason` is the
    machine's state it is what would decide were it up. `zone`: that of the first schedule that
    applies, also behind an exemption. Times are UTC; `local_time` (that of `at`) and
    `changes_at_local` are in that zone. `changes_at`: the first instant at which the decision
    changes if the machine stays as it was seen, None if none comes within 400 days; `_then`: what
    it is from then on. `next_tick_at` is the first tick at `at` or after it, `acts_at` the first at
    `changes_at` or after it; None without a SHUTDOWN_SCHEDULE. `exemptions_known` is False while
    storage is away: then only those count that this worker has read before.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    state: str | None
    seen_at: datetime
    at: datetime
    decision: Decision
    reason: Reason
    reason_text: str
    source: Source
    rule: str
    zone: str
    local_time: datetime
    exemption: ExplainedExemption | None
    misconfigured_tags: tuple[MisconfiguredTag, ...]
    next_tick_at: datetime | None
    changes_at: datetime | None = None
    changes_at_local: datetime | None = None
    decision_then: Decision | None = None
    reason_then: Reason | None = None
    reason_text_then: str | None = None
    acts_at: datetime | None = None
    exemptions_known: bool = True


def explain(
    compute: Compute, *, book: Rulebook, at: datetime, seen_at: datetime, ticks: str | None
) -> Explanation:
    """Explain the decision about an instance that was seen so; `ticks` is the timer's schedule."""
    verdict, rule = decide(compute, book=book, at=at), book.rule(compute, at=at)
    zone = book.zone(compute, at=at)
    return Explanation(
        id=compute.id,
        state=compute.state,
        seen_at=seen_at,
        at=at,
        decision=verdict.decision,
        reason=verdict.reason,
        reason_text=verdict.text,
        source=rule.source,
        rule=rule.text,
        zone=str(zone),
        local_time=at.astimezone(zone),
        exemption=_exemption(rule),
        misconfigured_tags=_misconfigured(compute, book),
        next_tick_at=first_tick(ticks, not_before=at),
        **_change(next_decision(compute, book=book, at=at), zone=zone, ticks=ticks),
    )


def next_decision(
    compute: Compute, *, book: Rulebook, at: datetime
) -> tuple[datetime, Verdict] | None:
    """Return the first instant after `at` at which the decision changes, and what it is then.

    The machine is taken to stay as it was seen. None: nothing changes within 400 days.
    """
    current = decide(compute, book=book, at=at)
    moment = at
    while (change := _next_candidate(compute, book, moment)) and change <= at + HORIZON:
        verdict = decide(compute, book=book, at=change)
        if verdict.decision is not current.decision:
            return change, verdict
        moment = change
    return None


def _next_candidate(compute: Compute, book: Rulebook, at: datetime) -> datetime | None:
    """Return the next instant at which anything that a decision rests on changes."""
    verdict = decide(compute, book=book, at=at)
    rule = book.rule(compute, at=at)
    # An exemption that covers the machine is the rule until it ends, so its end is among these.
    candidates = (verdict.until, rule.next_change(at))
    return min((moment for moment in candidates if moment and moment > at), default=None)


def _change(
    change: tuple[datetime, Verdict] | None, *, zone: ZoneInfo, ticks: str | None
) -> Mapping[str, Any]:
    if change is None:
        return {}
    changes_at, then = change
    return {
        "changes_at": changes_at,
        "changes_at_local": changes_at.astimezone(zone),
        "decision_then": then.decision,
        "reason_then": then.reason,
        "reason_text_then": then.text,
        "acts_at": first_tick(ticks, not_before=changes_at),
    }


def _exemption(rule: Rule) -> ExplainedExemption | None:
    if rule.exemption is None:
        return None
    return ExplainedExemption(
        exemption_id=rule.exemption.exemption_id,
        until=rule.exemption.until,
        reason=rule.exemption.reason,
        claimed_by=rule.exemption.claimed_by or None,
    )


def _misconfigured(compute: Compute, book: Rulebook) -> tuple[MisconfiguredTag, ...]:
    return tuple(
        MisconfiguredTag(
            resource_id=resource_id,
            tag=found.tag,
            value=found.value,
            problem=found.problem,
            suggestion=found.suggestion,
        )
        for resource_id, found in book.misconfigured(compute)
    )
