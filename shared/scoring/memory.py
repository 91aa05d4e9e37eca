"""What a worker remembers of services, so that losing the tables does not make it forget them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.errors import StorageUnavailableError
from shared.scoring.records import CheckRow, Records
from shared.scoring.state import ServiceState


@dataclass(kw_only=True)
class Remembered:
    """States and maintenance as this worker last knew them; plain data, kept between rounds.

    `guessed` are states of services whose own could not be read: they began as unknown, and are
    forgotten as soon as the real ones can be read.
    """

    states: dict[str, ServiceState] = field(default_factory=dict)
    guessed: dict[str, ServiceState] = field(default_factory=dict)
    maintenance: dict[str, datetime] = field(default_factory=dict)


@dataclass(kw_only=True)
class Memory:
    """Reads and writes the records of one round. What is lost is said in `lost`, never raised."""

    records: Records
    remembered: Remembered
    lost: list[str] = field(default_factory=list)
    _has_read: bool = False

    async def states_of(self, names: Collection[str]) -> Mapping[str, ServiceState]:
        """Return the states of these services: as recorded, else as this worker last knew them."""
        known = self.remembered
        try:
            recorded = await self.records.states.load()
        except StorageUnavailableError as error:
            self.lost.append(f"states could not be read: {error}")
        else:
            self._has_read = True
            known.guessed.clear()
            for name, state in recorded.items():
                known.states[name] = _later(state, known.states.get(name, state))
        states = {**known.guessed, **known.states}
        return {name: states.get(name, ServiceState()) for name in names}

    async def in_maintenance(self, at: datetime) -> Collection[str]:
        """Return who is in maintenance at a moment: windows end by themselves, also lost ones."""
        try:
            self.remembered.maintenance = dict(await self.records.maintenance.in_force(at))
        except StorageUnavailableError as error:
            self.lost.append(f"maintenance windows could not be read: {error}")
        return {name for name, until in self.remembered.maintenance.items() if at < until}

    async def keep(self, states: Mapping[str, ServiceState], history: Sequence[CheckRow]) -> None:
        """Write the states, and what was found."""
        await self._keep_states(states)
        try:
            await self.records.history.append(history)
        except StorageUnavailableError as error:
            self.lost.append(f"history could not be written: {error}")

    async def keep_told(self, states: Mapping[str, ServiceState]) -> None:
        """Write the states of whom people were told; where it is lost they are told again."""
        if not states:
            return
        known = self.remembered
        for name, state in states.items():
            (known.guessed if name in known.guessed else known.states)[name] = state
        if not self._has_read:
            return
        try:
            recorded = await self.records.states.load()
            await self.records.states.save(
                {name: _told(state, recorded.get(name, state)) for name, state in states.items()}
            )
        except StorageUnavailableError as error:
            self.lost.append(f"that people were told could not be written: {error}")

    async def _keep_states(self, states: Mapping[str, ServiceState]) -> None:
        known = self.remembered
        if not self._has_read:
            # What grew from a guess must not replace what is recorded.
            for name, state in states.items():
                (known.states if name in known.states else known.guessed)[name] = state
            self.lost.append("states were not written, since they could not be read")
            return
        known.states.update(states)
        try:
            await self.records.states.save(states)
        except StorageUnavailableError as error:
            self.lost.append(f"states could not be written: {error}")


def _told(ours: ServiceState, recorded: ServiceState) -> ServiceState:
    """Return that people were told, of the later look: telling takes seconds, and others look, too."""
    later = _later(recorded, ours)
    return later if later is ours else replace(later, told=ours.told)


def _later(recorded: ServiceState, remembered: ServiceState) -> ServiceState:
    """Return what is newer: another worker may have written, or this one may have failed to."""
    if remembered.checked_at is None or recorded.checked_at is None:
        return recorded
    return remembered if remembered.checked_at > recorded.checked_at else recorded
