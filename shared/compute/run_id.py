"""Run ids: UUIDs that sort by time, so that a run's place in a history is in its name."""

from datetime import datetime

from shared.time_ordered_id import new_id


def new_run_id(now: datetime) -> str:
    """Return a UUIDv7 (RFC 9562, 5.7)."""
    return new_id(now)
