"""Search what an app let out for what it must never let out.

A canary is found as it is, and written as URLs, JSON and base64 would write it.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from tests.support.local_host import LocalHost
from tests.support.wire import Reply

# Shorter ones would be found by chance, or nowhere in base64.
SHORTEST_CANARY = 12


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Texts by the place they were found in; a process's streams are read when it is searched."""

    host: LocalHost
    places: dict[str, str] = field(default_factory=dict)

    def answer(self, name: str, answer: Reply) -> None:
        """Keep an HTTP answer with its headers."""
        headers = "\n".join(f"{key}: {value}" for key, value in answer.headers.items())
        self.places[f"answer: {name}"] = f"{headers}\n{answer.body.decode(errors='replace')}"

    def document(self, name: str, document: Any) -> None:
        """Keep what was received as JSON: telemetry, the status of an invocation."""
        self.places[name] = json.dumps(document, ensure_ascii=False)

    def texts(self) -> Mapping[str, str]:
        streams = {"stdout": self.host.stdout, "stderr": self.host.stderr}
        return {**self.places, **streams}


def stored(connection_string: str) -> dict[str, Any]:
    """Return all that a storage account holds in tables and in queues."""
    found: dict[str, Any] = {}
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for table in tables.list_tables():
            with tables.get_table_client(table.name) as client:
                found[f"table {table.name}"] = [repr(entity) for entity in client.list_entities()]
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for queue in queues.list_queues():
            with queues.get_queue_client(queue.name) as waiting:
                peeked = waiting.peek_messages(max_messages=32)
                found[f"queue {queue.name}"] = [str(message.content) for message in peeked]
    return found


def leaks(texts: Mapping[str, str], canaries: Mapping[str, str]) -> list[str]:
    """Return `name in place` for every canary found. Raises ValueError for one that is too short."""
    short = [name for name, value in canaries.items() if len(value) < SHORTEST_CANARY]
    if short:
        raise ValueError(f"too short to be searched for: {', '.join(short)}")
    return [
        f"{name} in {place}"
        for name, value in canaries.items()
        for place, text in texts.items()
        if any(spelling in text for spelling in _spellings(value))
    ]


def _spellings(value: str) -> Iterator[str]:
    yield value
    yield quote(value, safe="")
    yield json.dumps(value)[1:-1]
    for shift in range(3):
        yield _in_base64(value.encode(), shift)


def _in_base64(value: bytes, shift: int) -> str:
    """Return the part of the base64 that does not depend on what stands around the value."""
    whole = value[shift : shift + (len(value) - shift) // 3 * 3]
    return base64.b64encode(whole).decode()
