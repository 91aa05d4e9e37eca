"""Read the answer to a probe off its connection: no more of it than is asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import h11

from shared.scoring.probe import Contact

READ_BYTES = 65_536
PROTOCOL = b"HTTP/"
MAX_DETAIL = 200
# How h11 says that it waited for the end of the headers for too many bytes.
HEAD_TOO_LARGE = 431
# A cookie is somebody's session: nobody here asks for it, and it is no evidence.
UNWANTED = frozenset({"set-cookie"})


@dataclass(kw_only=True)
class Answer:
    """What has arrived so far, whatever happens next. `body` never holds more than `max_bytes`."""

    max_bytes: int
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    async def read(
        self, connection: h11.Connection, reader: asyncio.StreamReader
    ) -> tuple[Contact, str]:
        """Read to the end, or to what makes an end of it. Raises OSError where the connection does."""
        source = _Source(connection, reader)
        try:
            return await self._read(source)
        except h11.RemoteProtocolError as error:
            if source.ended:
                return Contact.CUT, self._cut()
            if error.error_status_hint == HEAD_TOO_LARGE:
                return Contact.TOO_LARGE, "the answer's headers are too long"
            return Contact.MALFORMED, f"no valid HTTP: {error}"[:MAX_DETAIL]

    async def _read(self, source: _Source) -> tuple[Contact, str]:
        while True:
            event = await source.next_event()
            if isinstance(event, h11.Response):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self.body += event.data
            else:
                return Contact.ANSWERED, ""
            if len(self.body) > self.max_bytes:
                del self.body[self.max_bytes :]
                return Contact.TOO_LARGE, f"the answer is larger than {self.max_bytes} bytes"

    def _begin(self, response: h11.Response) -> None:
        self.status = response.status_code
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            if name not in UNWANTED:
                known = self.headers.get(name)
                self.headers[name] = value if known is None else f"{known}, {value}"

    def _cut(self) -> str:
        if self.status is None:
            return "the connection was closed without an answer"
        return f"the connection was closed after {len(self.body)} bytes of the answer"


class _Source:
    """The events of a response, from the bytes of a connection."""

    def __init__(self, connection: h11.Connection, reader: asyncio.StreamReader) -> None:
        self.ended = False
        self._connection = connection
        self._reader = reader
        self._first = b""

    async def next_event(self) -> h11.Event | type[h11.PAUSED]:
        """Wait for the next event that is no interim response."""
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA:
                await self._receive()
            elif not isinstance(event, h11.InformationalResponse):
                return event  # type: ignore[return-value]  # mypy does not tell sentinels apart

    async def _receive(self) -> None:
        data = await self._reader.read(READ_BYTES)
        self.ended = not data
        # Else h11 would wait for the end of a line that what is no HTTP server may never send.
        self._first += data[: len(PROTOCOL) - len(self._first)]
        if not PROTOCOL.startswith(self._first):
            raise h11.RemoteProtocolError("it does not begin with HTTP/")
        self._connection.receive_data(data)
