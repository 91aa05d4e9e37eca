"""Maintenance: until a moment a service's changes are recorded, and alert nobody. It ends by itself.

Checks go on all the while: what is still broken when it ends is told then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.callers import Text, parse_json, parse_moment
from shared.errors import InvalidRequestError

LONGEST = timedelta(days=7)


class MaintenanceBody(BaseModel):
    """The body of a PUT as it is sent; `until` is ISO 8601 with a zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    until: Annotated[Text, StringConstraints(max_length=64)]
    reason: Annotated[Text, StringConstraints(max_length=500)]


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """One service's maintenance. `opened_by` is empty where nobody was authenticated."""

    service: str
    until: datetime
    reason: str
    opened_by: str
    opened_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether it is on at a moment: windows are half-open."""
        return self.opened_at <= at < self.until


def parse_maintenance(
    body: bytes, *, service: str, opened_by: str, now: datetime, longest: timedelta = LONGEST
) -> Maintenance:
    """Read the body of a PUT: `{until, reason}`.

    Raises InvalidRequestError naming the first field that is wrong (413 over 64 KiB, else 400).
    """
    given = parse_json(MaintenanceBody, body)
    until = parse_moment("until", given.until)
    if until <= now:
        raise InvalidRequestError("until", "is past")
    if until > now + longest:
        raise InvalidRequestError("until", f"is more than {longest.days} days from now")
    return Maintenance(
        service=service, until=until, reason=given.reason, opened_by=opened_by, opened_at=now
    )
