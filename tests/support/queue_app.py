"""The sample app of queue functions under local hosts, and the queue they share."""

import json
import shutil
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from azure.storage.queue import QueueClient

from tests.support.local_host import LocalHost, poll

APP = Path(__file__).resolve().parents[1] / "local_host" / "queue_app"


@dataclass(frozen=True, kw_only=True)
class WorkQueue:
    """The queue `name` of a storage account."""

    connection_string: str
    name: str

    @property
    def client(self) -> QueueClient:
        return QueueClient.from_connection_string(self.connection_string, self.name, retry_total=0)

    def beside(self, suffix: str) -> Self:
        """Another queue of the app, such as its "poison" queue."""
        return replace(self, name=f"{self.name}-{suffix}")

    def send(self, *, base64: bool = True, **todo: Any) -> str:
        """Send what to do and return the message's id."""
        text = json.dumps(todo)
        return self.send_text(b64encode(text.encode()).decode() if base64 else text)

    def send_text(self, text: str) -> str:
        with self.client as client:
            return str(client.send_message(text).id)

    def messages(self) -> list[str]:
        """The visible messages' texts."""
        with self.client as client:
            return [str(message.content) for message in client.peek_messages(32)]

    def count(self) -> int:
        """How many messages there are, invisible ones included."""
        with self.client as client:
            return client.get_queue_properties().approximate_message_count or 0

    def wait_for_count(self, count: int, *, seconds: float = 30.0) -> None:
        poll(
            lambda: True if self.count() == count else None,
            seconds=seconds,
            what=f"{count} messages in {self.name}",
        )


def host_for(queue: WorkQueue, *, app_root: Path = APP, invisible_seconds: int = 600) -> LocalHost:
    """A local host, not started yet, whose functions read the queue."""
    return LocalHost(
        app_root=app_root,
        env={"WORK_QUEUE": queue.name, "WORK_STORAGE": queue.connection_string},
        options=("--queue-invisibility-seconds", str(invisible_seconds)),
    )


def app_with(folder: Path, **queues: Any) -> Path:
    """Copy the app, with these settings of `extensions.queues` in its host.json."""
    shutil.copyfile(APP / "function_app.py", folder / "function_app.py")
    document = json.loads((APP / "host.json").read_text("utf-8"))
    document["extensions"]["queues"].update(queues)
    (folder / "host.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def deliveries(host: LocalHost, **where: object) -> list[Mapping[str, Any]]:
    """What the app was given so far: all of it, or where `id=`, `function=`, ... are as said."""
    lines = [line for line in host.stderr.splitlines() if "INFO sample saw {" in line]
    seen = [json.loads(line.partition(" saw ")[2]) for line in lines]
    return [each for each in seen if where.items() <= each.items()]


def wait_for_deliveries(
    host: LocalHost, count: int, *, seconds: float = 30.0, **where: object
) -> list[Mapping[str, Any]]:
    """Wait for at least so many, and return them."""

    def enough() -> list[Mapping[str, Any]] | None:
        seen = deliveries(host, **where)
        return seen if len(seen) >= count else None

    return poll(enough, seconds=seconds, what=f"{count} deliveries")
