"""Invokes functions: one ledger entry each, within the function timeout, under the engine's rules."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local_host.context import InvocationContext, InvocationTraceContext, new_trace_parent
from local_host.functions import Function
from local_host.invocation import Invocation, Ledger, Status
from local_host.returned import check_returned
from local_host.worker import Worker

logger = logging.getLogger("local_host")


class FunctionTimeoutError(Exception):
    """A function ran longer than functionTimeout of host.json."""


class FunctionInError(Exception):  # Azure's own words: "the function is in error"
    """The function could not be indexed, so it cannot be invoked."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """An invocation that ended, and what the handler returned."""

    invocation: Invocation
    returned: Any = None


class Host:
    """Runs the functions of one app. All methods belong to the host's event loop."""

    def __init__(self, *, worker: Worker, ledger: Ledger, timeout: timedelta | None) -> None:
        self.ledger = ledger
        self._worker = worker
        self._timeout = timeout
        self._running: set[asyncio.Task[Ended]] = set()
        self._timer_locks: dict[str, asyncio.Lock] = {}

    def start(
        self, function: Function, data: Any, *, caller: str | None = None
    ) -> tuple[Invocation, asyncio.Task[Ended]]:
        """Start an invocation and return at once. `caller` is the caller's traceparent, if any."""
        invocation = self.ledger.begin(function.name)
        run = self._run(invocation, function, data, new_trace_parent(caller))
        task = asyncio.create_task(run, name=invocation.id)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return invocation, task

    async def drain(self, *, within_seconds: float) -> None:
        """Wait for the running invocations, then cancel what is left and record it as failed."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=within_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(
        self, invocation: Invocation, function: Function, data: Any, trace_parent: str
    ) -> Ended:
        logger.info("Executing '%s' (Id=%s)", function.name, invocation.id)
        context = InvocationContext(
            id=invocation.id,
            function=function.name,
            directory=function.directory,
            trace=InvocationTraceContext(parent=trace_parent),
        )
        try:
            returned = await self._call(function, data, context)
        except asyncio.CancelledError:
            # Only the end of the host cancels this task; whoever waits for it is still answered.
            message = "CancelledError: the host is shutting down"
            return Ended(invocation=self._end(invocation, error=message))
        except Exception as error:  # whatever the app raises is its invocation's outcome
            logger.error("%s raised", function.name, exc_info=error)  # noqa: TRY400  # the same, spelt for a variable
            message = f"{type(error).__name__}: {error}"
            return Ended(invocation=self._end(invocation, error=message))
        return Ended(invocation=self._end(invocation), returned=returned)

    async def _call(self, function: Function, data: Any, context: InvocationContext) -> Any:
        if function.error is not None:
            raise FunctionInError(function.error)
        if function.kind != "timerTrigger":
            return await self._call_in_time(function, data, context)
        # A timer never overlaps with itself; the next tick waits for the running one.
        async with self._timer_locks.setdefault(function.name, asyncio.Lock()):
            return await self._call_in_time(function, data, context)

    async def _call_in_time(self, function: Function, data: Any, context: InvocationContext) -> Any:
        seconds = self._timeout.total_seconds() if self._timeout else None
        try:
            async with asyncio.timeout(seconds) as deadline:
                returned = await self._worker.call(function, data, context)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise FunctionTimeoutError(f"Timeout value of {self._timeout} exceeded") from error
        return check_returned(function, returned)

    def _end(self, invocation: Invocation, *, error: str | None = None) -> Invocation:
        ended = self.ledger.end(invocation, error=error)
        verdict = "Succeeded" if ended.status is Status.SUCCEEDED else f"Failed: {error}"
        logger.info("Executed '%s' (Id=%s, %s)", invocation.function, invocation.id, verdict)
        return ended
