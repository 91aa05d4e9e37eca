"""Who asked for the stop of an instance in its present life, on Azure Tables.

A row per instance and life: whoever inserts it asks for the stop. One round trip for all claims of a
subscription that are made at once and granted; while the storage is away nobody waits for it twice in a row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from shared.clients.group_commit import GroupCommit
from shared.clients.storage import StorageAccount
from shared.clients.table import MAX_OPERATIONS, Entity, OpenedTable, Operation, moment
from shared.compute.history import Claim

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

TABLE: Final = "ComputeStopClaims"
HOLD_SECONDS: Final = 30.0
PRUNE_AT_ONCE: Final = 1000
# A few round trips side by side outpace Azure's 10 stops a second; the dozens that a share would send at
# once, times all shares of all workers, only make storage slow, and slow storage reads as lost.
CLAIMS_AT_ONCE: Final = 4
# A transaction fails as a whole over one claim that stands, and goes again without it. Where more of
# them stand, another run is at the same machines: each claim then looks for itself.
TRANSACTIONS_OF_A_GROUP: Final = 3


class StopClaimsClient(OpenedTable):
    """Satisfies shared.compute.history.StopClaims. Opened per run: belongs to its event loop."""

    def __init__(
        self, account: StorageAccount, *, table: str = TABLE, hold_seconds: float = HOLD_SECONDS
    ) -> None:
        super().__init__(account, table, hold_seconds=hold_seconds)
        self._turns = asyncio.Semaphore(CLAIMS_AT_ONCE)
        self._groups: dict[str, GroupCommit[Claim]] = {}

    async def list_claimed(self, subscription_id: str, *, run_id: str) -> Mapping[str, Claim]:
        """Return a run's claims of the stops of a subscription, by lower-cased instance id."""
        async with self._turns, self._table.limit():
            found = await self._table.list(
                "PartitionKey eq @partition and RunId eq @run_id",
                select=("InstanceId", "RunId", "ClaimedAt", "Life", "State"),
                partition=_digest(f"/subscriptions/{subscription_id}".lower()),
                run_id=run_id,
            )
        return {str(each["InstanceId"]).lower(): _claim(each, "", granted=False) for each in found}

    async def claim(
        self,
        instance_id: str,
        life: datetime | None,
        *,
        run_id: str,
        now: datetime,
        state: str = "",
    ) -> Claim:
        """Claim the stop of an instance in the life that began with its lastOperation."""
        entity = {**_entity(instance_id, life, run_id=run_id, now=now), "State": state}
        group = self._groups.setdefault(
            entity["PartitionKey"], GroupCommit[Claim](self._insert_group)
        )
        if granted := await group.write(entity["Mark"], entity):
            return granted
        # Waiting for a turn is no slowness of the storage: the limit begins after it.
        async with self._turns, self._table.limit():
            return await self._standing(entity) or await self._insert(entity)

    async def take_over(
        self, instance_id: str, life: datetime | None, *, held: Claim, run_id: str, now: datetime
    ) -> Claim:
        """Replace a claim that had no effect; not granted if somebody else was faster."""
        entity = {**_entity(instance_id, life, run_id=run_id, now=now), "State": held.state}
        async with self._table.limit():
            if held.version:
                etag = await self._table.replace(entity, etag=held.version)
                if etag:
                    return _claim(entity, etag, granted=True)
            return await self._insert(entity)

    async def release(self, instance_id: str, *, held: Claim) -> bool:
        """Forget a claim whose stop did nothing; False if somebody has taken it over."""
        if not held.version:
            return False
        key = _key(instance_id, held.life)
        async with self._table.limit():
            return await self._table.delete(key["PartitionKey"], key["RowKey"], etag=held.version)

    async def prune(self, *, claimed_before: datetime) -> int:
        """Forget old claims, PRUNE_AT_ONCE at most; returns how many."""
        old = await self._old(claimed_before)
        for batch in _batches(old):
            async with self._table.limit():
                await self._table.commit(batch)
        return len(old)

    async def _insert_group(self, entities: Mapping[str, Entity]) -> Mapping[str, Claim]:
        """Store claims of one partition; returns those of which it learned how they ended, by mark."""
        # Of two claims of the same stop one goes first: a transaction takes a key once.
        left = list({each["RowKey"]: each for each in entities.values()}.values())
        for _ in range(TRANSACTIONS_OF_A_GROUP):
            async with self._turns, self._table.limit():
                if len(left) == 1:
                    return {left[0]["Mark"]: await self._insert(left[0])}
                done = await self._table.insert_all(left)
            if done.taken is None:
                granted = zip(left, done.etags, strict=True)
                return {each["Mark"]: _claim(each, etag, granted=True) for each, etag in granted}
            left = [each for place, each in enumerate(left) if place != done.taken]
        return {}

    async def _insert(self, entity: Entity) -> Claim:
        while True:
            if etag := await self._table.insert(entity):
                return _claim(entity, etag, granted=True)
            if claim := await self._standing(entity):
                return claim

    async def _standing(self, entity: Entity) -> Claim | None:
        """Return the claim that stands in the place of this one, if there is any."""
        held = await self._table.get(entity["PartitionKey"], entity["RowKey"])
        if held is None:
            return None
        # Our own mark: it was stored, and only the answer was lost.
        granted = held["Mark"] == entity["Mark"]
        return _claim(held, str(held.metadata["etag"]), granted=granted)

    async def _old(self, claimed_before: datetime) -> Sequence[TableEntity]:
        async with self._table.limit():
            return await self._table.list(
                "ClaimedAt lt @claimed_before",
                select=("PartitionKey", "RowKey"),
                at_most=PRUNE_AT_ONCE,
                claimed_before=claimed_before,
            )


def _entity(
    instance_id: str, life: datetime | None, *, run_id: str, now: datetime
) -> dict[str, Any]:
    return {
        **_key(instance_id, life),
        "InstanceId": instance_id,
        "Life": life.isoformat() if life else "",
        "RunId": run_id,
        "ClaimedAt": now,
        "Mark": uuid4().hex,
    }


def _key(instance_id: str, life: datetime | None) -> dict[str, str]:
    """Return hashes: ids hold characters that keys must not. Runs of one subscription go together."""
    subscription = "/".join(instance_id.lower().split("/")[:3])
    began = life.isoformat() if life else ""
    return {
        "PartitionKey": _digest(subscription),
        "RowKey": _digest(f"{instance_id.lower()}\n{began}"),
    }


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:40]


def _claim(entity: Entity, etag: str, *, granted: bool) -> Claim:
    return Claim(
        run_id=entity["RunId"],
        claimed_at=moment(entity["ClaimedAt"]),
        granted=granted,
        version=etag,
        life=datetime.fromisoformat(entity["Life"]) if entity["Life"] else None,
        state=entity.get("State") or "",
    )


def _batches(entities: Sequence[TableEntity]) -> Iterator[Sequence[Operation]]:
    """Cut deletions into transactions; entities come sorted by partition."""
    for _, group in groupby(entities, key=lambda entity: entity["PartitionKey"]):
        deletions: list[Operation] = [("delete", entity, {}) for entity in group]
        for start in range(0, len(deletions), MAX_OPERATIONS):
            yield deletions[start : start + MAX_OPERATIONS]
