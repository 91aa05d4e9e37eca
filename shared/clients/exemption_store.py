"""Exemptions on Azure Tables; their etags are Azure's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from shared.clients.storage import StorageAccount
from shared.clients.table import OpenedTable, moment
from shared.compute.exemptions import Exemption

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

TABLE: Final = "ComputeExemptions"
_PARTITION: Final = "exemption"


class ExemptionStoreClient(OpenedTable):
    """Satisfies shared.compute.exemptions.ExemptionStore. Opened per run, or per request.

    Texts of an exemption are properties: 32,000 characters at most.
    """

    def __init__(self, account: StorageAccount, *, table: str = TABLE) -> None:
        super().__init__(account, table)

    async def get(self, exemption_id: str) -> Exemption | None:
        """Return one, also one that has ended and was not pruned yet."""
        async with self._table.limit():
            found = await self._table.get(_PARTITION, exemption_id)
        return _exemption(found) if found else None

    async def list_active(self, *, now: datetime) -> Sequence[Exemption]:
        """List those that have not ended, by their end."""
        async with self._table.limit():
            found = await self._table.list(
                "PartitionKey eq @partition and Until gt @now", partition=_PARTITION, now=now
            )
        return sorted(map(_exemption, found), key=lambda each: (each.until, each.exemption_id))

    async def create(self, exemption: Exemption) -> Exemption | None:
        """Store a new one and return it with its etag; None if the id is taken."""
        entity = _entity(exemption)
        async with self._table.limit():
            etag = await self._table.insert(entity) or await self._etag_of_own(entity)
        return replace(exemption, etag=etag) if etag else None

    async def replace(self, exemption: Exemption, *, etag: str) -> Exemption | None:
        """Replace the version `etag`; None if that is not the stored one (or there is none)."""
        entity = _entity(exemption)
        async with self._table.limit():
            if not await self._is_stored(exemption.exemption_id, etag):
                return None
            stored = await self._table.replace(entity, etag=etag)
            renewed = stored or await self._etag_of_own(entity)
        return replace(exemption, etag=renewed) if renewed else None

    async def delete(self, exemption_id: str, *, etag: str | None) -> bool:
        """Delete it; False if `etag` is given and not the stored one. Absent already: True."""
        async with self._table.limit():
            if etag is None:
                return await self._table.delete(_PARTITION, exemption_id)
            stored = await self._table.get(_PARTITION, exemption_id)
            if stored is None:
                return True
            if stored.metadata["etag"] != etag:
                return False
            return await self._table.delete(_PARTITION, exemption_id, etag=etag)

    async def prune(self, *, ended_before: datetime) -> int:
        """Forget those that ended; one that was extended meanwhile stays."""
        async with self._table.limit():
            ended = await self._table.list(
                "PartitionKey eq @partition and Until lt @ended_before",
                partition=_PARTITION,
                ended_before=ended_before,
            )
            forgotten = [
                await self._table.delete(_PARTITION, each["RowKey"], etag=each.metadata["etag"])
                for each in ended
            ]
        return sum(forgotten)

    async def _is_stored(self, exemption_id: str, etag: str) -> bool:
        # Looked at first: Azure takes "*" for any version, and refuses what is no etag of its own.
        stored = await self._table.get(_PARTITION, exemption_id)
        return stored is not None and stored.metadata["etag"] == etag

    async def _etag_of_own(self, entity: dict[str, Any]) -> str | None:
        """Return the etag if what is stored is this very write, whose answer was lost."""
        stored = await self._table.get(_PARTITION, entity["RowKey"])
        return stored.metadata["etag"] if stored and stored["Mark"] == entity["Mark"] else None


def _entity(exemption: Exemption) -> dict[str, Any]:
    return {
        "PartitionKey": _PARTITION,
        "RowKey": exemption.exemption_id,
        "ResourceId": exemption.resource_id,
        "Until": exemption.until,
        "Reason": exemption.reason,
        "ClaimedBy": exemption.claimed_by,
        "CreatedAt": exemption.created_at,
        "Mark": uuid4().hex,
    }


def _exemption(entity: TableEntity) -> Exemption:
    return Exemption(
        exemption_id=entity["RowKey"],
        resource_id=entity["ResourceId"],
        until=moment(entity["Until"]),
        reason=entity["Reason"],
        claimed_by=entity["ClaimedBy"],
        created_at=moment(entity["CreatedAt"]),
        etag=str(entity.metadata["etag"]),
    )
