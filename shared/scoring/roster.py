"""Who is looked after now: the services of the file and those found in Azure, and what is amiss with both.

What cannot be read costs what it holds, never the rest: a broken file leaves its last good version,
a workspace that cannot be listed what was last seen there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import ServiceFileError
from shared.scoring.catalogue_source import NO_FILE, CatalogueSource, InForce
from shared.scoring.discovery import Discovery, Estate
from shared.scoring.examination import Subject
from shared.scoring.subjects import PassedOver, join

# A service that died is told within six minutes, also while Azure hangs.
LOOK_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Services by unique names, and what is amiss.

    `source` is the file, empty without one; `since` when the version in force was first seen.
    `rejected`: what is wrong with a newer text. `unread`: what of Azure could not be listed.
    """

    subjects: Sequence[Subject]
    source: str = ""
    since: datetime | None = None
    rejected: Sequence[str] = ()
    unread: Sequence[str] = ()
    passed_over: Sequence[PassedOver] = ()

    def find(self, name: str) -> Subject | None:
        """Return the service of a name; None if nobody looks after one.

        Raises ServiceFileError while a part of the estate cannot be read: it may be there.
        """
        found = next((each for each in self.subjects if each.service.name == name), None)
        if found is None and self.problems:
            unknown = f"whether there is a service {name[:63]} is not known: not all could be read"
            raise ServiceFileError((unknown, *self.problems), retryable=True)
        return found

    @property
    def problems(self) -> Sequence[str]:
        """Return all that is amiss with it."""
        return (*self.rejected, *self.unread)


@dataclass(frozen=True, kw_only=True)
class RosterSource:
    """Reads the roster; `file` is None where no file is set, `discovery` where it is switched off."""

    file: CatalogueSource | None
    discovery: Discovery | None

    async def load(self) -> Roster:
        """Return who is looked after now. Raises nothing of what is wrong with file or Azure."""
        in_force, rejected = await self._declared()
        estate = await self._found()
        joined = join(in_force.services, estate)
        return Roster(
            subjects=joined.subjects,
            source=in_force.source,
            since=in_force.since,
            rejected=rejected,
            unread=[each.said for each in estate.unread],
            passed_over=joined.passed_over,
        )

    async def _declared(self) -> tuple[InForce, Sequence[str]]:
        if self.file is None:
            return NO_FILE, ()
        try:
            in_force = await self.file.load()
        except ServiceFileError as error:
            return NO_FILE, error.problems
        return in_force, [str(each) for each in in_force.rejected]

    async def _found(self) -> Estate:
        if self.discovery is None:
            return Estate()
        return await self.discovery.look(time_limit=timedelta(seconds=LOOK_SECONDS))
