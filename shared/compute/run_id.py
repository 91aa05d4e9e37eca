"""Run ids: UUIDs that sort by time, so that a run's place in a history is in its name."""

import secrets
import uuid
from datetime import datetime


def new_run_id(now: datetime) -> str:
    """Return a UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then random bits."""
    milliseconds = int(now.timestamp() * 1000)
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
