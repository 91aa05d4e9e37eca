"""The ledger of invocations: what ran, how it ended, and the error if it failed."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4


class Status(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One run of one function. `error` is the exception's type and message."""

    id: str
    function: str
    status: Status
    started_at: datetime
    ended_at: datetime | None = None
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return `{function, status, error, started_at, ended_at}`, times ISO 8601 in UTC."""
        return {
            "function": self.function,
            "status": self.status.value,
            "error": self.error,
            "started_at": _iso(self.started_at),
            "ended_at": _iso(self.ended_at),
        }


class Ledger:
    """The last invocations, bounded; those still running are never forgotten."""

    def __init__(self, *, clock: Callable[[], datetime], keep: int = 1000) -> None:
        self._clock = clock
        self._keep = keep
        self._invocations: OrderedDict[str, Invocation] = OrderedDict()

    def begin(self, function: str) -> Invocation:
        invocation = Invocation(
            id=str(uuid4()), function=function, status=Status.RUNNING, started_at=self._clock()
        )
        self._invocations[invocation.id] = invocation
        self._forget_oldest()
        return invocation

    def end(self, invocation: Invocation, *, error: str | None = None) -> Invocation:
        """Record the end: succeeded without an error, failed with one."""
        status = Status.SUCCEEDED if error is None else Status.FAILED
        ended = replace(invocation, status=status, error=error, ended_at=self._clock())
        self._invocations[invocation.id] = ended
        return ended

    def get(self, invocation_id: str) -> Invocation | None:
        return self._invocations.get(invocation_id)

    def _forget_oldest(self) -> None:
        excess = len(self._invocations) - self._keep
        if excess <= 0:
            return
        ended = [i.id for i in self._invocations.values() if i.status is not Status.RUNNING]
        for invocation_id in ended[:excess]:
            del self._invocations[invocation_id]


def _iso(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
