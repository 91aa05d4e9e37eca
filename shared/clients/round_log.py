"""How the last rounds of health checks went, on Azure Tables.

ScoringStates   partition "rounds", one row: the round that ended last, and when others did
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from shared.clients.service_records import STATES
from shared.clients.storage import StorageAccount
from shared.clients.table import OpenedTable, moment
from shared.scoring.round_log import LastRounds

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

logger = logging.getLogger(__name__)

_LAST: Final = ("rounds", "last")


class RoundLogClient(OpenedTable):
    """Satisfies shared.scoring.round_log.RoundLog. Opened per round, or per request."""

    def __init__(self, account: StorageAccount, *, table: str = STATES) -> None:
        super().__init__(account, table)

    async def get(self) -> LastRounds | None:
        """Return how the last rounds went."""
        async with self._table.limit():
            row = await self._table.get(*_LAST)
        return _last_rounds(row) if row else None

    async def put(self, last: LastRounds) -> None:
        """Store it in place of what was there."""
        partition, row = _LAST
        times = {"SucceededAt": last.succeeded_at, "FailedAt": last.failed_at}
        known = {name: at for name, at in times.items() if at is not None}
        async with self._table.limit():
            await self._table.put(
                {
                    "PartitionKey": partition,
                    "RowKey": row,
                    "EndedAt": last.ended_at,
                    "Result": last.result,
                    "Error": last.error,
                    **known,
                }
            )


def _last_rounds(row: TableEntity) -> LastRounds | None:
    try:
        return LastRounds(
            ended_at=moment(row["EndedAt"]),
            result=row["Result"],
            succeeded_at=moment(row["SucceededAt"]) if "SucceededAt" in row else None,
            failed_at=moment(row["FailedAt"]) if "FailedAt" in row else None,
            error=row["Error"],
        )
    except (KeyError, ValueError):
        logger.warning("how the last rounds went cannot be read: it counts as unknown")
        return None
