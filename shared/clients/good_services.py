"""The last good list of services on Azure Tables, and which broken one was told of."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from shared.clients.storage import StorageAccount
from shared.clients.table import MAX_PROPERTY_BYTES, OpenedTable, moment
from shared.errors import StorageUnavailableError
from shared.scoring.catalogue_source import GoodVersion
from shared.scoring.document import MAX_BYTES

TABLE: Final = "ScoringCatalogue"
_GOOD: Final = {"PartitionKey": "catalogue", "RowKey": "good"}
_REJECTED: Final = {"PartitionKey": "catalogue", "RowKey": "rejected"}
# With 15 of these an entity stays under its 1 MiB; a megabyte of YAML is compressed to far less.
_MAX_PARTS: Final = 15


class GoodServicesClient(OpenedTable):
    """Satisfies shared.scoring.catalogue_source.GoodVersions. Opened per invocation."""

    def __init__(self, account: StorageAccount, *, table: str = TABLE) -> None:
        super().__init__(account, table)

    async def get(self) -> GoodVersion | None:
        """Return the last good version."""
        async with self._table.limit():
            found = await self._table.get(*_GOOD.values())
        if found is None:
            return None
        return GoodVersion(
            text=_unpacked(found), source=found["Source"], since=moment(found["Since"])
        )

    async def put(self, version: GoodVersion) -> None:
        """Remember it, in place of any other."""
        entity = {
            **_GOOD,
            "Source": version.source,
            "Since": version.since,
            **_packed(version.text),
        }
        async with self._table.limit():
            await self._table.put(entity)

    async def begin_rejection(self, digest: str) -> bool:
        """Remember a broken text; True to the one caller who is to tell of it."""
        told = {**_REJECTED, "Digest": digest, "Mark": uuid4().hex}
        async with self._table.limit():
            stored = await self._table.get(*_REJECTED.values())
            if stored is None:
                written = await self._table.insert(told)
            elif stored["Digest"] == digest:
                return False
            else:
                written = await self._table.replace(told, etag=str(stored.metadata["etag"]))
            return bool(written) or await self._is_stored(told)

    async def end_rejection(self) -> None:
        """Forget it: the file is good again."""
        async with self._table.limit():
            await self._table.delete(*_REJECTED.values())

    async def _is_stored(self, told: Mapping[str, Any]) -> bool:
        """Whether what is there is this very write, whose answer was lost."""
        stored = await self._table.get(*_REJECTED.values())
        return stored is not None and stored["Mark"] == told["Mark"]


def _packed(text: str) -> dict[str, Any]:
    data = zlib.compress(text.encode())
    parts = [
        data[begin : begin + MAX_PROPERTY_BYTES]
        for begin in range(0, len(data), MAX_PROPERTY_BYTES)
    ]
    if len(parts) > _MAX_PARTS:
        raise StorageUnavailableError(f"table {TABLE}: the list of services does not fit")
    return {"Parts": len(parts)} | {f"Text{index:02}": part for index, part in enumerate(parts)}


def _unpacked(entity: Mapping[str, Any]) -> str:
    data = b"".join(entity[f"Text{index:02}"] for index in range(entity["Parts"]))
    return zlib.decompressobj().decompress(data, MAX_BYTES).decode()
