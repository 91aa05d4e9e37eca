"""What any caller over HTTP sends, read with errors that name the field: bodies, times, who it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, StringConstraints, ValidationError

from shared.errors import InvalidRequestError

MAX_BODY_BYTES = 64 * 1024
# `code` is how the platform carries a function key, `clientId` how it names one.
KEY_PARAMETERS = frozenset({"code", "clientId"})
EARLIEST_YEAR, LATEST_YEAR = 1971, 9000
# Who App Service authentication says is calling; a name where it has one, else an id. Source:
# learn.microsoft.com/azure/app-service/configure-authentication-user-identities
IDENTITIES = ("x-ms-client-principal-name", "x-ms-client-principal-id")
_MAX_IDENTITY = 256

Text = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]
Model = TypeVar("Model", bound=BaseModel)


def parse_json(model: type[Model], body: bytes) -> Model:
    """Read a JSON body. Raises InvalidRequestError for the first field that is wrong.

    413 over 64 KiB, else 400.
    """
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequestError("body", f"is larger than {MAX_BODY_BYTES} bytes", status=413)
    try:
        read = model.model_validate_json(body)
    except ValidationError as error:
        raise invalid_field(error) from None
    # Of a field that is given twice the last would count, and nobody knows which was meant.
    json.loads(body, object_pairs_hook=_refuse_repeated)
    return read


def _refuse_repeated(pairs: Sequence[tuple[str, object]]) -> None:
    counts = Counter(name for name, _ in pairs)
    repeated = next((name for name, count in counts.items() if count > 1), None)
    if repeated is not None:
        raise InvalidRequestError(repeated[:100], "is given twice")


def invalid_field(error: ValidationError) -> InvalidRequestError:
    """Return the first field of a body that is wrong, as the caller's error."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")
    return InvalidRequestError(path or "body", _plain(first["type"], first["msg"]))


def refuse_unknown(query: Mapping[str, str], *, known: Collection[str]) -> None:
    """Raise InvalidRequestError for a query parameter that nobody reads: a typo must not pass."""
    for name in sorted(query.keys() - {*known} - KEY_PARAMETERS):
        raise InvalidRequestError(name, "is not a known query parameter")


def parse_moment(field: str, text: str) -> datetime:
    """Read an ISO 8601 time with its zone, as UTC; raises InvalidRequestError naming the field."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequestError(field, "must be an ISO 8601 time with a zone") from None
    if moment.utcoffset() is None:
        raise InvalidRequestError(field, "has no zone; write for example 2026-11-21T22:00:00Z")
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise InvalidRequestError(field, f"must lie in {EARLIEST_YEAR} to {LATEST_YEAR}")
    return moment.astimezone(UTC)


def prefers_async(headers: Mapping[str, str]) -> bool:
    """Whether the caller wants no waiting: `Prefer: respond-async` (RFC 7240)."""
    given = [value for name, value in headers.items() if name.lower() == "prefer"]
    preferences = [part for value in given for part in value.split(",")]
    return any(p.partition(";")[0].strip().lower() == "respond-async" for p in preferences)


def claimant(headers: Mapping[str, str], *, trusted: bool) -> str:
    """Return who App Service authentication says is calling, empty where it is not on.

    Without it anybody could send these headers, and a function key names nobody.
    """
    if not trusted:
        return ""
    given = {name.lower(): value for name, value in headers.items()}
    named = (given.get(name, "").strip() for name in IDENTITIES)
    return next(filter(None, named), "")[:_MAX_IDENTITY]


def _plain(kind: str, message: str) -> str:
    if kind == "json_invalid":
        return "is not valid JSON"
    if kind == "extra_forbidden":
        return "is not a known field"
    if kind == "too_short":
        return "must not be empty; leave it out to mean all"
    return message[:1].lower() + message[1:]
