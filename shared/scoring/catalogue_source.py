"""Which services are looked after now: the file's, or its last good version while it is broken.

A version in force is remembered in the worker and in the app's own storage, so that a restart in
the middle of a mistake changes nothing. Losing that storage costs the memory, not the checks.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from shared.errors import ServiceFileError, StorageUnavailableError
from shared.scoring.catalogue import Catalogue, CatalogueRejected, read_catalogue
from shared.scoring.problem import Problem
from shared.scoring.service import Service
from shared.telemetry import Event, Telemetry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServiceText:
    """What a file holds, and the version of it, which changes when the text does."""

    text: str
    version: str


class ServiceFile(Protocol):
    """Where the text comes from; shared.clients.service_file provides it."""

    @property
    def source(self) -> str:
        """The path or URL, without secrets."""

    async def read(self, *, known_version: str) -> ServiceText | None:
        """Return the text; None where it is still the known version. Raises ServiceFileError."""


@dataclass(frozen=True, kw_only=True)
class GoodVersion:
    """A text that came into force, whence and when."""

    text: str
    source: str
    since: datetime


class GoodVersions(Protocol):
    """Remembers the last good version, and which broken one was told; raises StorageUnavailableError."""

    async def get(self) -> GoodVersion | None:
        """Return the last good version."""

    async def put(self, version: GoodVersion) -> None:
        """Remember it, in place of any other."""

    async def begin_rejection(self, digest: str) -> bool:
        """Remember a broken text; True to the one caller who is to tell of it."""

    async def end_rejection(self) -> None:
        """Forget it: the file is good again."""


@dataclass(frozen=True, kw_only=True)
class InForce:
    """The services that are looked after. `since`: when their text was first seen to be good.

    `rejected`: what is wrong with a newer text that is not in force, empty where there is none.
    """

    services: Sequence[Service]
    source: str
    since: datetime | None
    digest: str
    rejected: Sequence[Problem] = ()


NO_FILE = InForce(services=(), source="", since=None, digest="")


@dataclass(kw_only=True)
class KnownCatalogue:
    """What one worker remembers between invocations: plain data.

    `version` is the text last read, `rejection` what was wrong with it; `unsaved` is a good text
    that could not be stored yet, `told` the digest of the broken one that was told.
    """

    version: str = ""
    good: InForce | None = None
    rejection: CatalogueRejected | None = None
    unsaved: GoodVersion | None = None
    told: str = ""
    # Another worker may have told of a broken text, until this one has seen that it is mended.
    rejection_open: bool = True


@dataclass(frozen=True, kw_only=True)
class CatalogueSource:
    """Reads the file when it changed; `store` is None for an app without storage."""

    file: ServiceFile
    store: GoodVersions | None
    known: KnownCatalogue = field(repr=False)
    telemetry: Telemetry
    now: Callable[[], datetime]

    async def load(self) -> InForce:
        """Return what is in force now.

        Raises ServiceFileError, with every problem, where no version was ever good.
        """
        rejection = await self._read()
        if rejection is not None:
            return await self._fall_back(rejection)
        await self._save()
        await self._end_rejection()
        if self.known.good is None:
            raise TypeError("a text is good or rejected")
        return self.known.good

    async def _read(self) -> CatalogueRejected | None:
        """Take up the text if it changed; returns what is wrong with it, or why it is unknown."""
        known = self.known
        try:
            read = await self.file.read(known_version=known.version)
        except ServiceFileError as error:
            return _unreadable(error)
        if read is None:
            return known.rejection
        found = await asyncio.to_thread(read_catalogue, read.text)
        if isinstance(found, Catalogue):
            await self._accept(found, read.text)
        # Known only now: who is interrupted before reads it again.
        known.version = read.version
        known.rejection = found if isinstance(found, CatalogueRejected) else None
        return known.rejection

    async def _accept(self, catalogue: Catalogue, text: str) -> None:
        known = self.known
        last = known.good or await self._recall()
        if last and last.digest == catalogue.digest and last.since:
            since = last.since
        else:
            since = self.now()
            known.unsaved = GoodVersion(text=text, source=self.file.source, since=since)
        known.good = InForce(
            services=catalogue.services,
            source=self.file.source,
            since=since,
            digest=catalogue.digest,
        )

    async def _save(self) -> None:
        """Store a version that is new, or could not be stored before."""
        unsaved = self.known.unsaved
        if unsaved is None or self.store is None:
            return
        try:
            await self.store.put(unsaved)
        except StorageUnavailableError as error:
            logger.warning("the list of services is remembered in this worker only: %s", error)
            return
        self.known.unsaved = None

    async def _recall(self) -> InForce | None:
        """Return the version that was in force before this worker started."""
        try:
            stored = await self.store.get() if self.store else None
        except StorageUnavailableError as error:
            logger.warning("the last good list of services cannot be read: %s", error)
            return None
        if stored is None:
            return None
        found = await asyncio.to_thread(read_catalogue, stored.text)
        if isinstance(found, CatalogueRejected):
            # It was good for an older version of this app, whose format has changed since.
            return None
        return InForce(
            services=found.services, source=stored.source, since=stored.since, digest=found.digest
        )

    async def _fall_back(self, rejection: CatalogueRejected) -> InForce:
        """Stay with the last good version, and say so."""
        self.known.good = self.known.good or await self._recall()
        await self._tell(rejection)
        if self.known.good is None:
            raise ServiceFileError([str(each) for each in rejection.problems])
        return replace(self.known.good, rejected=rejection.problems)

    async def _tell(self, rejection: CatalogueRejected) -> None:
        """Tell of a broken text once, whichever worker meets it first."""
        known = self.known
        if known.told == rejection.digest:
            return
        known.told, known.rejection_open = rejection.digest, True
        try:
            first = await self.store.begin_rejection(rejection.digest) if self.store else True
        except StorageUnavailableError:
            first = True
        if first:
            since = known.good.since if known.good else None
            self.telemetry.event(
                Event.SCORING_CONFIG_REJECTED,
                source=self.file.source,
                problems=len(rejection.problems),
                first_problem=str(rejection.problems[0]),
                in_force_since=_iso(since),
            )

    async def _end_rejection(self) -> None:
        if not self.known.rejection_open:
            return
        self.known.told = ""
        try:
            if self.store:
                await self.store.end_rejection()
        except StorageUnavailableError:
            return
        self.known.rejection_open = False


def _unreadable(error: ServiceFileError) -> CatalogueRejected:
    text = str(error)
    return CatalogueRejected(
        problems=(Problem(message=text),), digest=hashlib.sha256(text.encode()).hexdigest()
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
