"""Maintenance of scoring services on Azure Tables: a row per service, its last one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from shared.clients.storage import StorageAccount
from shared.clients.table import OpenedTable, moment
from shared.scoring.maintenance import Maintenance

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

TABLE: Final = "ScoringMaintenance"
_PARTITION: Final = "maintenance"


class MaintenanceWindowsClient(OpenedTable):
    """Satisfies shared.scoring.records.MaintenanceWindows. Opened per round, or per request."""

    def __init__(self, account: StorageAccount, *, table: str = TABLE) -> None:
        super().__init__(account, table)

    async def in_force(self, at: datetime) -> Mapping[str, datetime]:
        """Return until when, by the services' names."""
        async with self._table.limit():
            rows = await self._table.list(
                "PartitionKey eq @partition and Until gt @at", partition=_PARTITION, at=at
            )
        found = map(_maintenance, rows)
        return {each.service: each.until for each in found if each.holds(at)}

    async def get(self, service: str) -> Maintenance | None:
        """Return a service's last one, also one that has ended."""
        async with self._table.limit():
            row = await self._table.get(_PARTITION, service)
        return _maintenance(row) if row else None

    async def put(self, maintenance: Maintenance) -> None:
        """Open one, in place of any other of the service."""
        async with self._table.limit():
            await self._table.put(
                {
                    "PartitionKey": _PARTITION,
                    "RowKey": maintenance.service,
                    "Until": maintenance.until,
                    "Reason": maintenance.reason,
                    "OpenedBy": maintenance.opened_by,
                    "OpenedAt": maintenance.opened_at,
                }
            )

    async def delete(self, service: str) -> None:
        """End it; there may be none."""
        async with self._table.limit():
            await self._table.delete(_PARTITION, service)


def _maintenance(row: TableEntity) -> Maintenance:
    return Maintenance(
        service=row["RowKey"],
        until=moment(row["Until"]),
        reason=row["Reason"],
        opened_by=row["OpenedBy"],
        opened_at=moment(row["OpenedAt"]),
    )
