"""Shorten texts for people: at a word, and so that it can be seen; ARM ids to what tells them apart."""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = "…"
# A word that is longer than this part of the text is cut like any other letters.
_MOST_OF_A_WORD: Final = 0.3
# Of an ARM id all that stands before a resource's own name.
_SCOPE: Final = re.compile(
    r"/subscriptions/[^/\s]+/resourceGroups/[^/\s]+/providers/[^/\s]+/[^/\s]+/(?=\w)", re.IGNORECASE
)


def shortened(text: str, most: int) -> str:
    """Return the text, or its beginning up to a word's end and a mark: `most` characters at most."""
    if len(text) <= most:
        return text
    kept = text[: most - len(_MARK)]
    end = kept.rfind(" ")
    whole = text[len(kept)].isspace()
    if not whole and end >= most * (1 - _MOST_OF_A_WORD):
        kept = kept[:end]
    return kept.rstrip(" ,;:(") + _MARK


def without_scopes(text: str) -> str:
    """Return the text with ARM ids cut to their names: `.../workspaces/mlw/computes/ci` to `mlw/computes/ci`."""
    return _SCOPE.sub("", text)
