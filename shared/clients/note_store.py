"""Notes on Azure Tables: one partition, a row per name, its text compressed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from shared.clients.storage import StorageAccount
from shared.clients.table import MAX_PROPERTY_BYTES, OpenedTable

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

TABLE: Final = "DutyNotes"
_PARTITION: Final = "note"
# An entity holds 1 MiB, each of its properties 64 KiB.
_TEXT: Final = "Text"


class NoteStoreClient(OpenedTable):
    """Satisfies shared.notes.Notes. Opened per invocation."""

    def __init__(self, account: StorageAccount, *, table: str = TABLE) -> None:
        super().__init__(account, table)

    async def put(self, name: str, text: str) -> None:
        """Store a text."""
        packed = zlib.compress(text.encode())
        starts = range(0, len(packed), MAX_PROPERTY_BYTES)
        parts = {
            f"{_TEXT}{number:02}": packed[start : start + MAX_PROPERTY_BYTES]
            for number, start in enumerate(starts)
        }
        async with self._table.limit():
            await self._table.put({"PartitionKey": _PARTITION, "RowKey": name, **parts})

    async def get(self, name: str) -> str | None:
        """Return a text."""
        async with self._table.limit():
            row = await self._table.get(_PARTITION, name)
        return _text(row) if row else None

    async def list(self) -> Mapping[str, str]:
        """Return all of them: one request."""
        async with self._table.limit():
            rows = await self._table.list("PartitionKey eq @partition", partition=_PARTITION)
        return {row["RowKey"]: _text(row) for row in rows}


def _text(row: TableEntity) -> str:
    packed = b"".join(row[name] for name in sorted(row) if name.startswith(_TEXT))
    return zlib.decompress(packed).decode()
