"""What an operation takes beside its body: parts of its path, its query and its headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Place(StrEnum):
    """Where a parameter stands."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter, always text on the wire; `schema` is JSON Schema, `example` a valid value."""

    name: str
    place: Place
    said: str
    example: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


def in_path(name: str, said: str, example: str, **schema: Any) -> Parameter:
    """Return a part of the path, which is always there; `schema` narrows text that is not empty."""
    narrowed = {"type": "string", **(schema or {"minLength": 1})}
    return Parameter(
        name=name, place=Place.PATH, said=said, example=example, schema=narrowed, required=True
    )


def in_query(
    name: str, said: str, example: str, *, required: bool = False, **schema: Any
) -> Parameter:
    """Return a parameter of the query; `schema` narrows text, or names another type."""
    return Parameter(
        name=name,
        place=Place.QUERY,
        said=said,
        example=example,
        schema={"type": "string", **schema},
        required=required,
    )


def in_header(name: str, said: str, example: str) -> Parameter:
    """Return a header that may be sent."""
    return Parameter(name=name, place=Place.HEADER, said=said, example=example)
