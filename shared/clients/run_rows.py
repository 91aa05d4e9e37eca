"""How a run lies in its table: keys that sort newest first, texts of any size, rows and nouns.

All rows but what shares found are in one partition, so that a run's head and its entry among the
open runs change together. `<id>` is the run's id, subtracted from the largest one, as hex digits:

run:<id>             its head
open:<id>            only while it goes on, so that nobody has to look for overdue runs in all runs
share:<id>:<digest>  a share
found:<id>           a partition of its own: what the shares found, in rows <digest>:<mark>:<n>
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from shared.clients.table import MAX_OPERATIONS, MAX_PROPERTY_BYTES, moment
from shared.compute.history import RunRecord, ShareRecord, ShareState
from shared.compute.report import Result

Entity = dict[str, Any]

PARTITION: Final = "compute"
HEADS: Final = "run:"
OPEN: Final = "open:"
_ID_BITS: Final = 128
_RANDOM_BITS: Final = 80  # below the milliseconds of a UUIDv7
_UUID_VERSION: Final = 7
_GZIP_LEVEL: Final = 6
# Requests stay below 1 MiB, base64 included: of longer bodies aiohttp warns that they hold the loop.
_PARTS_PER_ROW: Final = 11
_TRANSACTION_BYTES: Final = 600 * 1024


def inverted(run_id: str) -> str:
    """Return the key of a run. Raises ValueError unless the id is a UUIDv7 in its usual form."""
    parsed = UUID(run_id)
    if parsed.version != _UUID_VERSION or str(parsed) != run_id.lower():
        raise ValueError("a run's id is a UUIDv7")
    return _hex(parsed.int)


def inverted_time(at: datetime) -> str:
    """Return a key between the runs of earlier milliseconds and those of this and later ones."""
    milliseconds = min(max(int(at.timestamp() * 1000), 0), (1 << (_ID_BITS - _RANDOM_BITS)) - 1)
    return _hex(milliseconds << _RANDOM_BITS)


def share_prefix(run: str) -> str:
    """Return what the keys of a run's shares begin with."""
    return f"share:{run}:"


def after_prefix(prefix: str) -> str:
    """Return the first key behind all that begin with a prefix."""
    return f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}"


def share_key(run: str, share_id: str) -> str:
    """Return a share's row key."""
    return f"{share_prefix(run)}{_digest(share_id)}"


def key(row: str) -> Entity:
    """Return the key properties of a row beside the run's head."""
    return {"PartitionKey": PARTITION, "RowKey": row}


def head_entity(run: str, record: RunRecord) -> Entity:
    """Return the head of a new run."""
    return {
        **key(f"{HEADS}{run}"),
        "RunId": record.run_id,
        "Trigger": record.trigger,
        "DryRun": record.dry_run,
        "StartedAt": record.started_at,
        "Deadline": record.deadline,
        "LastBy": "",
        "ClosedBy": "",
        **packed("Reason", record.reason),
        **packed("Order", record.order),
        **packed("Shares", json.dumps(record.shares)),
    }


def open_entity(run: str, record: RunRecord) -> Entity:
    """Return the entry among the open runs."""
    return {**key(f"{OPEN}{run}"), "RunId": record.run_id, "Deadline": record.deadline}


def share_entity(run: str, share_id: str, order: str) -> Entity:
    """Return a queued share."""
    return {
        **key(share_key(run, share_id)),
        "ShareId": share_id,
        "State": ShareState.QUEUED.value,
        "Finished": False,
        "FinishedBy": "",
        "Begun": 0,
        "FoundRows": 0,
        **packed("Order", order),
    }


def found_partition(run: str) -> str:
    """Return the partition of what a run's shares found."""
    return f"found:{run}"


def found_entities(run: str, share_id: str, mark: str, found: bytes) -> Sequence[Entity]:
    """Return the rows for what a share found, under the mark of the one who says so."""
    parts = _parts(gzip.compress(found, _GZIP_LEVEL, mtime=0)) if found else []
    rows = [parts[n : n + _PARTS_PER_ROW] for n in range(0, len(parts), _PARTS_PER_ROW)]
    return [
        {
            "PartitionKey": found_partition(run),
            "RowKey": found_key(share_id, mark, number),
            **_numbered("Found", row),
        }
        for number, row in enumerate(rows)
    ]


def found_key(share_id: str, mark: str, number: int) -> str:
    """Return the key of the row `number` of what a share found."""
    return f"{_digest(share_id)}:{mark}:{number:05}"


def unpack_found(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Join the rows of `found_entities`."""
    data = b"".join(_joined("Found", row) for row in rows)
    return gzip.decompress(data) if data else b""


def run_record(head: Mapping[str, Any], *, open_shares: frozenset[str]) -> RunRecord:
    """Read a head."""
    return RunRecord(
        run_id=head["RunId"],
        trigger=head["Trigger"],
        dry_run=head["DryRun"],
        reason=unpacked("Reason", head),
        order=unpacked("Order", head),
        started_at=moment(head["StartedAt"]),
        deadline=moment(head["Deadline"]),
        shares=tuple(json.loads(unpacked("Shares", head))),
        open_shares=open_shares,
        result=Result(head["Result"]) if "Result" in head else None,
        summary=unpacked("Summary", head),
    )


def share_record(run_id: str, share: Mapping[str, Any]) -> ShareRecord:
    """Read a share."""
    return ShareRecord(
        run_id=run_id,
        share_id=share["ShareId"],
        state=ShareState(share["State"]),
        order=unpacked("Order", share),
        begun=share["Begun"],
        progress=unpacked("Progress", share),
        error=unpacked("Error", share),
    )


def packed(name: str, text: str) -> Entity:
    """Return a text of any size as compressed properties; they replace those of an earlier one."""
    return _numbered(
        name, _parts(gzip.compress(text.encode(), _GZIP_LEVEL, mtime=0)) if text else []
    )


def unpacked(name: str, entity: Mapping[str, Any]) -> str:
    """Read what `packed` wrote; empty where nothing was written."""
    data = _joined(name, entity)
    return gzip.decompress(data).decode() if data else ""


def _numbered(name: str, parts: Sequence[bytes]) -> Entity:
    return {f"{name}Parts": len(parts), **{f"{name}{n}": part for n, part in enumerate(parts)}}


def _joined(name: str, entity: Mapping[str, Any]) -> bytes:
    return b"".join(entity[f"{name}{n}"] for n in range(entity.get(f"{name}Parts", 0)))


def _parts(data: bytes) -> list[bytes]:
    starts = range(0, len(data), MAX_PROPERTY_BYTES)
    return [data[start : start + MAX_PROPERTY_BYTES] for start in starts]


def transactions(entities: Sequence[Entity]) -> Iterator[Sequence[Entity]]:
    """Cut new entities into transactions."""
    batch: list[Entity] = []
    size = 0
    for entity in entities:
        grown = size + _size(entity)
        if batch and (len(batch) == MAX_OPERATIONS or grown > _TRANSACTION_BYTES):
            yield batch
            batch, grown = [], _size(entity)
        batch.append(entity)
        size = grown
    if batch:
        yield batch


def _size(entity: Entity) -> int:
    return sum(len(value) for value in entity.values() if isinstance(value, bytes | str))


def _digest(share_id: str) -> str:
    # Ids hold characters that keys must not.
    return sha256(share_id.encode()).hexdigest()[:40]


def _hex(value: int) -> str:
    return f"{(1 << _ID_BITS) - 1 - value:032x}"
