"""The `azure.functions.Context` of an invocation, with a W3C trace context made by the host.

Source: https://www.w3.org/TR/trace-context/ and the engine's own context (azure-functions-runtime).
"""

import re
import secrets
import threading
from dataclasses import dataclass

import azure.functions as func
from azure.functions._abc import RetryContext, RpcException, TraceContext

TRACE_PARENT = re.compile(
    r"00-(?P<trace_id>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)

_thread_local_storage = threading.local()


@dataclass(frozen=True, kw_only=True)
class InvocationTraceContext(TraceContext):
    parent: str
    state: str = ""

    @property
    def trace_parent(self) -> str:
        return self.parent

    @property
    def trace_state(self) -> str:
        return self.state

    @property
    def attributes(self) -> dict[str, str]:
        return {}


class NoRetry(RetryContext):
    """Timers and HTTP functions are never retried by the host."""

    @property
    def retry_count(self) -> int:
        return 0

    @property
    def max_retry_count(self) -> int:
        return 0

    @property
    def exception(self) -> RpcException:
        return None  # type: ignore[return-value]  # so says the engine on a first attempt


@dataclass(frozen=True, kw_only=True)
class InvocationContext(func.Context):
    id: str
    function: str
    directory: str
    trace: InvocationTraceContext

    @property
    def invocation_id(self) -> str:
        return self.id

    @property
    def function_name(self) -> str:
        return self.function

    @property
    def function_directory(self) -> str:
        return self.directory

    @property
    def thread_local_storage(self) -> threading.local:  # type: ignore[override]  # typed as a class there
        return _thread_local_storage

    @property
    def trace_context(self) -> TraceContext:
        return self.trace

    @property
    def retry_context(self) -> RetryContext:
        return NoRetry()


def new_trace_parent(caller: str | None = None) -> str:
    """Return a sampled `traceparent` with a new span, in the caller's trace if it sent a valid one."""
    match = TRACE_PARENT.fullmatch(caller or "")
    trace_id = match["trace_id"] if match else secrets.token_hex(16)
    return f"00-{trace_id}-{secrets.token_hex(8)}-01"
