"""What a caller may ask of a run: the JSON body of a shutdown, the query of a plan."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.errors import InvalidRequestError

MAX_BODY_BYTES = 64 * 1024
# An HTTP answer must leave before the platform's 230 s; the last looks need some of them.
MAX_HTTP_SECONDS = 200

# `code` is how the platform carries a function key, `clientId` how it names one.
KEY_PARAMETERS = frozenset({"code", "clientId"})
EARLIEST_YEAR, LATEST_YEAR = 1971, 9000

GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_WORKSPACE_PATH = (
    rf"/subscriptions/{GUID}/resourceGroups/[^/]+"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/[^/]+"
)
_SUBSCRIPTION = re.compile(rf"(?:/subscriptions/)?{GUID}/?", re.IGNORECASE)
WORKSPACE_ID = re.compile(rf"{_WORKSPACE_PATH}/?", re.IGNORECASE)
INSTANCE_ID = re.compile(rf"{_WORKSPACE_PATH}/computes/[^/]+/?", re.IGNORECASE)

Names = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=1000, strict=True)]],
    Field(min_length=1, max_length=1000),
]


class RunOrder(BaseModel):
    """Which part of the estate, whether in earnest, why, and how long.

    `subscriptions`: GUIDs or `/subscriptions/{guid}`. `workspaces`, `instances`: full ARM ids or
    bare names. Absent means all; the three narrow each other. `respect_schedule`: leave what may
    be up by its schedule, as a tick does. `deadline_seconds`: 1 to 200.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    subscriptions: Names | None = None
    workspaces: Names | None = None
    instances: Names | None = None
    dry_run: bool = False
    respect_schedule: bool = False
    reason: Annotated[str, Field(max_length=500)] = ""
    deadline_seconds: Annotated[int, Field(ge=1, le=MAX_HTTP_SECONDS)] = MAX_HTTP_SECONDS

    @property
    def narrows(self) -> bool:
        """Whether the caller named a part of the estate."""
        return any((self.subscriptions, self.workspaces, self.instances))


def parse_body(body: bytes) -> RunOrder:
    """Read a request body; an empty one orders the whole estate.

    Raises InvalidRequestError naming the first field that is wrong (413 over 64 KiB, else 400).
    """
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequestError("body", f"is larger than {MAX_BODY_BYTES} bytes", status=413)
    if not body.strip():
        return RunOrder()
    try:
        order = RunOrder.model_validate_json(body)
    except ValidationError as error:
        raise invalid_field(error) from None
    _refuse_nulls(order)
    _check_names(order)
    return order


def parse_query(query: Mapping[str, str]) -> RunOrder:
    """Read a plan's query: `subscriptions`, `workspaces`, `instances`, each a comma list.

    A plan is made by the book, as a tick decides; `at` is read by `parse_moment`.
    """
    lists_known = {"subscriptions", "workspaces", "instances"}
    refuse_unknown(query, known={"at", *lists_known})
    given: dict[str, Any] = {
        name: [part.strip() for part in value.split(",")]
        for name, value in query.items()
        if name in lists_known
    }
    try:
        order = RunOrder.model_validate({**given, "dry_run": True, "respect_schedule": True})
    except ValidationError as error:
        raise invalid_field(error) from None
    _check_names(order)
    return order


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


def _refuse_nulls(order: RunOrder) -> None:
    # A variable that a script forgot to fill must not shut down the whole estate.
    for name in sorted(order.model_fields_set):
        if getattr(order, name) is None:
            raise InvalidRequestError(name, "must not be null; leave it out to mean all")


def invalid_field(error: ValidationError) -> InvalidRequestError:
    """Return the first field of a body that is wrong, as the caller's error."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")
    return InvalidRequestError(path or "body", _plain(first["type"], first["msg"]))


def _plain(kind: str, message: str) -> str:
    if kind == "json_invalid":
        return "is not valid JSON"
    if kind == "extra_forbidden":
        return "is not a known field"
    if kind == "too_short":
        return "must not be empty; leave it out to mean all"
    return message[:1].lower() + message[1:]


def _check_names(order: RunOrder) -> None:
    _check("subscriptions", order.subscriptions, _SUBSCRIPTION, bare=False)
    _check("workspaces", order.workspaces, WORKSPACE_ID, bare=True)
    _check("instances", order.instances, INSTANCE_ID, bare=True)


def _check(field: str, names: list[str] | None, full: re.Pattern[str], *, bare: bool) -> None:
    for position, name in enumerate(names or ()):
        is_bare = bare and "/" not in name
        if not is_bare and not full.fullmatch(name):
            wanted = "a full ARM id or a bare name" if bare else "a GUID or /subscriptions/{guid}"
            raise InvalidRequestError(f"{field}[{position}]", f"must be {wanted}")
