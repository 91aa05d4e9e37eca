"""Long-running operations: what a 202 promised, and what became of it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from azure_emulator.estate.compute import Compute


@dataclass(slots=True, kw_only=True)
class Operation:
    """An asynchronous operation of a subscription and region. `error` is Azure's error object.

    `result` is the resource that its Location answers with in the end.
    """

    subscription_id: str
    location: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    error: dict[str, Any] | None = None
    result: Compute | None = None

    def succeed(self) -> None:
        self.status = "Succeeded"

    def fail(self, code: str, message: str) -> None:
        self.status = "Failed"
        self.error = {"code": code, "message": message}


class Operations:
    """All operations that were begun, found by id."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}

    def begin(self, compute: Compute) -> Operation:
        return self.begin_on(compute.id, location=compute.location)

    def begin_on(self, resource_id: str, *, location: str, prefix: str = "") -> Operation:
        """Begin an operation on any resource; `prefix` begins its id."""
        operation = Operation(subscription_id=resource_id.split("/")[2], location=location)
        operation.id = f"{prefix}{operation.id}"
        self._operations[operation.id] = operation
        return operation

    def get(self, operation_id: str) -> Operation | None:
        return self._operations.get(operation_id.lower())
