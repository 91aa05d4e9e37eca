"""The history of runs on Azure Tables. How it lies there: shared.clients.run_rows.

1. A run's head, its entry among the open runs and its shares are stored before any message is sent.
2. A share is finished by compare-and-swap on its own row, so that shares do not get in each
   other's way; what it found was stored before.
3. Whoever then sees no open share swaps its mark into the head: one does, and closes the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from shared.clients import run_rows as rows
from shared.clients.run_continuation import Continuation, RunFilter
from shared.clients.storage import StorageAccount
from shared.clients.table import MAX_OPERATIONS, Entity, OpenedTable, Operation, only_if
from shared.compute.history import RunPage, RunRecord, ShareRecord, ShareState
from shared.compute.report import Result

if TYPE_CHECKING:
    from azure.data.tables import TableEntity

TABLE: Final = "ComputeRuns"
_IN_RANGE: Final = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @end"
PRUNE_AT_ONCE: Final = 100


class RunHistoryClient(OpenedTable):
    """Satisfies shared.compute.history.RunHistory. Opened per run: belongs to its event loop."""

    def __init__(self, account: StorageAccount, *, table: str = TABLE) -> None:
        super().__init__(account, table)
        self._marks = _Marks()

    async def open_run(self, run: RunRecord, *, orders: Mapping[str, str]) -> None:
        """Record a run and its queued shares; `orders` by share id. Once more: changes nothing.

        Raises ValueError unless its id is a UUIDv7.
        """
        at = rows.inverted(run.run_id)
        shares = [rows.share_entity(at, each, orders.get(each, "")) for each in run.shares]
        async with self._table.limit():
            for batch in rows.transactions(shares):
                await self._table.commit([("create", share, {}) for share in batch])
            # Last, so that no run is seen without its shares.
            heads = (rows.head_entity(at, run), rows.open_entity(at, run))
            await self._table.commit([("create", head, {}) for head in heads])

    async def get_run(self, run_id: str) -> RunRecord | None:
        """Return a run, None if there is none of that id."""
        at = _key(run_id)
        async with self._table.limit():
            head = await self._head(at)
            return await self._run(head) if head else None

    async def list_runs(
        self,
        *,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        result: Result | None = None,
        page_size: int = 50,
        continuation: str = "",
    ) -> RunPage:
        """List runs, newest first; a continuation carries its filter.

        Raises ValueError for a continuation it did not make.
        """
        chosen = RunFilter(started_from=started_from, started_before=started_before, result=result)
        after = ""
        if continuation:
            resumed = Continuation.parse(continuation, chosen=chosen)
            after, chosen = resumed.after, resumed.chosen
        condition, values = chosen.condition(after=after)
        async with self._table.limit():
            heads = await self._table.list(condition, at_most=page_size + 1, **values)
            runs = [await self._run(head) for head in heads[:page_size]]
        if len(heads) <= page_size:
            return RunPage(runs=runs, continuation="")
        last = Continuation(after=rows.inverted(runs[-1].run_id), chosen=chosen)
        return RunPage(runs=runs, continuation=last.text)

    async def list_overdue(self, *, now: datetime) -> Sequence[RunRecord]:
        """List runs that go on past their deadline: their workers are gone."""
        async with self._table.limit():
            overdue = await self._range(rows.OPEN, "Deadline lt @now", now=now)
            heads = [await self._head(_key(each["RunId"])) for each in overdue]
            return [await self._run(head) for head in heads if head]

    async def list_shares(self, run_id: str) -> Sequence[ShareRecord]:
        """List a run's shares, by their id."""
        async with self._table.limit():
            shares = await self._range(rows.share_prefix(_key(run_id)))
        return sorted(
            (rows.share_record(run_id, share) for share in shares), key=lambda each: each.share_id
        )

    async def begin_share(self, run_id: str, share_id: str) -> ShareRecord | None:
        """Take up a share that is queued or was left running; None if it is finished or unknown."""
        at = _key(run_id)
        async with self._table.limit():
            while True:
                share = await self._table.get(rows.PARTITION, rows.share_key(at, share_id))
                if share is None or share["Finished"]:
                    return None
                begun = {"State": ShareState.RUNNING.value, "Begun": share["Begun"] + 1}
                if await self._swap(share, begun):
                    return rows.share_record(run_id, {**share, **begun})

    async def save_progress(self, run_id: str, share_id: str, progress: str) -> None:
        """Say how far a share is, for whoever watches."""
        key = rows.key(rows.share_key(_key(run_id), share_id))
        async with self._table.limit():
            await self._table.merge({**key, **rows.packed("Progress", progress)}, etag=None)

    async def finish_share(
        self, run_id: str, share_id: str, *, found: bytes, error: str = ""
    ) -> bool:
        """Record what a share found (any size), DONE, or FAILED with `error`.

        Returns True to exactly one caller of a run, who closes it: the one whose share was the
        last open one. Finishing a finished share again changes nothing and returns False; but True
        where whoever finished the last one died before it was told so.
        """
        at = _key(run_id)
        with self._marks.of(run_id, share_id) as mark:
            state = ShareState.FAILED if error else ShareState.DONE
            finished = {
                "State": state.value,
                "Finished": True,
                "FinishedBy": mark,
                **rows.packed("Error", error),
            }
            async with self._table.limit():
                known = await self._finish(at, share_id, finished, found)
                return known and await self._was_last(at, mark)

    async def read_found(self, run_id: str) -> Mapping[str, bytes]:
        """Return what each finished share found, by share id; nothing where a part of it is gone."""
        at = _key(run_id)
        async with self._table.limit():
            shares = await self._range(rows.share_prefix(at), "Finished eq true")
            stored = await self._table.list(
                "PartitionKey eq @found", found=rows.found_partition(at)
            )
        by_key = {row["RowKey"]: row for row in stored}
        return {share["ShareId"]: rows.unpack_found(_found(share, by_key)) for share in shares}

    async def close_run(self, run_id: str, *, result: Result, summary: str) -> bool:
        """Give a run its result; True to exactly one caller."""
        at = _key(run_id)
        with self._marks.of(run_id) as mark:
            ended = {"Result": result.value, "ClosedBy": mark, **rows.packed("Summary", summary)}
            entry = rows.key(f"{rows.OPEN}{at}")
            no_longer_open: list[Operation] = [("delete", entry, {})]
            async with self._table.limit():
                while (head := await self._head(at)) and not head["ClosedBy"]:
                    closed = {**_key_of(head), **ended}
                    seen = {"mode": "merge", **only_if(str(head.metadata["etag"]))}
                    if await self._table.commit([("update", closed, seen), *no_longer_open]):
                        continue
                    if await self._table.get(entry["PartitionKey"], entry["RowKey"]) is None:
                        # Somebody took the entry away, or closed the run: the head tells which.
                        no_longer_open = []
        return head is not None and head["ClosedBy"] == mark

    async def delete_run(self, run_id: str) -> None:
        """Forget a run and its shares: one that found nothing to do."""
        at = _key(run_id)
        async with self._table.limit():
            await self._delete("PartitionKey eq @found", found=rows.found_partition(at))
            await self._delete(_IN_RANGE, **_between(rows.share_prefix(at)))
            # Last: until then, a run that was deleted in part can be deleted again.
            await self._table.delete(rows.PARTITION, f"{rows.OPEN}{at}")
            await self._table.delete(rows.PARTITION, f"{rows.HEADS}{at}")

    async def prune(self, *, started_before: datetime) -> int:
        """Forget old runs, PRUNE_AT_ONCE at most; returns how many."""
        condition, values = RunFilter(started_before=started_before).condition(after="")
        async with self._table.limit():
            old = await self._table.list(
                condition, select=("RunId",), at_most=PRUNE_AT_ONCE, **values
            )
        for head in old:
            await self.delete_run(head["RunId"])
        return len(old)

    async def _head(self, at: str) -> TableEntity | None:
        return await self._table.get(rows.PARTITION, f"{rows.HEADS}{at}")

    async def _run(self, head: TableEntity) -> RunRecord:
        if head["LastBy"]:
            return rows.run_record(head, open_shares=frozenset())
        unfinished = await self._unfinished(_key(head["RunId"]))
        return rows.run_record(head, open_shares=frozenset(each["ShareId"] for each in unfinished))

    async def _unfinished(self, at: str, *, at_most: int | None = None) -> Sequence[TableEntity]:
        shares = rows.share_prefix(at)
        return await self._range(shares, "Finished eq false", select=("ShareId",), at_most=at_most)

    async def _range(
        self, prefix: str, condition: str = "", **options: Any
    ) -> Sequence[TableEntity]:
        both = f"{_IN_RANGE} and {condition}" if condition else _IN_RANGE
        return await self._table.list(both, **_between(prefix), **options)

    async def _finish(self, at: str, share_id: str, finished: Entity, found: bytes) -> bool:
        """Finish a share unless somebody has; False if there is none."""
        found_rows = rows.found_entities(at, share_id, finished["FinishedBy"], found)
        stored = False
        while share := await self._table.get(rows.PARTITION, rows.share_key(at, share_id)):
            if share["Finished"]:
                return True
            if not stored:
                for row in found_rows:
                    await self._table.put(row)
            stored = True
            await self._swap(share, {**finished, "FoundRows": len(found_rows)})
        return False

    async def _was_last(self, at: str, mark: str) -> bool:
        if await self._unfinished(at, at_most=1):
            return False
        while head := await self._head(at):
            if head["LastBy"]:
                # Our own mark: it was stored, and only the answer was lost.
                return bool(head["LastBy"] == mark)
            await self._swap(head, {"LastBy": mark})
        return False

    async def _swap(self, seen: TableEntity, changes: Entity) -> bool:
        changed = {**_key_of(seen), **changes}
        return bool(await self._table.merge(changed, etag=seen.metadata["etag"]))

    async def _delete(self, condition: str, **values: Any) -> None:
        keys = ("PartitionKey", "RowKey")
        while doomed := await self._table.list(
            condition, select=keys, at_most=MAX_OPERATIONS, **values
        ):
            # Refused where somebody else deletes, too: then there is less left to list.
            await self._table.commit([("delete", each, {}) for each in doomed])


class _Marks:
    """Marks that tell a caller's own writes.

    Who got no answer keeps its mark: asking again then finds what was written the first time.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], str] = {}

    @contextmanager
    def of(self, *what: str) -> Iterator[str]:
        mark = self._kept.pop(what, None) or uuid4().hex
        try:
            yield mark
        except BaseException:
            self._kept[what] = mark
            raise


def _key(run_id: str) -> str:
    """Return the key of a run; of what is no run's id, one that no run has."""
    try:
        return rows.inverted(run_id)
    except ValueError:
        return "none"


def _key_of(entity: Entity) -> dict[str, Any]:
    return {"PartitionKey": entity["PartitionKey"], "RowKey": entity["RowKey"]}


def _between(prefix: str) -> dict[str, Any]:
    return {"partition": rows.PARTITION, "first": prefix, "end": rows.after_prefix(prefix)}


def _found(share: Entity, stored: Mapping[str, Entity]) -> Sequence[Entity]:
    mark, count = share["FinishedBy"], share["FoundRows"]
    keys = [rows.found_key(share["ShareId"], mark, number) for number in range(count)]
    return [stored[key] for key in keys] if stored.keys() >= {*keys} else []
