"""Let writes that come while another one is under way share the next transaction.

Nobody waits for company: who finds nothing under way writes at once, with whoever came in the same turn
of the event loop. The busier it is, the larger the groups, and the fewer the round trips.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.clients.table import MAX_OPERATIONS, Entity

T = TypeVar("T")


@dataclass(eq=False, kw_only=True)
class _Write(Generic[T]):
    key: str
    entity: Entity
    was_in_a_group: bool = False
    known: T | None = None


class GroupCommit(Generic[T]):
    """Writes of one partition, a group at a time. Belongs to an event loop.

    `commit` gets the entities of a group by their keys, and returns what it knows of each.
    """

    def __init__(
        self, commit: Callable[[Mapping[str, Entity]], Awaitable[Mapping[str, T]]]
    ) -> None:
        self._commit = commit
        self._turn = asyncio.Lock()
        self._waiting: list[_Write[T]] = []

    async def write(self, key: str, entity: Entity) -> T | None:
        """Write an entity with others; None if its group does not tell what became of it.

        Whoever leads a group raises what `commit` raised; to those who followed that tells nothing.
        """
        write = _Write[T](key=key, entity=entity)
        self._waiting.append(write)
        try:
            await asyncio.sleep(0)
            async with self._turn:
                if not write.was_in_a_group:
                    await self._lead()
        finally:
            if not write.was_in_a_group:
                # Cancelled while it waited: it is not to be written any more.
                self._waiting.remove(write)
        return write.known

    async def _lead(self) -> None:
        group, self._waiting = self._waiting[:MAX_OPERATIONS], self._waiting[MAX_OPERATIONS:]
        # Before anything can go wrong: nobody may take a write for one that still waits.
        for write in group:
            write.was_in_a_group = True
        known = await self._commit({write.key: write.entity for write in group})
        for write in group:
            write.known = known.get(write.key)
