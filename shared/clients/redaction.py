"""Texts of Azure that go into errors and logs: bounded, and without signed URLs, tokens or passwords."""

import re
from collections.abc import Mapping

MAX_TEXT = 500
_QUERY_OR_USER = re.compile(r"\?[^\s?=\"'<>]+=[^\s\"'<>]*|(?<=://)[^\s/@\"'<>]+@")
_WHOLE_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*", re.IGNORECASE)
_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w.-]+")
# A word of prose has no digit: `Bearer authentication failed` stays.
_BEARER = re.compile(r"\b(Bearer)\s+(?=\S*\d)[\w.~+/=-]{8,}", re.IGNORECASE)
_NAMES = r"passw(?:or)?d|pwd|secret|token|credential|api_?-?key|account_?-?key|access_?-?key"
# PASSWORD=x, AccountKey=x; "password": "x"; sv=1&sig=x; not: `secret: not found`, `signal=9`.
_ASSIGNED = re.compile(
    rf"([\w.-]*(?:{_NAMES})[\w.-]*|\bsig)(\s*=\s*[\"']?|[\"']\s*:\s*[\"'])[^\s\"'<>,;&]+",
    re.IGNORECASE,
)
# Shorter values are words of any log: 1, true, info.
_LONG_ENOUGH = 6
_LONG_ENOUGH_FOR_SECRETS = 3


def redact(text: str) -> str:
    """Return the text on one line, at most MAX_TEXT long, without what may be secret in it.

    That is: the query of any URL, also of a relative one; its user and password; tokens; and what
    is assigned to a password, a secret, a key or a signature (SAS).
    """
    bare = _TOKEN.sub("<token>", _QUERY_OR_USER.sub("", _WHOLE_QUERY.sub(r"\1", text)))
    bare = _ASSIGNED.sub(r"\1\2<secret>", _BEARER.sub(r"\1 <token>", bare))
    line = " ".join(bare.split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"


def without_settings(text: str, settings: Mapping[str, str]) -> str:
    """Return a program's text with the values of its environment replaced by their names.

    They may be secret, whatever they are called; the text is still to be understood.
    """
    for name, value in sorted(settings.items(), key=lambda each: -len(each[1])):
        secret = re.search(_NAMES, name, re.IGNORECASE)
        if len(value) >= (_LONG_ENOUGH_FOR_SECRETS if secret else _LONG_ENOUGH):
            text = text.replace(value, f"<{name}>")
    return text
