"""The process: TLS on 127.0.0.1 under a throwaway CA, the env file, and a quiet end at SIGTERM."""

import asyncio
import gc
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any

import trustme
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from azure_emulator import env_file
from azure_emulator.answers import Answer
from azure_emulator.control_plane import PREFIX, control_plane
from azure_emulator.emulator import Emulator
from azure_emulator.faults import TRANSPORT

HOST = "127.0.0.1"
# For clients that know accounts by these names, and are led here.
STORAGE = "*.blob.core.windows.net"
# Longer than clients keep idle connections, so that no POST meets a closing one.
KEEP_ALIVE_SECONDS = 300
BACKLOG = 4096
_ENDING = (signal.SIGTERM, signal.SIGINT)


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback address alone; port 0 takes any free one.

    Raises OSError or OverflowError for a port that cannot be had.
    """
    return socket.create_server((HOST, port), backlog=BACKLOG)


def serve(
    make_emulator: Callable[[str, str], Emulator], *, listener: socket.socket, env_path: Path
) -> None:
    """Serve until SIGTERM or SIGINT. `make_emulator` takes our URL and the identity header.

    `env_path` must not exist yet: it appears once the server answers.
    """
    _end_with_status_zero()
    url = f"https://{HOST}:{listener.getsockname()[1]}"
    identity_header = secrets.token_hex(16)
    authority = trustme.CA(organization_name="azure_emulator, for tests on this machine only")
    ca_bundle = env_file.ca_bundle_path(env_path)
    env_file.write_private(ca_bundle, authority.cert_pem.bytes())
    settings = env_file.entries(url, identity_header=identity_header, ca_bundle=ca_bundle)
    emulator = make_emulator(url, identity_header)
    # A large fleet is hundreds of thousands of lasting objects; collections need not walk them.
    gc.freeze()
    config = _config(_application(emulator), authority)
    _Server(config, lambda: env_file.write(env_path, settings)).run(sockets=[listener])


class _Protocol(HttpToolsProtocol):
    """Hands the connection to the application, for faults that cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # extensions are anything
        scope["extensions"] = {TRANSPORT: self.transport}


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


def _application(emulator: Emulator) -> ASGIApp:
    control = control_plane(emulator)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        is_control = scope["path"].startswith(PREFIX)
        try:
            await (control if is_control else emulator)(scope, receive, send)
        except asyncio.CancelledError:
            await _hang_up(scope, send)

    return application


async def _hang_up(scope: Scope, send: Send) -> None:
    """Cut a call that the server's end overtook.

    What is sent after that reaches nobody; without it uvicorn would log a failure of ours.
    """
    scope["extensions"][TRANSPORT].abort()
    # A call that was amid its answer can be given no second one.
    with suppress(RuntimeError):
        await Answer(status=HTTPStatus.SERVICE_UNAVAILABLE).send(send)


def _config(application: ASGIApp, authority: trustme.CA) -> uvicorn.Config:
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    config.load()
    config.ssl = _tls(authority)
    return config


def _tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, "localhost", STORAGE).configure_cert(context)
    return context


def _end_with_status_zero() -> None:
    # uvicorn raises the signal again once it has shut down; then this handler ends the process.
    for number in _ENDING:
        signal.signal(number, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    # A second signal must not strike the interpreter while it finishes: the status would be its.
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)
