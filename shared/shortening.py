"""Shorten texts for people: at a word, and so that it can be seen."""

from __future__ import annotations

from typing import Final

_MARK: Final = "…"
# A word that is longer than this part of the text is cut like any other letters.
_MOST_OF_A_WORD: Final = 0.3


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
