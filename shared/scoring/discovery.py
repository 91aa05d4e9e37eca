"""Find the services of Azure ML in all workspaces that the principal sees, besides those of the file.

What was found is good for a while; a workspace that cannot be listed keeps what was last seen in it,
and is named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.scoring.azure import FoundService, ScoringAzure, WorkspaceServices
from shared.scoring.azure_word import AzureWord
from shared.scoring.service import Kind

FRESH: Final = timedelta(minutes=15)
# Where a part could not be listed, the next round asks again.
FRESH_IN_PART: Final = timedelta(minutes=4)
# So many lists at once: Azure Resource Manager counts reads.
AT_ONCE: Final = 8


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A part of the estate that could not be listed.

    `scope` is the ARM id of a subscription or workspace, empty for all of it; `kind` None: of any.
    """

    scope: str
    problem: str
    kind: Kind | None = None

    @property
    def said(self) -> str:
        """Say it in a sentence that holds the scope's id once."""
        if self.scope.lower() in self.problem.lower():
            name = self.scope.rpartition("/")[2] or "Azure"
            return f"{name}: {self.problem}"
        return f"{self.scope}: {self.problem}"

    def covers(self, kind: Kind, resource_id: str) -> bool:
        """Whether a service there would not have been found."""
        below = f"{resource_id}/".lower().startswith(f"{self.scope}/".lower())
        return (below or not self.scope) and self.kind in {None, kind}


@dataclass(frozen=True, kw_only=True)
class Estate:
    """The services of Azure ML as last listed, and what could not be.

    `seen_at`: when each was seen, by key; one of a scope that cannot be listed now was seen earlier.
    """

    found: Sequence[FoundService] = ()
    unread: Sequence[Unread] = ()
    seen_at: Mapping[str, datetime] = field(default_factory=dict)

    def word_of(self, found: FoundService) -> AzureWord | None:
        """Return what Azure said of one of them; None: when it was seen is not known."""
        seen_at = self.seen_at.get(found.key)
        return AzureWord(found=found, seen_at=seen_at) if seen_at else None


@dataclass(frozen=True, kw_only=True)
class WorkspaceIds:
    """ARM ids of the workspaces, and the scopes that could not be listed."""

    ids: Sequence[str]
    unread: Sequence[Unread] = ()


class Workspaces(Protocol):
    """Which workspaces there are; shared.clients.scoring_workspaces provides it."""

    async def list_ids(self, *, deadline: datetime) -> WorkspaceIds:
        """List them in all subscriptions that the principal sees. Never raises."""


@dataclass(kw_only=True)
class KnownEstate:
    """What one worker remembers between invocations: plain data, no keys."""

    estate: Estate = field(default_factory=Estate)
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """Looks for services in Azure; `azure` has a client for each kind that is looked for."""

    workspaces: Workspaces
    azure: Mapping[Kind, ScoringAzure]
    known: KnownEstate
    now: Callable[[], datetime]

    async def look(self, *, time_limit: timedelta) -> Estate:
        """Return the estate, listed anew when what is known is no longer fresh. Never raises."""
        known = self.known
        fresh = FRESH_IN_PART if known.estate.unread else FRESH
        if known.at is not None and self.now() - known.at < fresh:
            return known.estate
        known.estate = await self._list(self.now() + time_limit)
        known.at = self.now()
        return known.estate

    async def _list(self, deadline: datetime) -> Estate:
        # Lists may be long under way: what they say is no younger than their beginning.
        began_at = self.now()
        workspaces = await self.workspaces.list_ids(deadline=deadline)
        lists = await self._list_services(workspaces.ids, deadline)
        unread = [
            *workspaces.unread,
            *(
                Unread(scope=each.workspace_id, problem=each.problem, kind=kind)
                for kind, each in lists
                if not each.listed
            ),
        ]
        found = {each.key: each for _, listed in lists for each in listed.services}
        kept = {each.key: each for each in self._kept(unread)}
        seen_before = self.known.estate.seen_at
        return Estate(
            found=tuple((kept | found).values()),
            unread=tuple(unread),
            seen_at={key: seen_before[key] for key in kept if key in seen_before}
            | dict.fromkeys(found, began_at),
        )

    async def _list_services(
        self, workspace_ids: Sequence[str], deadline: datetime
    ) -> Sequence[tuple[Kind, WorkspaceServices]]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def of(kind: Kind, workspace_id: str) -> tuple[Kind, WorkspaceServices]:
            async with gate:
                client = self.azure[kind]
                return kind, await client.list_services(workspace_id, deadline=deadline)

        return await asyncio.gather(
            *(of(kind, each) for each in workspace_ids for kind in self.azure)
        )

    def _kept(self, unread: Sequence[Unread]) -> Iterator[FoundService]:
        """What was there when a scope could last be listed, and may still be."""
        for each in self.known.estate.found:
            if any(scope.covers(each.kind, each.id) for scope in unread):
                yield each
