"""Maintenance: until a moment a service's changes are recorded, and alert nobody. It ends by itself.

Checks go on all the while: what is still broken when it ends is told then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from shared.errors import InvalidRequestError

MAX_BODY_BYTES = 64 * 1024
LONGEST = timedelta(days=7)

_Text = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    until: Annotated[_Text, StringConstraints(max_length=64)]
    reason: Annotated[_Text, StringConstraints(max_length=500)]


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
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequestError("body", f"is larger than {MAX_BODY_BYTES} bytes", status=413)
    try:
        given = _Body.model_validate_json(body)
    except ValidationError as error:
        raise _first_of(error) from None
    until = _moment(given.until)
    if until <= now:
        raise InvalidRequestError("until", "is past")
    if until > now + longest:
        raise InvalidRequestError("until", f"is more than {longest.days} days from now")
    return Maintenance(
        service=service, until=until, reason=given.reason, opened_by=opened_by, opened_at=now
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.utcoffset() is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidRequestError("until", "must be an ISO 8601 time with a zone") from None
    raise InvalidRequestError("until", "has no zone; write for example 2026-11-21T22:00:00Z")


def _first_of(error: ValidationError) -> InvalidRequestError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    said = {"json_invalid": "is not valid JSON", "extra_forbidden": "is not a known field"}
    message = first["msg"][:1].lower() + first["msg"][1:]
    field = ".".join(map(str, first["loc"])) or "body"
    return InvalidRequestError(field, said.get(first["type"], message))
