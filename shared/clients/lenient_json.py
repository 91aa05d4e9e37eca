"""Read JSON in which every value can be null, missing or of another type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

# As far as an int32 of Azure's goes.
MAX_COUNT = 2**31
# The year 5138: what is later is no moment in seconds, but in smaller units.
MAX_UNIX_TIME = 10**11


def as_object(value: object) -> Mapping[str, Any]:
    """Return an object as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> Sequence[Mapping[str, Any]]:
    """Return the objects in a list; anything else has none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(found: Mapping[str, Any], name: str) -> str:
    """Return a text, empty where there is none."""
    value = found.get(name)
    return value if isinstance(value, str) else ""


def count(found: Mapping[str, Any], name: str) -> int | None:
    """Return a number of things, None where there is none."""
    value = found.get(name)
    return value if type(value) is int and 0 <= value < MAX_COUNT else None


def counts(found: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """Return the numbers in a list."""
    value = found.get(name)
    listed = value if isinstance(value, list) else []
    return tuple(each for each in listed if type(each) is int and 0 <= each < MAX_COUNT)


def tags(item: Mapping[str, Any]) -> Mapping[str, str]:
    """Return a resource's tags."""
    return texts(item.get("tags"))


def texts(value: object) -> Mapping[str, str]:
    """Return an object's values as texts, empty ones for null."""
    return {str(name): str(each or "") for name, each in as_object(value).items()}


def unix_time(value: object) -> datetime | None:
    """Read Unix seconds; zero says nothing."""
    if type(value) is int and 0 < value < MAX_UNIX_TIME:
        return datetime.fromtimestamp(value, UTC)
    return None


def as_time(said: str) -> datetime | None:
    """Parse Azure's times: seven fractional digits (one too many for datetime), `Z` or an offset."""
    try:
        when = datetime.fromisoformat(said)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
