"""Where a list of runs goes on: opaque to callers, checked when it comes back."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from shared.clients.run_rows import HEADS, PARTITION, after_prefix, inverted_time
from shared.compute.report import Result

_VERSION: Final = 1
_KEY: Final = re.compile(r"[0-9a-f]{32}")
# A run's id is made a moment before its start is noted, perhaps by another clock.
_CLOCKS_DIFFER: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs are listed: `started_from` inclusive, `started_before` exclusive; None: all."""

    started_from: datetime | None = None
    started_before: datetime | None = None
    result: Result | None = None

    def condition(self, *, after: str) -> tuple[str, dict[str, Any]]:
        """Return an OData filter, and its parameters, for the heads behind the key `after`."""
        conditions = ["PartitionKey eq @partition", "RowKey gt @first", "RowKey lt @end"]
        values: dict[str, Any] = {
            "partition": PARTITION,
            "first": f"{HEADS}{after or self._newest}",
            "end": f"{HEADS}{self._oldest}" if self._oldest else after_prefix(HEADS),
        }
        if self.started_from is not None:
            conditions.append("StartedAt ge @started_from")
            values["started_from"] = self.started_from
        if self.started_before is not None:
            conditions.append("StartedAt lt @started_before")
            values["started_before"] = self.started_before
        if self.result is not None:
            conditions.append("Result eq @result")
            values["result"] = self.result.value
        return " and ".join(conditions), values

    @property
    def _newest(self) -> str:
        return inverted_time(self.started_before + _CLOCKS_DIFFER) if self.started_before else ""

    @property
    def _oldest(self) -> str:
        return inverted_time(self.started_from - _CLOCKS_DIFFER) if self.started_from else ""


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """The last run of a page, by its key, and what was listed."""

    after: str
    chosen: RunFilter

    @property
    def text(self) -> str:
        """The continuation as URL-safe text."""
        said = {
            "version": _VERSION,
            "after": self.after,
            "started_from": _iso(self.chosen.started_from),
            "started_before": _iso(self.chosen.started_before),
            "result": self.chosen.result,
        }
        packed = json.dumps(said, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, *, chosen: RunFilter) -> Self:
        """Read a continuation; it carries its filter, which may be given again but not changed.

        Raises ValueError for what `text` did not make.
        """
        try:
            found = cls._parse(text)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ValueError("this continuation was not made here") from None
        if chosen not in (found.chosen, RunFilter()):
            raise ValueError("this continuation belongs to another filter")
        return found

    @classmethod
    def _parse(cls, text: str) -> Self:
        padding = "=" * (-len(text) % 4)
        said = json.loads(base64.b64decode(f"{text}{padding}", altchars=b"-_", validate=True))
        if said["version"] != _VERSION or not _KEY.fullmatch(said["after"]):
            raise ValueError("another version")
        chosen = RunFilter(
            started_from=_time(said["started_from"]),
            started_before=_time(said["started_before"]),
            result=Result(said["result"]) if said["result"] else None,
        )
        return cls(after=said["after"], chosen=chosen)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at
