"""How long the lists of a workspace have not shown an instance that they showed before. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(kw_only=True)
class Absence:
    """Lists in a row without it, the time of the last of them, and why it is not known to be gone."""

    lists: int = 0
    seen_at: datetime | None = None
    detail: str = ""

    @property
    def is_worth_a_question(self) -> bool:
        """Whether it may be gone: one list may lag behind."""
        return self.lists > 1

    def go_on(self, seen_at: datetime) -> None:
        """Another list did not show it."""
        self.lists, self.seen_at = self.lists + 1, seen_at

    def doubt(self, why: str) -> None:
        """That it is gone could not be confirmed."""
        self.detail = f"The last list did not show it; {why}."
