"""One table of the storage account, in plain terms: conditions are values, outages are one error.

Limits of the service (learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-
data-model, performing-entity-group-transactions): 64 KiB a property, where text counts two bytes a
character; 1 MiB an entity; 100 entities, 4 MiB and one partition a transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from shared.clients.storage import StorageAccount, StorageCalls, create, error_code

if TYPE_CHECKING:
    from azure.core.exceptions import ResourceNotFoundError
    from azure.data.tables import TableEntity
    from azure.data.tables.aio import TableClient

Entity = Mapping[str, Any]
Operation = tuple[str, Entity, Mapping[str, Any]]

MAX_PROPERTY_BYTES: Final = 64 * 1024
MAX_OPERATIONS: Final = 100
_MAX_PAGE: Final = 1000
# An entity that is not there, also because its table is not; any other 404 is not about it.
_ABSENT: Final = frozenset({"ResourceNotFound", "EntityNotFound", "TableNotFound"})
# What a transaction is refused with when a condition of one of its parts does not hold.
_CONDITIONS: Final = frozenset(
    {"EntityAlreadyExists", "UpdateConditionNotSatisfied", "ConditionNotMet", "ResourceNotFound"}
)


@dataclass(frozen=True, kw_only=True)
class Inserted:
    """What became of several inserts: the `etags` of all, or none, since the key of one is `taken`."""

    etags: Sequence[str] = ()
    taken: int | None = None


class Table:
    """A table that is created when something is to be written and it is missing.

    Belongs to the event loop that opened it. A request whose answer was lost is sent again: a
    caller who needs to know tells its own write by a mark in it. Every method raises
    StorageUnavailableError.
    """

    def __init__(self, account: StorageAccount, name: str, *, hold_seconds: float = 0.0) -> None:
        self._account = account
        self._name = name
        self._calls = StorageCalls(f"table {name}", account, hold_seconds=hold_seconds)
        self._opened: TableClient | None = None

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if self._opened is not None:
            await self._opened.close()

    def limit(self) -> AbstractAsyncContextManager[None]:
        """Bound all that is asked inside by the account's `call_seconds`."""
        return self._calls.limit()

    async def insert(self, entity: Entity) -> str | None:
        """Store a new entity and return its etag; None if the key is taken."""
        from azure.core.exceptions import ResourceExistsError

        async def send() -> str | None:
            try:
                answer = await self._client.create_entity(entity)
            except ResourceExistsError as error:
                if error_code(error) != "EntityAlreadyExists":
                    raise
                return None
            return str(answer["etag"])

        return await self._calls.send(send, create=self._create)

    async def insert_all(self, entities: Sequence[Entity]) -> Inserted:
        """Store new entities with different keys of one partition: all of them, or none."""
        from azure.data.tables import TableTransactionError

        async def send() -> Inserted:
            try:
                answers = await self._client.submit_transaction(
                    ("create", entity) for entity in entities
                )
            except TableTransactionError as error:
                if error_code(error) != "EntityAlreadyExists":
                    raise
                return Inserted(taken=error.index)
            return Inserted(etags=[str(answer["etag"]) for answer in answers])

        return await self._calls.send(send, create=self._create)

    async def get(self, partition: str, row: str) -> TableEntity | None:
        """Return an entity, its etag in `metadata`; None if there is none."""
        from azure.core.exceptions import ResourceNotFoundError

        async def send() -> TableEntity | None:
            try:
                return await self._client.get_entity(partition, row)
            except ResourceNotFoundError as error:
                _raise_unless_absent(error)
                return None

        return await self._calls.send(send, create=self._create)

    async def list(
        self,
        condition: str,
        *,
        select: Sequence[str] = (),
        at_most: int | None = None,
        **parameters: Any,
    ) -> Sequence[TableEntity]:
        """List entities by key. `condition` is an OData filter with @names of `parameters`."""
        from azure.core.exceptions import ResourceNotFoundError

        async def send() -> Sequence[TableEntity]:
            try:
                return [each async for each in self._pages(condition, select, at_most, parameters)]
            except ResourceNotFoundError as error:
                _raise_unless_absent(error)
                return []

        return await self._calls.send(send, create=self._create)

    async def put(self, entity: Entity) -> None:
        """Store an entity, in place of any other with its key."""
        from azure.data.tables import UpdateMode

        await self._calls.send(
            lambda: self._client.upsert_entity(entity, mode=UpdateMode.REPLACE),
            create=self._create,
        )

    async def merge(self, entity: Entity, *, etag: str | None) -> str | None:
        """Change these properties of an entity and return its new etag.

        None if it is not the version `etag` any more; without an etag, if there is none.
        """
        return await self._update(entity, etag, mode="merge")

    async def replace(self, entity: Entity, *, etag: str) -> str | None:
        """Replace the version `etag` of an entity and return the new etag; None as for `merge`."""
        return await self._update(entity, etag, mode="replace")

    async def delete(self, partition: str, row: str, *, etag: str | None = None) -> bool:
        """Delete an entity; False if it is not the version `etag`. Absent already: True."""
        from azure.core.exceptions import ResourceModifiedError

        async def send() -> bool:
            try:
                await self._client.delete_entity(partition, row, **_only_if(etag))
            except ResourceModifiedError:
                return False
            return True

        return await self._calls.send(send, create=self._create)

    async def commit(self, operations: Sequence[Operation]) -> bool:
        """Do all or nothing in one partition; False if a condition does not hold, or a key clashes.

        `operations`: ("create" | "upsert" | "update" | "delete", entity, options) of the SDK.
        """
        from azure.data.tables import TableTransactionError

        async def send() -> bool:
            try:
                await self._client.submit_transaction(operations)
            except TableTransactionError as error:
                if error_code(error) not in _CONDITIONS:
                    raise
                return False
            return True

        return await self._calls.send(send, create=self._create)

    async def _update(self, entity: Entity, etag: str | None, *, mode: str) -> str | None:
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

        async def send() -> str | None:
            try:
                answer = await self._client.update_entity(entity, mode=mode, **_only_if(etag))
            except ResourceModifiedError:
                return None
            except ResourceNotFoundError as error:
                _raise_unless_absent(error)
                return None
            return str(answer["etag"])

        return await self._calls.send(send, create=self._create)

    async def _pages(
        self, condition: str, select: Sequence[str], at_most: int | None, parameters: Entity
    ) -> AsyncIterator[TableEntity]:
        found = 0
        async for entity in self._client.query_entities(
            condition,
            parameters=dict(parameters),
            select=[*select] or None,
            results_per_page=min(at_most or _MAX_PAGE, _MAX_PAGE),
        ):
            yield entity
            found += 1
            if found == at_most:
                return

    async def _create(self) -> None:
        await create(self._client.create_table, already="TableAlreadyExists")

    @property
    def _client(self) -> TableClient:
        if self._opened is None:
            self._opened = _open(self._account, self._name)
        return self._opened


class OpenedTable:
    """A client of one table, as an asynchronous context manager."""

    def __init__(self, account: StorageAccount, name: str, *, hold_seconds: float = 0.0) -> None:
        self._table = Table(account, name, hold_seconds=hold_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._table.close()


def moment(value: datetime) -> datetime:
    """Return a stored time as a plain one: the SDK's own class remembers how it was spelled."""
    return datetime.combine(value.date(), value.timetz())


def only_if(etag: str) -> dict[str, Any]:
    """Return the SDK's options for an operation on one version of an entity."""
    from azure.core import MatchConditions

    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _only_if(etag: str | None) -> dict[str, Any]:
    return {} if etag is None else only_if(etag)


def _raise_unless_absent(error: ResourceNotFoundError) -> None:
    if error_code(error) not in _ABSENT:
        raise error


def _open(account: StorageAccount, name: str) -> TableClient:
    """Open a client. Raises ValueError for a connection string or endpoint that is none."""
    from azure.data.tables.aio import TableClient

    options = account.pipeline_options
    if account.connection_string:
        return TableClient.from_connection_string(account.connection_string, name, **options)
    return TableClient(account.table_endpoint, name, credential=account.credential, **options)
