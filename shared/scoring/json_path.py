"""JSONPaths (RFC 9535) of expectations: checked when the file is read, compiled once."""

from __future__ import annotations

from functools import lru_cache

from jsonpath import JSONPath, JSONPathEnvironment
from jsonpath.exceptions import JSONPathError

MAX_LENGTH = 500
# Strict: what RFC 9535 says, and nothing of the library's own.
_environment = JSONPathEnvironment(strict=True)


@lru_cache(maxsize=4096)
def compile_path(text: str) -> JSONPath:
    """Compile a JSONPath. Raises ValueError with advice, also for what nests too deeply."""
    try:
        compiled = _environment.compile(text)
    except (JSONPathError, RecursionError, ValueError):
        raise ValueError("is not a JSONPath (RFC 9535): write it like $.response[0]") from None
    if not isinstance(compiled, JSONPath):
        raise TypeError("a strict environment compiles no compound paths")
    return compiled
