"""What health checks remember, on Azure Tables.

ScoringStates   partition "state", a row per service: its state as JSON
ScoringChecks   a partition per hour (UTC), a row per service and check: a round is a few
                transactions, and an hour that is over can be rolled up and forgotten as one
ScoringHours    a partition per service, a row per hour, so that a month of one is one query; and
                the partition "~", whose one row says how far hours are rolled up
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients.storage import StorageAccount
from shared.clients.table import MAX_OPERATIONS, OpenedTable, Operation, moment, only_if
from shared.scoring.judgement import Verdict
from shared.scoring.records import CheckRow
from shared.scoring.state import ServiceState
from shared.scoring.uptime import RollUp

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

logger = logging.getLogger(__name__)

STATES: Final = "ScoringStates"
CHECKS: Final = "ScoringChecks"
HOURS: Final = "ScoringHours"
_STATE: Final = "state"
_HOUR: Final = timedelta(hours=1)
_PARTITION_FORMAT: Final = "%Y-%m-%dT%H"
# A service's rows are `<name>~<time>`: a name holds no "~", so that "~" to "~~" are all of them.
_BETWEEN: Final = "~"
_ROLLED: Final = ("~", "rolled")
# Requests at once where each service has a partition of its own.
_AT_ONCE: Final = 16
# What one call may delete; what is left costs nothing but space.
_MOST_FORGOTTEN: Final = 50_000


class ServiceStatesClient(OpenedTable):
    """Satisfies shared.scoring.records.ServiceStates. Opened per round, or per request."""

    def __init__(self, account: StorageAccount, *, table: str = STATES) -> None:
        super().__init__(account, table)

    async def load(self) -> Mapping[str, ServiceState]:
        """Return all of them."""
        async with self._table.limit():
            rows = await self._table.list("PartitionKey eq @partition", partition=_STATE)
        return {row["RowKey"]: _state(row) for row in rows}

    async def get(self, service: str) -> ServiceState:
        """Return one service's."""
        async with self._table.limit():
            row = await self._table.get(_STATE, service)
        return _state(row) if row else ServiceState()

    async def save(self, states: Mapping[str, ServiceState]) -> Collection[str]:
        """Store them, a hundred at a time: all of these, or none."""
        left: list[str] = []
        async with self._table.limit():
            for batch in _batches([_written(*each) for each in states.items()]):
                if not await self._table.commit(batch):
                    left.extend(entity["RowKey"] for _, entity, _ in batch)
        return left

    async def forget(self, service: str) -> None:
        """Delete one service's."""
        async with self._table.limit():
            await self._table.delete(_STATE, service)


class CheckHistoryClient(OpenedTable):
    """Satisfies shared.scoring.records.CheckHistory. Opened per round, or per request."""

    def __init__(self, account: StorageAccount, *, table: str = CHECKS) -> None:
        super().__init__(account, table)

    async def append(self, rows: Sequence[CheckRow]) -> None:
        """Store them by the hour, a hundred at a time."""
        by_hour: dict[str, dict[str, dict[str, Any]]] = {}
        for row in rows:
            entity = _entity(row)
            by_hour.setdefault(_hour(row.at), {})[entity["RowKey"]] = entity
        async with self._table.limit():
            for hour, entities in by_hour.items():
                for batch in _batches([_put(hour, each) for each in entities.values()]):
                    await self._table.commit(batch)

    async def list_checks(
        self, service: str, *, since: datetime, until: datetime
    ) -> Sequence[CheckRow]:
        """List one service's rows, hour by hour: each is a range within one partition."""
        async with self._table.limit():
            found = [
                row for hour in _hours(since, until) for row in await self._rows(hour, service)
            ]
        chosen = [row for row in _readable(found) if since <= row.at < until]
        return sorted(chosen, key=lambda row: row.at, reverse=True)

    async def rows_of(self, hour: datetime) -> Sequence[CheckRow]:
        """List all rows of an hour; the key orders them by service and time."""
        async with self._table.limit():
            found = await self._table.list("PartitionKey eq @hour", hour=_hour(hour))
        return [*_readable(found)]

    async def forget(self, hour: datetime) -> None:
        """Delete the rows of an hour, a hundred at a time."""
        async with self._table.limit():
            found = await self._table.list(
                "PartitionKey eq @hour",
                select=("PartitionKey", "RowKey"),
                at_most=_MOST_FORGOTTEN,
                hour=_hour(hour),
            )
            for batch in _batches([("delete", each, {}) for each in found]):
                await self._table.commit(batch)

    async def _rows(self, hour: str, service: str) -> Sequence[TableEntity]:
        return await self._table.list(
            "PartitionKey eq @hour and RowKey ge @first and RowKey lt @last",
            hour=hour,
            first=f"{service}{_BETWEEN}",
            last=f"{service}{_BETWEEN}{_BETWEEN}",
        )


