"""Serve one app on loopback until it is told to stop: HTTP, admin routes, timers and queues."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from local_host.admin import Admin
from local_host.functions import Function
from local_host.host import Host
from local_host.host_json import QueueOptions
from local_host.http_functions import HttpFunctions
from local_host.invocation import Ledger
from local_host.keys import Keys
from local_host.queues import QueueListeners
from local_host.timers import start_timers
from local_host.worker import Worker

# How long SIGTERM lets running invocations finish, and then lets cancelled ones clean up.
GRACE_SECONDS = 5.0
CLEAN_UP_SECONDS = 2.0
# How long storage may take to answer for the first time before the host is called ready without it.
START_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`threads` is PYTHON_THREADPOOL_THREAD_COUNT, None for Python's default.

    A message taken from a queue is invisible to others for `invisible_seconds` at a time.
    """

    functions: tuple[Function, ...]
    keys: Keys
    timeout: timedelta | None
    queues: QueueOptions
    invisible_seconds: int
    threads: int | None = None


class Server(uvicorn.Server):
    """uvicorn without its signals: it would end the process by the signal instead of with 0."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_started = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_started.set()


async def serve(settings: Settings, *, port: int, announce: Callable[[str], None]) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT; call `announce` with the URL when ready.

    Raises OSError when the port is taken.
    """
    worker = Worker(threads=settings.threads)
    host = Host(worker=worker, ledger=Ledger(clock=_now), timeout=settings.timeout)
    listener = socket.create_server(("127.0.0.1", port))
    listeners = QueueListeners(
        settings.functions,
        host=host,
        options=settings.queues,
        invisible_seconds=settings.invisible_seconds,
    )
    server = Server(_config(_routes(settings, host, listeners)))
    stopping = _stop_on_signals(server)
    worker.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await server.is_started.wait()
    timers = start_timers(settings.functions, host=host, clock=_now)
    await listeners.start(within_seconds=START_SECONDS)
    announce(f"http://127.0.0.1:{listener.getsockname()[1]}")
    await stopping.wait()
    for timer in timers:
        timer.cancel()
    await asyncio.gather(
        serving,
        listeners.stop(within_seconds=GRACE_SECONDS),
        host.drain(within_seconds=GRACE_SECONDS),
    )
    await listeners.finish(within_seconds=CLEAN_UP_SECONDS)
    await worker.stop(within_seconds=CLEAN_UP_SECONDS)


def _routes(settings: Settings, host: Host, listeners: QueueListeners) -> Starlette:
    admin = Admin(functions=settings.functions, host=host, keys=settings.keys, listeners=listeners)
    return Starlette(
        routes=[
            Route("/admin/functions", admin.list_functions, methods=["GET"]),
            Route("/admin/functions/{name}", admin.start_function, methods=["POST"]),
            Route("/_local/invocations/{id}", admin.get_invocation, methods=["GET"]),
            Mount("/", HttpFunctions(settings.functions, host=host, keys=settings.keys)),
        ]
    )


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="warning",
        # An access log would show `?code=`, a key.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(GRACE_SECONDS),
    )


def _stop_on_signals(server: uvicorn.Server) -> asyncio.Event:
    stopping = asyncio.Event()

    def stop() -> None:
        server.should_exit = True
        stopping.set()
        _leave_at_the_latest(GRACE_SECONDS + 2 * CLEAN_UP_SECONDS)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    return stopping


def _leave_at_the_latest(seconds: float) -> None:
    # A handler that blocks a thread would keep the interpreter from ending.
    watchdog = threading.Timer(seconds, os._exit, args=[0])
    watchdog.daemon = True
    watchdog.start()


def _now() -> datetime:
    return datetime.now(UTC)
