"""One look at one thing that the app needs."""

from __future__ import annotations

from datetime import datetime

from shared.dashboard.status import Frozen, Seen, Status


class Check(Frozen):
    """One thing that the app needs. `warning`: it is so now, and will not stay so."""

    name: str
    status: Status
    reason: Seen
    seen_at: datetime
    warning: str | None = None


def check_of(name: str, status: Status, reason: str, at: datetime) -> Check:
    """Return a check without a warning."""
    return Check(name=name, status=status, reason=reason, seen_at=at)
