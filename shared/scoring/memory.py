"""What a worker remembers of services, so that losing the tables does not make it forget them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from shared.errors import StorageUnavailableError
from shared.scoring.records import CheckRow, Records
from shared.scoring.state import ServiceState

# Two rounds at once are rare, and one of them is soon over.
MOST_TRIES: Final = 3
OTHERS: Final = "others wrote at the same time, and again"


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
            known.states = {
                name: _later(
                    recorded.get(name, ServiceState()), known.states.get(name, ServiceState())
                )
                for name in {*recorded, *known.states}
            }
        states = {**known.guessed, **known.states}
        return {name: states.get(name, ServiceState()) for name in names}

    async def in_maintenance(self, at: datetime) -> Collection[str]:
        """Return who is in maintenance at a moment: windows end by themselves, also lost ones."""
        try:
            self.remembered.maintenance = dict(await self.records.maintenance.in_force(at))
        except StorageUnavailableError as error:
            self.lost.append(f"maintenance windows could not be read: {error}")
        return {name for name, until in self.remembered.maintenance.items() if at < until}

    async def keep_states(self, states: Mapping[str, ServiceState]) -> Mapping[str, ServiceState]:
        """Write states over those they grew from.

        Returns those that were not written, since others had been meanwhile, as they are now.
        """
        if not self._has_read:
            self._keep_guesses(states)
            return {}
        try:
            left = await self.records.states.save(states)
        except StorageUnavailableError as error:
            self.lost.append(f"states could not be written: {error}")
            left = ()
        self.remembered.states.update(
            {name: state for name, state in states.items() if name not in left}
        )
        if not left:
            return {}
        # Also told as changed by others is what was written here, where the answer was lost.
        return {
            name: now for name, now in (await self.states_of(left)).items() if now != states[name]
        }

    def _keep_guesses(self, states: Mapping[str, ServiceState]) -> None:
        known = self.remembered
        # What grew from a guess must not replace what is recorded.
        for name, state in states.items():
            (known.states if name in known.states else known.guessed)[name] = state
        self.lost.append("states were not written, since they could not be read")

    async def keep_rows(self, rows: Sequence[CheckRow]) -> None:
        """Write what was found."""
        try:
            await self.records.history.append(rows)
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
            left = await self._write_told(states)
        except StorageUnavailableError as error:
            self.lost.append(f"that people were told could not be written: {error}")
        else:
            if left:
                self.lost.append(f"that people were told of {len(left)} services: {OTHERS}")

    async def _write_told(self, states: Mapping[str, ServiceState]) -> Collection[str]:
        left: Collection[str] = states
        for _ in range(MOST_TRIES):
            recorded = await self.records.states.load()
            left = await self.records.states.save(
                {name: _told(states[name], recorded.get(name, ServiceState())) for name in left}
            )
            if not left:
                break
        return left


def _told(ours: ServiceState, recorded: ServiceState) -> ServiceState:
    """Return that people were told, of the later look: telling takes seconds, and others look, too."""
    return replace(_later(recorded, ours), told=ours.told)


def _later(recorded: ServiceState, remembered: ServiceState) -> ServiceState:
    """Return what is newer, as it is to be written: this worker may have failed to write it."""
    ours, theirs = remembered.checked_at, recorded.checked_at
    if ours is None or (theirs is not None and ours <= theirs):
        return recorded
    return replace(remembered, etag=recorded.etag)
