"""One answer of Azure Resource Manager, or the lack of one, in plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from shared.clients.redaction import redact
from shared.errors import AzureRequestError

_SECONDS = re.compile(r"[0-9]{1,9}")
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class ArmAnswer:
    """`status` is None when nothing was heard; `arrived` is False when nothing was sent either.

    `body` is the parsed JSON object, empty without one. `problem` says why there is no usable one.
    """

    what: str
    status: int | None = None
    arrived: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problem: str = ""

    @property
    def succeeded(self) -> bool:
        """Any 2xx whose body could be read."""
        return self.status is not None and self.status // 100 == 2 and not self.problem  # noqa: PLR2004  # 2xx

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status is None or self.status in _TRANSIENT or bool(self.problem)

    @property
    def code(self) -> str:
        """Azure's error code."""
        return redact(str(self._error.get("code") or ""))

    @property
    def message(self) -> str:
        """Azure's error message, or what went wrong on the way; safe to show."""
        return redact(str(self._error.get("message") or self.problem or "no error message"))

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait (RFC 9110, 10.2.3: seconds or a date)."""
        value = self.headers.get("Retry-After", "").strip()
        if not value:
            return None
        if _SECONDS.fullmatch(value):
            return float(value)
        when = _parse_date(value)
        return max((when - datetime.now(UTC)).total_seconds(), 0.0) if when else None

    @property
    def date(self) -> datetime | None:
        """The server's clock, in whole seconds."""
        return _parse_date(self.headers.get("Date", ""))

    def as_error(self) -> AzureRequestError:
        """Return the error to raise for an answer that is no success."""
        said = ": ".join(str(part) for part in (self.status, self.code, self.message) if part)
        return AzureRequestError(
            f"{self.what}: {said}", status=self.status, code=self.code, retryable=self.transient
        )

    @property
    def _error(self) -> Mapping[str, Any]:
        error = self.body.get("error")
        return error if isinstance(error, dict) else self.body if not self.succeeded else {}


def parse_object(content: bytes) -> tuple[Mapping[str, Any], str]:
    """Return (object, problem): one JSON object, or what is wrong with it."""
    if not content.strip():
        return {}, ""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return {}, "the answer is not valid JSON"
    if not isinstance(parsed, dict):
        return {}, "the answer is not a JSON object"
    return parsed, ""


def _parse_date(text: str) -> datetime | None:
    """Parse an HTTP date (RFC 9110, 5.6.7); None of what no clock of today would say."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if not 2000 <= when.year < 2200:  # noqa: PLR2004  # years
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
