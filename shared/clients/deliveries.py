"""Which batches of events Application Insights has taken: a flush is no proof that it did.

The SDK drops a batch that is refused, or that nobody answers, and says so in a log of its own; its
`force_flush` is content either way (azure-monitor-opentelemetry-exporter 1.0.0b58, opentelemetry-sdk).
"""

from __future__ import annotations

import time
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse

_BATCH: Final = "batch_of_events"
_EVENTS: Final = b'"EventData"'
# Old ones concern no invocation that still goes on.
_MOST_OPEN: Final = 1000
# After the last two the exporter sends the batch to another address: a batch of its own.
_SETTLED: Final = frozenset(
    {HTTPStatus.OK, HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
)


class Deliveries:
    """Hooks of the exporters' HTTP pipeline (azure-core's CustomHookPolicy), which sees every try.

    Spans, metrics and log records are nobody's alert: only batches that hold events are followed. Part
    of one refused (206) counts as all of it.
    """

    def __init__(self) -> None:
        self._numbers = count()
        self._open: dict[int, float] = {}
        self._in_vain_since: float | None = None

    def begin(self, request: PipelineRequest[Any]) -> None:
        """Note a try."""
        if self._in_vain_since is None:
            self._in_vain_since = time.monotonic()
        content = request.http_request.content
        if _EVENTS not in (content.encode() if isinstance(content, str) else content):
            return
        number = request.context.setdefault(_BATCH, next(self._numbers))
        self._open[number] = time.monotonic()
        while len(self._open) > _MOST_OPEN:
            self._open.pop(next(iter(self._open)))

    def end(self, response: PipelineResponse[Any, Any]) -> None:
        """Note an answer."""
        if response.http_response.status_code == HTTPStatus.OK:
            self._in_vain_since = None
        if response.http_response.status_code in _SETTLED:
            self._open.pop(response.context.get(_BATCH, -1), None)

    def seconds_in_vain(self) -> float:
        """Return for how long batches of any kind have been sent, and none taken: 0 if the last was."""
        since = self._in_vain_since
        return 0.0 if since is None else time.monotonic() - since

    def is_complete(self, *, since: float) -> bool:
        """Whether every batch that was tried since a moment (`time.monotonic`) has been taken."""
        return all(tried < since for tried in list(self._open.values()))
