"""What azureml-core raises, in this app's words.

Its errors quote whole answers, headers and all: nothing of their text is passed on but the HTTP
status and Azure's error code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from shared.errors import AzureRequestError, CredentialError, OpsError

_STATUS: Final = re.compile(
    r"(?:response code|status code|statuscode)\W{1,4}(\d{3})", re.IGNORECASE
)
_CODE: Final = re.compile(r"[\"']code[\"']\s*:\s*[\"']([A-Za-z]{3,60})[\"']")
_TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
# How the SDK tells a 404 about a service, and a 403 of whatever kind.
_IN_WORDS: Final = {"WebserviceNotFound": 404, "'Forbidden'": 403}


def translated(error: Exception, *, about: str) -> OpsError:
    """Return the error to raise in the place of the SDK's own."""
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, CredentialError):
            return each
    status = next(filter(None, map(_status_of, chain)), None)
    code = next(filter(None, map(_code_of, chain)), "")
    said = ": ".join(str(part) for part in (status, code) if part) or type(error).__name__
    return AzureRequestError(
        f"azureml-core, about {about}: {said}",
        status=status,
        code=code,
        retryable=status in _TRANSIENT if status else _is_of_the_network(chain),
    )


def _is_of_the_network(chain: Iterable[BaseException]) -> bool:
    # All errors of requests are, and those of sockets.
    return any(isinstance(each, OSError) for each in chain)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error is about."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return status
    found = _STATUS.search(str(error))
    if found:
        return int(found[1])
    return next((status for words, status in _IN_WORDS.items() if words in str(error)), None)


def _code_of(error: BaseException) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""
