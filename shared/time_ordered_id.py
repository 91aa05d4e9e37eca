"""Ids that sort by time, so that a thing's place in a history is in its name."""

import secrets
import uuid
from datetime import datetime


def new_id(now: datetime) -> str:
    """Return a UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then random bits."""
    return _uuid7(now, secrets.randbits(80))


def first_id(at: datetime) -> str:
    """Return the smallest id of a moment: no id of an earlier one is above it."""
    return _uuid7(at, 0)


def _uuid7(now: datetime, filling: int) -> str:
    milliseconds = int(now.timestamp() * 1000)
    value = milliseconds << 80 | filling
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
