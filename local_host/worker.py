"""Runs the app's handlers as the Python worker of Functions does, in an event loop of their own.

The loop lives in its own thread, so that a handler that blocks stalls the other handlers, as in
Azure, but never the host: it still answers, times the handler out and obeys SIGTERM.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local_host.context import InvocationContext
from local_host.functions import Function


class WorkerLostError(Exception):
    """A handler ended in a way that Azure's worker does not survive or never answers."""


class Worker:
    """Start it before the first call; a stopped one cannot be started again."""

    def __init__(self, *, threads: int | None) -> None:
        """Run synchronous handlers on so many threads; None is Python's default, as in Azure."""
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._thread = threading.Thread(target=self._run, name="functions-worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    async def call(self, function: Function, data: Any, context: InvocationContext) -> Any:
        """Run the handler and return what it returned. Raises what it raised, WorkerLostError."""
        arguments = {function.parameter: data}
        if function.wants_context:
            arguments["context"] = context
        run = self._call_async if function.is_async else self._call_sync
        coroutine = _guarded(run(function.handler, arguments, context))
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    async def stop(self, *, within_seconds: float) -> None:
        """Cancel what still runs, close the loop. A handler that blocks is left behind."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, within_seconds)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _call_async(
        self, handler: Callable[..., Any], arguments: dict[str, Any], context: InvocationContext
    ) -> Any:
        context.thread_local_storage.invocation_id = context.invocation_id
        return await handler(**arguments)

    async def _call_sync(
        self, handler: Callable[..., Any], arguments: dict[str, Any], context: InvocationContext
    ) -> Any:
        def run() -> Any:
            context.thread_local_storage.invocation_id = context.invocation_id
            return handler(**arguments)

        return await self._loop.run_in_executor(self._pool, run)


async def _guarded(run: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await run
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # Azure's worker never answers then, and the host waits until the function times out.
        raise WorkerLostError(f"the handler raised {_described(error)}") from error
    except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
        # In Azure this ends the worker's process, with every other running invocation.
        raise WorkerLostError(f"the handler raised {_described(error)}") from error


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")
