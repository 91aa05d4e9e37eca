"""What a caller may ask of exemptions: an id, the conditions of a request, the body of a PUT."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.callers import Text, parse_json, parse_moment
from shared.compute.exemptions import Exemption
from shared.compute.lookup import check_resource_id
from shared.errors import InvalidRequestError

ANY = "*"
IF_MATCH, IF_NONE_MATCH = "if-match", "if-none-match"
_ID = re.compile(r"[a-z0-9-]{1,64}")


class ExemptionBody(BaseModel):
    """The body of a PUT as it is sent; `until` is ISO 8601 with a zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    resource_id: Annotated[Text, StringConstraints(max_length=1000)]
    until: Annotated[Text, StringConstraints(max_length=64)]
    reason: Annotated[Text, StringConstraints(max_length=500)]


@dataclass(frozen=True, kw_only=True)
class ExemptionOrder:
    """What a PUT asks for, checked. `until` is UTC."""

    resource_id: str
    until: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class IfMatch:
    """`If-Match` (RFC 9110, 13.1.1): one of these etags, or `*` for whatever version there is."""

    etags: frozenset[str]

    def holds_for(self, exemption: Exemption) -> bool:
        """Whether a stored version is one that the caller has seen."""
        return ANY in self.etags or exemption.etag in self.etags


def check_id(text: str) -> str:
    """Return an exemption's id; raises InvalidRequestError unless it is `[a-z0-9-]{1,64}`."""
    if not _ID.fullmatch(text):
        raise InvalidRequestError("exemption_id", "must be 1 to 64 of a-z, 0-9 and -")
    return text


def parse_if_match(headers: Mapping[str, str]) -> IfMatch | None:
    """Read `If-Match`, a comma list of etags; None if it is not given."""
    given = _lower(headers).get(IF_MATCH)
    if given is None:
        return None
    return IfMatch(etags=frozenset(etag.strip() for etag in given.split(",")))


def parse_condition(headers: Mapping[str, str]) -> IfMatch | None:
    """Read the condition of a PUT; None means `If-None-Match: *`: create it.

    Raises InvalidRequestError: 428 without a condition, 400 for two or another `If-None-Match`.
    """
    replaces, creates = parse_if_match(headers), _lower(headers).get(IF_NONE_MATCH)
    if replaces and creates is not None:
        raise InvalidRequestError("If-None-Match", "give either this or If-Match")
    if replaces:
        return replaces
    if creates is None:
        said = "is required to replace an exemption; If-None-Match: * creates one"
        raise InvalidRequestError("If-Match", said, status=HTTPStatus.PRECONDITION_REQUIRED)
    if creates.strip() != ANY:
        raise InvalidRequestError("If-None-Match", "must be *")
    return None


def parse_exemption(body: bytes, *, now: datetime, longest: timedelta) -> ExemptionOrder:
    """Read the body of a PUT.

    Raises InvalidRequestError naming the first field that is wrong (413 over 64 KiB, else 400).
    """
    given = parse_json(ExemptionBody, body)
    return ExemptionOrder(
        resource_id=check_resource_id("resource_id", given.resource_id),
        until=_check_until(parse_moment("until", given.until), now=now, longest=longest),
        reason=given.reason,
    )


def _check_until(until: datetime, *, now: datetime, longest: timedelta) -> datetime:
    if until <= now:
        raise InvalidRequestError("until", "is past")
    if until > now + longest:
        raise InvalidRequestError("until", f"is more than {longest.days} days from now")
    return until


def _lower(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}
