"""Texts of Azure that go into errors and logs: bounded, and without signed URLs or tokens."""

import re

MAX_TEXT = 500
_QUERY_OR_USER = re.compile(r"\?[^\s?=\"'<>]+=[^\s\"'<>]*|(?<=://)[^\s/@\"'<>]+@")
_WHOLE_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*", re.IGNORECASE)
_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w.-]+")


def redact(text: str) -> str:
    """Return the text on one line, at most MAX_TEXT long, without what may be secret in it.

    That is: the query of any URL, also of a relative one; its user and password; JSON Web Tokens.
    """
    bare = _TOKEN.sub("<token>", _QUERY_OR_USER.sub("", _WHOLE_QUERY.sub(r"\1", text)))
    line = " ".join(bare.split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
