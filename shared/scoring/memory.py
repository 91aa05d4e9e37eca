"""What a worker remembers of services, so that losing the tables does not make it forget them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import StorageUnavailableError
from shared.scoring.records import CheckRow, Records
from shared.scoring.state import ServiceState


@dataclass(kw_only=True)
class Remembered:
    """States and maintenance as this worker last knew them; plain data, kept between rounds."""

    states: dict[str, ServiceState] = field(default_factory=dict)
    maintenance: dict[str, datetime] = field(default_factory=dict)


@dataclass(kw_only=True)
class Memory:
    """Reads and writes the records of one round. What is lost is said in `lost`, never raised."""

    records: Records
    remembered: Remembered
    lost: list[str] = field(default_factory=list)

    async def states_of(self, names: Collection[str]) -> Mapping[str, ServiceState]:
        """Return the states of these services: as recorded, else as this worker last knew them."""
        try:
            self.remembered.states.update(await self.records.states.load())
        except StorageUnavailableError as error:
            self.lost.append(f"states could not be read: {error}")
        known = self.remembered.states
        return {name: known.get(name, ServiceState()) for name in names}

    async def in_maintenance(self, at: datetime) -> Collection[str]:
        """Return who is in maintenance at a moment: windows end by themselves, also lost ones."""
        try:
            self.remembered.maintenance = dict(await self.records.maintenance.in_force(at))
        except StorageUnavailableError as error:
            self.lost.append(f"maintenance windows could not be read: {error}")
        return {name for name, until in self.remembered.maintenance.items() if at < until}

    async def keep(self, states: Mapping[str, ServiceState], history: Sequence[CheckRow]) -> None:
        """Write the states, and what was found."""
        self.remembered.states.update(states)
        try:
            await self.records.states.save(states)
        except StorageUnavailableError as error:
            self.lost.append(f"states could not be written: {error}")
        try:
            await self.records.history.append(history)
        except StorageUnavailableError as error:
            self.lost.append(f"history could not be written: {error}")
