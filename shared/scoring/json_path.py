"""JSONPaths (RFC 9535) of expectations: checked when the file is read, compiled once, and followed."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import cast

from jsonpath import JSONPath, JSONPathEnvironment
from jsonpath.exceptions import JSONPathError
from pydantic import JsonValue

MAX_LENGTH = 500
# More nodes than this are no golden value; a descendant path could find millions.
MAX_NODES = 100_000
# Strict: what RFC 9535 says, and nothing of the library's own.
_environment = JSONPathEnvironment(strict=True)
# A pattern that backtracks would hold the whole worker, for as long as a service's answer likes.
_REGULAR_EXPRESSIONS = ("match", "search")
for _name in _REGULAR_EXPRESSIONS:
    del _environment.function_extensions[_name]


@lru_cache(maxsize=4096)
def compile_path(text: str) -> JSONPath:
    """Compile a JSONPath. Raises ValueError with advice, also for what nests too deeply."""
    try:
        compiled = _environment.compile(text)
    except (JSONPathError, RecursionError, ValueError):
        raise ValueError(
            "is not a JSONPath (RFC 9535, without match and search): write it like $.response[0]"
        ) from None
    if not isinstance(compiled, JSONPath):
        raise TypeError("a strict environment compiles no compound paths")
    return compiled


def find_nodes(path: JSONPath, document: JsonValue) -> list[JsonValue]:
    """Return the values at a path, at most `MAX_NODES`; a text that is no JSON has only a root.

    A filter that compares what cannot be compared finds nothing.
    """
    if not isinstance(document, dict | list):
        return [] if path.segments else [document]
    try:
        found = [match.value for match in islice(path.finditer(document), MAX_NODES)]
    except JSONPathError:
        return []
    return cast("list[JsonValue]", found)
