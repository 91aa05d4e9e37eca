"""A file of services and the memory of good ones, both without a network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from shared.errors import ServiceFileError
from shared.scoring.catalogue_source import GoodVersion, ServiceText
from tests.support.fake_storage import FakeStorage


@dataclass
class FakeServiceFile:
    """Passes the same suite as the clients of files and blobs; counts what is really read."""

    text: str | None = ""
    source: str = "services.yaml"
    away: bool = False
    texts_read: int = 0
    _version: int = 0

    def write(self, text: str | None) -> None:
        """Change the file, or delete it."""
        self.text = text
        self._version += 1

    async def read(self, *, known_version: str) -> ServiceText | None:
        if self.away:
            raise ServiceFileError([f"{self.source} cannot be read: 503"], retryable=True)
        if self.text is None:
            raise ServiceFileError([f"{self.source} cannot be read: there is none"])
        if known_version == str(self._version):
            return None
        self.texts_read += 1
        return ServiceText(text=self.text, version=str(self._version))


@dataclass
class FakeGoodVersions(FakeStorage):
    """Passes the same suite as GoodServicesClient."""

    good: GoodVersion | None = None
    rejected: str = ""
    puts: list[GoodVersion] = field(default_factory=list)
    hangs: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def get(self) -> GoodVersion | None:
        self._reach()
        self.asked.set()
        if self.hangs:
            await asyncio.sleep(600)
        return self.good

    async def put(self, version: GoodVersion) -> None:
        self._reach()
        self.puts.append(version)
        self.good = version

    async def begin_rejection(self, digest: str) -> bool:
        self._reach()
        first, self.rejected = digest != self.rejected, digest
        return first

    async def end_rejection(self) -> None:
        self._reach()
        self.rejected = ""
