"""Texts of Azure that go into errors and logs: bounded, and without signed URLs."""

import re

MAX_TEXT = 500
_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*")


def redact(text: str) -> str:
    """Return the text without the query of any URL in it, on one line, at most MAX_TEXT long."""
    bare = " ".join(_QUERY.sub(r"\1", text).split())
    return bare if len(bare) <= MAX_TEXT else f"{bare[: MAX_TEXT - 1]}…"
