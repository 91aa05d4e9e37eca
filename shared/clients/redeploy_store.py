"""Redeploys on Azure Tables: a row per redeploy, one per service that has one, and flags of aborts.

All in one partition, so that a redeploy and the hold on its service are written together. Rows of
redeploys sort by time, since their ids do.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from shared.clients.storage import StorageAccount
from shared.clients.table import MAX_PROPERTY_BYTES, OpenedTable, moment, only_if
from shared.scoring.redeploy.record import Abort, Redeploy
from shared.time_ordered_id import first_id

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

logger = logging.getLogger(__name__)

TABLE: Final = "ScoringRedeploys"
PRUNE_AT_ONCE: Final = 100
_PARTITION: Final = "redeploy"
_RECORD: Final = "id~"
_HOLD: Final = "service~"
_ABORT: Final = "abort~"
# Nothing sorts behind it that begins with the same prefix.
_LAST: Final = "~"
_DOCUMENT: Final = "Document"


class RedeployStoreClient(OpenedTable):
    """Satisfies shared.scoring.redeploy.redeploys.Redeploys. Opened per step, or per request."""

    def __init__(self, account: StorageAccount, *, table: str = TABLE) -> None:
        super().__init__(account, table)

    async def open(self, redeploy: Redeploy) -> Redeploy | None:
        """Store a record and the hold on its service, both or neither."""
        record = _entity(redeploy)
        created: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [("create", record, {})]
        if not redeploy.is_closed:
            created.append(("create", _hold(redeploy), {}))
        async with self._table.limit():
            await self._table.commit(created)
            # Looked at either way: an answer that was lost may have been a yes.
            return await self._own(record)

    async def get(self, redeploy_id: str) -> Redeploy | None:
        """Return one."""
        async with self._table.limit():
            return await self._get(redeploy_id)

    async def active(self, service: str) -> Redeploy | None:
        """Return the one that holds a service."""
        async with self._table.limit():
            hold = await self._table.get(_PARTITION, f"{_HOLD}{service}")
            return await self._get(hold["RedeployId"]) if hold else None

    async def list_active(self) -> Sequence[Redeploy]:
        """List those that hold a service."""
        async with self._table.limit():
            holds = await self._between(_HOLD, f"{_HOLD}{_LAST}")
            keys = [f"{_RECORD}{hold['RedeployId']}" for hold in holds]
            found = [await self._table.get(_PARTITION, key) for key in keys]
        return list(_readable(each for each in found if each is not None))

    async def list_recent(self, service: str, *, since: datetime) -> Sequence[Redeploy]:
        """List a service's, by the time in their ids."""
        async with self._table.limit():
            found = await self._table.list(
                "PartitionKey eq @partition and RowKey ge @first and RowKey lt @last "
                "and Service eq @service",
                partition=_PARTITION,
                first=f"{_RECORD}{first_id(since)}",
                last=f"{_RECORD}{_LAST}",
                service=service,
            )
        return [each for each in _readable(found) if each.created_at >= since]

    async def list_since(self, since: datetime) -> Sequence[Redeploy]:
        """List all services', by the time in their ids."""
        async with self._table.limit():
            found = await self._between(f"{_RECORD}{first_id(since)}", f"{_RECORD}{_LAST}")
        return [each for each in _readable(found) if each.created_at >= since]

    async def save(self, redeploy: Redeploy) -> Redeploy | None:
        """Replace a version; with the last one goes the hold on the service."""
        record = _entity(redeploy)
        async with self._table.limit():
            stored = await self._table.get(_PARTITION, record["RowKey"])
            # Looked at first: Azure refuses what is no etag of its own with another error.
            if stored is None or stored.metadata["etag"] != redeploy.etag:
                return None
            if not redeploy.is_closed:
                etag = await self._table.replace(record, etag=redeploy.etag)
                return replace(redeploy, etag=etag) if etag else await self._own(record)
            operations: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [
                ("update", record, {"mode": "replace", **only_if(redeploy.etag)}),
                ("delete", _hold(redeploy), {}),
            ]
            await self._table.commit(operations)
            return await self._own(record)

    async def ask_abort(self, redeploy_id: str, abort: Abort) -> None:
        """Store the flag, unless there is one."""
        flag = {
            "PartitionKey": _PARTITION,
            "RowKey": f"{_ABORT}{redeploy_id}",
            "By": abort.by,
            "At": abort.at,
        }
        async with self._table.limit():
            await self._table.insert(flag)

    async def abort_of(self, redeploy_id: str) -> Abort | None:
        """Return the flag."""
        async with self._table.limit():
            flag = await self._table.get(_PARTITION, f"{_ABORT}{redeploy_id}")
        return Abort(by=flag["By"], at=moment(flag["At"])) if flag else None

    async def prune(self, *, before: datetime) -> int:
        """Forget old ones with their flags, a hundred at a time."""
        async with self._table.limit():
            old = await self._between(
                _RECORD, f"{_RECORD}{first_id(before)}", at_most=PRUNE_AT_ONCE
            )
            closed = [each for each in old if each["Closed"]]
            for each in closed:
                await self._table.delete(_PARTITION, f"{_ABORT}{each['RedeployId']}")
                await self._table.delete(_PARTITION, each["RowKey"])
        return len(closed)

    async def _between(
        self, first: str, last: str, *, at_most: int | None = None
    ) -> Sequence[TableEntity]:
        return await self._table.list(
            "PartitionKey eq @partition and RowKey ge @first and RowKey lt @last",
            at_most=at_most,
            partition=_PARTITION,
            first=first,
            last=last,
        )

    async def _get(self, redeploy_id: str) -> Redeploy | None:
        found = await self._table.get(_PARTITION, f"{_RECORD}{redeploy_id}")
        return _redeploy(found) if found else None

    async def _own(self, record: Mapping[str, Any]) -> Redeploy | None:
        """Return what is stored if it is this very write."""
        stored = await self._table.get(_PARTITION, record["RowKey"])
        return _redeploy(stored) if stored and stored["Mark"] == record["Mark"] else None


