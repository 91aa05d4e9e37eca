"""The engine that Azure itself loads (azure-functions-runtime), run on an app in a process of its own.

The engine takes its wire classes from outside, so plain stand-ins for the gRPC messages are enough;
it serves one app per process. As a program:

    python tests/support/engine.py --app-root DIR --invoke NAME --invoke '{"function": ..., ...}'

prints one JSON object: `worker`, the answer to WorkerInit; `functions`, as indexed; `invocations`.
The message shapes are those of FunctionRpc.proto in Azure/azure-functions-language-worker-protobuf.
"""

import argparse
import asyncio
import contextlib
import importlib
import json
import logging
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4


@dataclass(frozen=True, kw_only=True)
class Call:
    """One invocation. `past_due` is for timers, the rest for HTTP functions."""

    function: str
    past_due: bool = False
    method: str = "GET"
    url: str = "http://localhost/"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    route_params: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def run_engine(
    app_root: Path, *calls: Call, env: Mapping[str, str], seconds: float = 120.0
) -> dict[str, Any]:
    """Run the engine in a process with exactly this environment and return what it printed.

    Adds `logs`, the process's stderr. Raises CalledProcessError, TimeoutExpired.
    """
    options = [option for call in calls for option in ("--invoke", json.dumps(asdict(call)))]
    ended = subprocess.run(
        [sys.executable, __file__, "--app-root", str(app_root), *options],
        env=dict(env),
        cwd=app_root,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=True,
    )
    result: dict[str, Any] = json.loads(ended.stdout)
    return result | {"logs": ended.stderr}


class Message(SimpleNamespace):
    """A protobuf message as far as the engine looks at one."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802  # protobuf's name
        return next((name for name, value in vars(self).items() if value is not None), None)


class ParameterBinding(Message):
    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802  # protobuf's name
        return "data"


class StatusResult(Message):
    Failure, Success, Cancelled = range(3)


class BindingInfo(Message):
    undefined = 0
    out, inout = 1, 2


class RpcHttpCookie(Message):
    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


def wire_classes() -> SimpleNamespace:
    """Return the stand-ins under the names that the engine asks for."""
    plain = (
        "FunctionEnvironmentReloadResponse",
        "FunctionLoadResponse",
        "FunctionMetadataResponse",
        "InvocationResponse",
        "NullableBool",
        "NullableDouble",
        "NullableString",
        "NullableTimestamp",
        "RpcException",
        "RpcFunctionMetadata",
        "RpcHttp",
        "RpcRetryOptions",
        "Timestamp",
        "TypedData",
        "WorkerInitResponse",
        "WorkerMetadata",
    )
    special = (ParameterBinding, StatusResult, BindingInfo, RpcHttpCookie)
    classes = dict.fromkeys(plain, Message) | {each.__name__: each for each in special}
    return SimpleNamespace(**classes)


class Engine:
    """The engine, indexed on one app. Its module is imported here: it exists on Python 3.13 only."""

    def __init__(self, app_root: Path) -> None:
        self._app_root = app_root
        self._runtime: Any = importlib.import_module("azure_functions_runtime")
        self._functions: dict[str, Any] = {}

    async def start(self) -> dict[str, Any]:
        """Initialise the worker, index the app, and return its answer."""
        self._runtime.start_threadpool_executor()
        init = Message(capabilities={}, function_app_directory=str(self._app_root))
        answer = await self._runtime.worker_init_request(_event(worker_init_request=init))
        if answer.result.status == StatusResult.Success:
            metadata = await self._runtime.functions_metadata_request(_event())
            self._functions = {each.name: each for each in metadata.function_metadata_results or ()}
        return _status(answer) | {"capabilities": answer.capabilities}

    def functions(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "bindings": [json.loads(each) for each in metadata.raw_bindings]}
            for name, metadata in self._functions.items()
        ]

    async def invoke(self, call: Call) -> dict[str, Any]:
        """Load and invoke one function and return its status, HTTP answer and trace id."""
        metadata = self._functions[call.function]
        load = Message(function_id=metadata.function_id)
        await self._runtime.function_load_request(_event(function_load_request=load))
        trace_id = secrets.token_hex(16)
        request = _invocation(call, metadata, trace_id=trace_id)
        began = time.monotonic()
        answer = await self._runtime.invocation_request(_event(invocation_request=request))
        seconds = time.monotonic() - began
        shown = {"function": call.function, "trace_id": trace_id, "seconds": seconds}
        return shown | _status(answer) | {"http": _http(getattr(answer, "return_value", None))}


def _event(**request: Any) -> Any:
    properties = {"host": "127.0.0.1", "protos": wire_classes()}
    return Message(request=Message(**request), properties=properties)


def _invocation(call: Call, metadata: Any, *, trace_id: str) -> Message:
    bindings = [json.loads(each) for each in metadata.raw_bindings]
    trigger = next(each for each in bindings if each["type"].endswith("Trigger"))
    encode = {"httpTrigger": _http_data, "timerTrigger": _timer_data}[trigger["type"]]
    trace_parent = f"00-{trace_id}-{secrets.token_hex(8)}-01"
    return Message(
        invocation_id=str(uuid4()),
        function_id=metadata.function_id,
        input_data=[ParameterBinding(name=trigger["name"], data=encode(call))],
        trigger_metadata={},
        trace_context=Message(trace_parent=trace_parent, trace_state="", attributes={}),
        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
    )


def _timer_data(call: Call) -> Message:
    info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": call.past_due}
    return Message(json=json.dumps(info))


def _http_data(call: Call) -> Message:
    return Message(
        http=Message(
            method=call.method,
            url=call.url,
            headers=dict(call.headers),
            query=dict(call.query),
            params=dict(call.route_params),
            body=Message(bytes=call.body.encode() or None),
        )
    )


def _status(answer: Any) -> dict[str, Any]:
    exception = getattr(answer.result, "exception", None)
    return {
        "succeeded": answer.result.status == StatusResult.Success,
        "error": exception and exception.message,
        "stack_trace": exception and exception.stack_trace,
    }


def _http(value: Any) -> dict[str, Any] | None:
    if text := getattr(value, "string", None):
        return {"status": 200, "headers": {}, "body": text}
    http = getattr(value, "http", None)
    if http is None:
        return None
    body = http.body.bytes.decode()
    return {"status": int(http.status_code), "headers": http.headers, "body": body}


async def run(app_root: Path, calls: Sequence[Call]) -> dict[str, Any]:
    """Index the app and make the calls one after the other."""
    engine = Engine(app_root)
    worker = await engine.start()
    invocations = [await engine.invoke(call) for call in calls] if worker["succeeded"] else []
    return {"worker": worker, "functions": engine.functions(), "invocations": invocations}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--app-root", type=Path, required=True)
    parser.add_argument("--invoke", type=_call, action="append", default=[], metavar="NAME|JSON")
    arguments = parser.parse_args()
    sys.path[0] = str(arguments.app_root)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    # What the app prints must not mix with the result.
    with contextlib.redirect_stdout(sys.stderr):
        result = asyncio.run(run(arguments.app_root, arguments.invoke))
    sys.stdout.write(json.dumps(result))


def _call(text: str) -> Call:
    return Call(**json.loads(text)) if text.startswith("{") else Call(function=text)


if __name__ == "__main__":
    main()
