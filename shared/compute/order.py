"""What a caller may ask of a run: the JSON body of a shutdown, the query of a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.callers import invalid_field, parse_json, refuse_unknown
from shared.errors import InvalidRequestError

# An HTTP answer must leave before the platform's 230 s; the last looks need some of them.
MAX_HTTP_SECONDS = 200

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
    if not body.strip():
        return RunOrder()
    order = parse_json(RunOrder, body)
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


def _refuse_nulls(order: RunOrder) -> None:
    # A variable that a script forgot to fill must not shut down the whole estate.
    for name in sorted(order.model_fields_set):
        if getattr(order, name) is None:
            raise InvalidRequestError(name, "must not be null; leave it out to mean all")


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
