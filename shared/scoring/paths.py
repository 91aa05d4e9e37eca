"""Where in an answer: JSONPath (RFC 9535), parsed once."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import cast

from jsonpath import CompoundJSONPath, JSONPath, JSONPathEnvironment, JSONPathError
from pydantic import JsonValue

# More nodes than this are no golden value; a descendant path could find millions.
MAX_NODES = 100_000
_MAX_KEPT = 4096


class PathError(ValueError):
    """The text is not a JSONPath; the message says why."""


@lru_cache(maxsize=_MAX_KEPT)
def parse_path(text: str) -> JSONPath:
    """Parse a JSONPath; raises PathError."""
    try:
        path = JSONPathEnvironment(strict=True).compile(text)
    except (JSONPathError, RecursionError, ValueError) as error:
        raise PathError(f"{text} is not a JSONPath: {error}") from error
    if isinstance(path, CompoundJSONPath):
        raise PathError(f"{text} is not one JSONPath, but several")
    return path


def find_nodes(path: JSONPath, document: JsonValue) -> list[JsonValue]:
    """Return the values at a path, at most `MAX_NODES`.

    A filter that compares what cannot be compared finds nothing.
    """
    if not isinstance(document, dict | list):
        return [document] if not path.segments else []
    try:
        found = [match.value for match in islice(path.finditer(document), MAX_NODES)]
    except JSONPathError:
        return []
    return cast("list[JsonValue]", found)
