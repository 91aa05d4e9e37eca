"""Read the answer to a probe off its connection: no more of it than is asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httptools

from shared.scoring.probe import Contact

MAX_HEAD_BYTES = 65_536
MAX_DETAIL = 200
PROTOCOL = b"HTTP/"
# RFC 9110, 15: what is below is told before the answer.
FIRST_FINAL_STATUS = 200
# A cookie is somebody's session: nobody here asks for it, and it is no evidence.
UNWANTED = frozenset({"set-cookie"})


class MalformedError(Exception):
    """What was read is no HTTP response."""


@dataclass(kw_only=True)
class Answer:
    """What has arrived so far, whatever happens next. `body` never holds more than `max_bytes`."""

    max_bytes: int
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class Reading(asyncio.Protocol):
    """Takes an answer in as it arrives.

    `ended` is how it ended, and why if it is no whole one; OSError where the connection broke.
    The `on_` methods are httptools'.
    """

    def __init__(self, answer: Answer) -> None:
        self.ended: asyncio.Future[tuple[Contact, str]]
        self.ended = asyncio.get_running_loop().create_future()
        self._answer = answer
        self._is_complete = False
        self._too_long = ""
        self._headers: dict[str, str] = {}
        self._read_bytes = 0
        self._first = b""
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; what comes after the end is nobody's concern."""
        if self.ended.done():
            return
        try:
            self._feed(data)
        except MalformedError as error:
            self._end(Contact.MALFORMED, f"no valid HTTP: {error}"[:MAX_DETAIL])
        if self._too_long:
            self._end(Contact.TOO_LARGE, self._too_long)
        elif self._is_complete:
            self._end(Contact.ANSWERED)

    def eof_received(self) -> None:
        """Take the end of the connection for the end of the answer, where that is how it ends."""
        if self._ends_with_connection:
            self._end(Contact.ANSWERED)
        else:
            self._end(Contact.CUT, self._cut())

    def connection_lost(self, exc: Exception | None) -> None:
        """End, if nothing else did: an end of TLS comes without `eof_received`."""
        if exc is None:
            self.eof_received()
        elif not self.ended.done():
            self.ended.set_exception(exc)

    def _end(self, contact: Contact, detail: str = "") -> None:
        # Who waited may have given up in between.
        if not self.ended.done():
            self.ended.set_result((contact, detail))

    def _cut(self) -> str:
        answer = self._answer
        if answer.status is None:
            return "the connection was closed without an answer"
        return f"the connection was closed after {len(answer.body)} bytes of the answer"

    def _feed(self, data: bytes) -> None:
        # Else the end of a line would be waited for that what is no HTTP server may never send.
        self._first += data[: len(PROTOCOL) - len(self._first)]
        if not PROTOCOL.startswith(self._first):
            raise MalformedError("it does not begin with HTTP/")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            raise MalformedError("it wants to speak another protocol") from error
        except httptools.HttpParserError as error:
            # What comes after the end is nobody's concern.
            if not self._is_complete:
                raise MalformedError(str(error)) from error
        self._read_bytes += len(data)
        self._bound()

    def _bound(self) -> None:
        """Bound what is no body: headers, announcements, and how chunks are framed."""
        answer = self._answer
        if answer.status is None and self._read_bytes > MAX_HEAD_BYTES:
            self._too_long = "the answer's headers are too long"
        # A byte more for each of the body is framing enough, but for a server that sends single ones.
        if self._read_bytes - len(answer.body) > MAX_HEAD_BYTES + answer.max_bytes:
            self._too_long = self._too_long or "the answer holds too much beside its body"

    @property
    def _ends_with_connection(self) -> bool:
        """Whether the end of the connection is the end of the answer (RFC 9112, 6.3)."""
        framed = {"content-length", "transfer-encoding"} & self._headers.keys()
        return self._answer.status is not None and not framed

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header in; what is there twice is joined (RFC 9110, 5.3)."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key not in UNWANTED:
            known = self._headers.get(key)
            self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        """Tell an answer from what only announces one."""
        status = self._parser.get_status_code()
        if status < FIRST_FINAL_STATUS:
            self._headers = {}
        else:
            self._answer.status, self._answer.headers = status, self._headers

    def on_body(self, data: bytes) -> None:
        """Keep as much as may be kept."""
        kept, most = self._answer.body, self._answer.max_bytes
        if len(kept) + len(data) > most:
            self._too_long = f"the answer is larger than {most} bytes"
        kept += data[: most - len(kept)]

    def on_message_complete(self) -> None:
        """Note the end of an answer; announcements end, too."""
        self._is_complete = self._answer.status is not None
