"""Keys that a service repeats in its answer: an echo or an error page may, and no report may show it.

What a service answers is told to people, in texts of what differs. Pure.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from pydantic import JsonValue

INSTEAD: Final = "<key>"
# Of shorter ones base64 leaves too little to tell it from anything else.
_SHORTEST_IN_BASE64: Final = 8


@dataclass(frozen=True, kw_only=True)
class SentKeys:
    """The values that were sent to sign in, in the ways in which an answer may write them.

    As they are, with or without the scheme in front, in whatever case; and as JSON, HTML, URLs
    (once or twice) and base64 write them. Who hides a key on purpose succeeds: it is his already.
    """

    written: re.Pattern[str] | None = None

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> SentKeys:
        """Return those of a request's headers that sign it in."""
        values = {each for value in sent.values() for each in (value, value.partition(" ")[2])}
        ways = [way for each in sorted(values, key=len, reverse=True) for way in _ways(each)]
        return cls(written=re.compile("|".join(ways), re.IGNORECASE) if ways else None)

    def hidden(self, text: str) -> str:
        """Return the text with each of them blotted out."""
        return self.written.sub(INSTEAD, text) if self.written else text

    def hidden_in(self, document: JsonValue) -> JsonValue:
        """Return JSON with each of them blotted out, also of names."""
        if self.written is None:
            return document
        if isinstance(document, str):
            return self.hidden(document)
        if isinstance(document, list):
            return [self.hidden_in(each) for each in document]
        if isinstance(document, dict):
            return {self.hidden(name): self.hidden_in(each) for name, each in document.items()}
        return document


NO_KEYS: Final = SentKeys()


def _ways(secret: str) -> Iterator[str]:
    if not secret:
        return
    yield "".join(map(_character, secret))
    for shift in range(3):
        # What does not depend on what stands around the key.
        whole = secret.encode()[shift : shift + (len(secret) - shift) // 3 * 3]
        if len(whole) >= _SHORTEST_IN_BASE64:
            yield re.escape(b64encode(whole).decode())


def _character(character: str) -> str:
    if character.isalnum():
        return re.escape(character)
    code = ord(character)
    as_url, as_json = rf"%(?:25)*{code:02x}", rf"\\+u{code:04x}"
    as_html = rf"&(?:amp;)*#(?:0*{code}|x0*{code:x});|{re.escape(escape(character))}"
    return rf"(?:\\*{re.escape(character)}|{as_url}|{as_json}|{as_html})"
