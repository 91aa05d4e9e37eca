"""Notes in memory: pass the same suite as the client of Azure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.fake_storage import FakeStorage


@dataclass
class FakeNotes(FakeStorage):
    """Texts by name."""

    texts: dict[str, str] = field(default_factory=dict)

    async def put(self, name: str, text: str) -> None:
        self._reach()
        self.texts[name] = text

    async def get(self, name: str) -> str | None:
        self._reach()
        return self.texts.get(name)

    async def list(self) -> Mapping[str, str]:
        self._reach()
        return dict(self.texts)
