"""Minimum node counts of clusters that were scaled to 0, on Azure Tables."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from shared.clients.storage import StorageAccount
from shared.clients.table import OpenedTable, moment
from shared.compute.clusters import ClusterMinimum

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

TABLE: Final = "ComputeClusterMinimums"
_PARTITION: Final = "cluster"


class ClusterMinimumsClient(OpenedTable):
    """Satisfies shared.compute.clusters.ClusterMinimums. Opened per run."""

    def __init__(self, account: StorageAccount, *, table: str = TABLE) -> None:
        super().__init__(account, table)

    async def remember(self, minimum: ClusterMinimum) -> None:
        """Record a minimum durably, in place of any other of that cluster."""
        lowered = {"LoweredAt": minimum.lowered_at} if minimum.lowered_at else {}
        async with self._table.limit():
            await self._table.put(
                {
                    "PartitionKey": _PARTITION,
                    "RowKey": _row_key(minimum.cluster_id),
                    "ClusterId": minimum.cluster_id,
                    "Minimum": minimum.minimum,
                    "RecordedAt": minimum.recorded_at,
                    **lowered,
                }
            )

    async def forget(self, cluster_id: str) -> None:
        """Forget a cluster that has its minimum back."""
        async with self._table.limit():
            await self._table.delete(_PARTITION, _row_key(cluster_id))

    async def list(self) -> Sequence[ClusterMinimum]:
        """List the clusters that are to get their minimum back, by their id."""
        async with self._table.limit():
            found = await self._table.list("PartitionKey eq @partition", partition=_PARTITION)
        return sorted(map(_minimum, found), key=lambda each: each.cluster_id)


def _row_key(cluster_id: str) -> str:
    # A hash: ids hold characters that keys must not.
    return sha256(cluster_id.lower().encode()).hexdigest()


def _minimum(entity: TableEntity) -> ClusterMinimum:
    return ClusterMinimum(
        cluster_id=entity["ClusterId"],
        minimum=entity["Minimum"],
        recorded_at=moment(entity["RecordedAt"]),
        lowered_at=moment(entity["LoweredAt"]) if "LoweredAt" in entity else None,
    )