class HourHistoryClient(OpenedTable):
    """Satisfies shared.scoring.records.HourHistory. Opened per round, or per request."""

    def __init__(self, account: StorageAccount, *, table: str = HOURS) -> None:
        super().__init__(account, table)

    async def rolled_until(self) -> datetime | None:
        """Return the first hour that is not rolled up, None if none ever was."""
        async with self._table.limit():
            found = await self._table.get(*_ROLLED)
        return moment(found["Until"]) if found else None

    async def save_hour(self, hour: datetime, rolled: Mapping[str, RollUp]) -> None:
        """Store each, and then that the hour is done: a crash in between does it again."""
        rows = [
            {"PartitionKey": name, "RowKey": _hour(hour), "RollUp": _text(each)}
            for name, each in rolled.items()
        ]
        async with self._table.limit():
            await _side_by_side(self._table.put(row) for row in rows)
            partition, row = _ROLLED
            await self._table.put({"PartitionKey": partition, "RowKey": row, "Until": hour + _HOUR})

    async def list_hours(self, service: str, *, since: datetime) -> Sequence[RollUp]:
        """List a service's hours from a moment on, oldest first."""
        async with self._table.limit():
            rows = await self._table.list(
                "PartitionKey eq @service and RowKey ge @since",
                service=service,
                since=_hour(since),
            )
        return [hour for row in rows if (hour := _rolled(row)) is not None]

    async def forget_hours(self, services: Collection[str], *, before: datetime) -> None:
        """Delete the hours of services that ended before a moment."""
        async with self._table.limit():
            await _side_by_side(self._forget(service, before) for service in services)

    async def _forget(self, service: str, before: datetime) -> None:
        while rows := await self._table.list(
            "PartitionKey eq @service and RowKey lt @before",
            select=("PartitionKey", "RowKey"),
            at_most=MAX_OPERATIONS,
            service=service,
            before=_hour(before),
        ):
            is_done = await self._table.commit([("delete", row, {}) for row in rows])
            # Not done: another worker is at it, too.
            if not is_done or len(rows) < MAX_OPERATIONS:
                return


async def _side_by_side(calls: Iterable[Awaitable[None]]) -> None:
    places = asyncio.Semaphore(_AT_ONCE)

    async def placed(call: Awaitable[None]) -> None:
        async with places:
            await call

    await asyncio.gather(*map(placed, calls))


def _batches(operations: Sequence[Operation]) -> Iterator[Sequence[Operation]]:
    for start in range(0, len(operations), MAX_OPERATIONS):
        yield operations[start : start + MAX_OPERATIONS]


def _put(partition: str, entity: Mapping[str, Any]) -> Operation:
    # An upsert has no condition that could fail.
    return "upsert", {"PartitionKey": partition, **entity}, {"mode": "replace"}


def _written(service: str, state: ServiceState) -> Operation:
    entity = {"PartitionKey": _STATE, "RowKey": service, "State": _text(state)}
    if not state.etag:
        return "create", entity, {}
    return "update", entity, {"mode": "replace", **only_if(state.etag)}


def _state(row: TableEntity) -> ServiceState:
    try:
        state = ServiceState.from_json(json.loads(row["State"]))
    except ValueError:
        # A service without a memory starts anew; that is better than a round without an end.
        logger.warning("the state of %s cannot be read and is forgotten", row["RowKey"])
        state = ServiceState()
    return replace(state, etag=str(row.metadata["etag"]))


def _rolled(row: TableEntity) -> RollUp | None:
    try:
        return RollUp.from_json(json.loads(row["RollUp"]))
    except (KeyError, ValueError):
        logger.warning("an hour of %s cannot be read: it counts as unknown", row["PartitionKey"])
        return None


def _text(noun: ServiceState | RollUp) -> str:
    return json.dumps(noun.to_json(), separators=(",", ":"))


def _hour(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_PARTITION_FORMAT)


def _hours(since: datetime, until: datetime) -> Iterator[str]:
    at = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while at < until:
        yield _hour(at)
        at += _HOUR


def _entity(row: CheckRow) -> dict[str, Any]:
    known = {"Seconds": row.seconds} if row.seconds is not None else {}
    return {
        "RowKey": f"{row.service}{_BETWEEN}{row.at.astimezone(UTC).isoformat()}",
        "Service": row.service,
        "At": row.at,
        "Verdict": str(row.verdict),
        "Evidence": row.evidence,
        "Text": row.text,
        "InMaintenance": row.in_maintenance,
        **known,
    }


def _readable(entities: Iterable[TableEntity]) -> Iterator[CheckRow]:
    for each in entities:
        try:
            yield _row(each)
        except (KeyError, ValueError):
            # Time that nobody can account for is unknown; one row must not end every round.
            logger.warning("the row %s of checks cannot be read: it is passed over", each["RowKey"])


def _row(entity: TableEntity) -> CheckRow:
    return CheckRow(
        service=entity["Service"],
        at=moment(entity["At"]),
        verdict=Verdict(entity["Verdict"]),
        evidence=entity["Evidence"],
        text=entity["Text"],
        seconds=entity.get("Seconds"),
        in_maintenance=entity["InMaintenance"],
    )
