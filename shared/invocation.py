"""An invocation of a function, as its host tells of it: whose name its records bear, and their parent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from shared.callers import refuse_unknown
from shared.errors import SettingsError
from shared.replies import Reply, answering
from shared.telemetry import NullTelemetry, Telemetry, operation


class TraceContext(Protocol):
    """The host's own span. `trace_parent` as in https://www.w3.org/TR/trace-context/."""

    @property
    def trace_parent(self) -> str: ...


class Invocation(Protocol):
    """What is needed of `azure.functions.Context`, which both engines and local_host hand over."""

    @property
    def function_name(self) -> str: ...

    @property
    def trace_context(self) -> TraceContext: ...


async def answered(
    invocation: Invocation,
    work: Callable[[], Awaitable[Reply]],
    *,
    telemetry: Callable[[], Telemetry],
    unread: Mapping[str, str],
) -> Reply:
    """Answer; `unread` is the query of a call that is ordered in its body, or by its path alone.

    Who writes `?dry_run=true` there means it: nothing is done then.
    """

    async def answer() -> Reply:
        refuse_unknown(unread, known=())
        return await work()

    async with speaking_as(invocation, telemetry):
        return await answering(answer())


@asynccontextmanager
async def speaking_as(
    invocation: Invocation, telemetry: Callable[[], Telemetry]
) -> AsyncIterator[None]:
    """Give every record the function's name, and send them before the invocation ends."""
    try:
        sender = telemetry()
    except SettingsError:
        # Told by whoever needs the settings next; here there is only nothing to send.
        sender = NullTelemetry()
    with operation(invocation.function_name, trace_parent=invocation.trace_context.trace_parent):
        try:
            yield
        finally:
            await sender.flush()
