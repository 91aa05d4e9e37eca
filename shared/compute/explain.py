"""Why is a machine up, or not; what decides about it, and when that changes. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.compute.instance import Compute
from shared.compute.policy import Verdict, decide
from shared.compute.rulebook import Rulebook

HORIZON = timedelta(days=400)


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
    candidates = [verdict.until, rule.next_change(at), *_exemption_ends(book, compute, at)]
    return min((moment for moment in candidates if moment and moment > at), default=None)


def _exemption_ends(book: Rulebook, compute: Compute, at: datetime) -> list[datetime]:
    return [e.until for e in book.exemptions if e.covers(compute.id, at=at)]
