"""Exemptions: an owner keeps a machine, or a workspace, up until a moment; then they end by themselves.

The noun and its port; `shared.clients.exemption_store` provides it on Azure Tables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from shared.errors import StorageUnavailableError

# Whoever asks for an exemption while a run goes on finds it honoured this much later at the latest.
RENEW_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """`resource_id`: ARM id of an instance or workspace, in the caller's spelling.

    `claimed_by` is who asked, empty where nobody was authenticated; `etag` identifies this version.
    """

    exemption_id: str
    resource_id: str
    until: datetime
    reason: str
    claimed_by: str
    created_at: datetime
    etag: str = field(default="", compare=False)

    def covers(self, resource_id: str, *, at: datetime) -> bool:
        """Whether it holds for an instance, by itself or by its workspace, at a moment."""
        wanted, mine = resource_id.lower(), self.resource_id.lower()
        return at < self.until and (wanted == mine or wanted.startswith(f"{mine}/"))


class ExemptionStore(Protocol):
    """Every method raises StorageUnavailableError when the storage cannot be reached."""

    async def get(self, exemption_id: str) -> Exemption | None:
        """Return one, also one that has ended and was not pruned yet."""

    async def list_active(self, *, now: datetime) -> Sequence[Exemption]:
        """List those that have not ended, by their end."""

    async def create(self, exemption: Exemption) -> Exemption | None:
        """Store a new one and return it with its etag; None if the id is taken."""

    async def replace(self, exemption: Exemption, *, etag: str) -> Exemption | None:
        """Replace the version `etag`; None if that is not the stored one (or there is none)."""

    async def delete(self, exemption_id: str, *, etag: str | None) -> bool:
        """Delete it; False if `etag` is given and not the stored one. Absent already: True."""

    async def prune(self, *, ended_before: datetime) -> int:
        """Forget those that ended; returns how many."""


@dataclass(kw_only=True)
class KnownExemptions:
    """The exemptions as this worker last read them."""

    listed: Sequence[Exemption] = ()


@dataclass(frozen=True, kw_only=True)
class ExemptionsInForce:
    """What a run honours: what is stored, and while storage is away what was last known here."""

    store: ExemptionStore
    known: KnownExemptions

    async def list(
        self, *, now: datetime
    ) -> tuple[Sequence[Exemption], StorageUnavailableError | None]:
        """Return those in force, and the error if they are only what was last known."""
        try:
            self.known.listed = await self.store.list_active(now=now)
        except StorageUnavailableError as error:
            return self.known.listed, error
        return self.known.listed, None


@dataclass(kw_only=True, eq=False)
class RunExemptions:
    """The exemptions of one run: read when it begins, and again while machines wait for their turn.

    `listed` is one list for all of the run, changed in place. `away`: the last time, they could not
    be read. `lost`: that they are only what was last known has been said.
    """

    in_force: ExemptionsInForce
    read_at: datetime
    listed: list[Exemption] = field(default_factory=list)
    lost: bool = False
    away: bool = field(init=False)
    _turn: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.away = self.lost

    async def renew(self, *, now: datetime) -> StorageUnavailableError | None:
        """Read them again, if that is due; the error, the first time that they cannot be read."""
        # Many workspaces ask once, and all of them wait for the answer.
        async with self._turn:
            if now - self.read_at < RENEW_EVERY:
                return None
            self.read_at = now
            listed, error = await self.in_force.list(now=now)
            self.listed[:], self.away = listed, error is not None
        is_news, self.lost = error is not None and not self.lost, self.lost or error is not None
        return error if is_news else None