def _hold(redeploy: Redeploy) -> dict[str, Any]:
    return {
        "PartitionKey": _PARTITION,
        "RowKey": f"{_HOLD}{redeploy.service.name}",
        "RedeployId": redeploy.redeploy_id,
    }


def _entity(redeploy: Redeploy) -> dict[str, Any]:
    # Compressed: golden requests with their tables come along, and a property holds 64 KiB.
    document = zlib.compress(json.dumps(redeploy.to_json()).encode())
    parts = range(0, len(document), MAX_PROPERTY_BYTES)
    return {
        "PartitionKey": _PARTITION,
        "RowKey": f"{_RECORD}{redeploy.redeploy_id}",
        "RedeployId": redeploy.redeploy_id,
        "Service": redeploy.service.name,
        "State": str(redeploy.state),
        "Step": redeploy.step,
        "Closed": redeploy.is_closed,
        "Mark": uuid4().hex,
        **{
            f"{_DOCUMENT}{number:02}": document[start : start + MAX_PROPERTY_BYTES]
            for number, start in enumerate(parts)
        },
    }


def _readable(entities: Iterable[TableEntity]) -> Iterator[Redeploy]:
    """Yield what can be read: a later version's record must not hide all the others."""
    for entity in entities:
        try:
            yield _redeploy(entity)
        except (ValueError, zlib.error) as error:
            # What it says may repeat the record.
            name = type(error).__name__
            logger.error("redeploy %s cannot be read (%s)", entity["RedeployId"], name)  # noqa: TRY400  # its text may repeat the record


def _redeploy(entity: TableEntity) -> Redeploy:
    names = sorted(name for name in entity if name.startswith(_DOCUMENT))
    document = b"".join(entity[name] for name in names)
    redeploy = Redeploy.from_json(json.loads(zlib.decompress(document)))
    return replace(redeploy, etag=str(entity.metadata["etag"]))
