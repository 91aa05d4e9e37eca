"""What really answers for containers: a program of their image, or its seed.

A program is a list of arguments from a seed file, never a shell's text, and is ended with its owner
(the last pod of a ReplicaSet, a container of a group), with the estate, or with the emulator.
"""

import atexit
import os
import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from azure_emulator.kubernetes_seed import ImageSeed
from azure_emulator.scoring_seed import Answering

LOOPBACK = "127.0.0.1"
CONNECT_SECONDS = 0.2
END_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Backend:
    """Who answers: `url` is a program's, empty where there is none."""

    seed: ImageSeed
    url: str = ""
    port: int = 0
    process: subprocess.Popen[bytes] | None = None


class Backends:
    """The backends of one cluster or of all container groups, by owner."""

    def __init__(self) -> None:
        self._backends: dict[str, Backend] = {}

    def start(self, owner: str, seed: ImageSeed) -> None:
        """Start what answers for an image, unless it runs already."""
        if owner not in self._backends:
            self._backends[owner] = _program(seed) if seed.command else Backend(seed=seed)

    def get(self, owner: str) -> Backend | None:
        return self._backends.get(owner)

    def answering(self, owner: str) -> Answering | None:
        """Return what a container's answers come from, None where nothing was started."""
        backend = self._backends.get(owner)
        if backend is None or not backend.url:
            return backend.seed if backend else None
        return backend.seed.model_copy(update={"backend": backend.url})

    def listens(self, owner: str) -> bool:
        """Whether a program takes connections; what is none always does."""
        backend = self._backends.get(owner)
        if backend is None or backend.process is None:
            return True
        with socket.socket() as connection:
            connection.settimeout(CONNECT_SECONDS)
            return connection.connect_ex((LOOPBACK, backend.port)) == 0

    def exit_status(self, owner: str) -> int | None:
        """Return how a program ended, None while it runs."""
        backend = self._backends.get(owner)
        return backend.process.poll() if backend and backend.process else None

    def end(self, owner: str) -> None:
        backend = self._backends.pop(owner, None)
        if backend and backend.process:
            _end(backend.process)

    def end_all(self) -> None:
        for owner in list(self._backends):
            self.end(owner)


def _program(seed: ImageSeed) -> Backend:
    port = _free_port()
    added = [f"{name}={value}" for name, value in {**seed.environment, "PORT": str(port)}.items()]
    process = subprocess.Popen(  # noqa: S603  # named by the seed file that the emulator was started with
        # env(1) adds to what is inherited, and becomes the program.
        ["/usr/bin/env", *added, *(part.replace("{port}", str(port)) for part in seed.command)],
        cwd=seed.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A group of its own, so that workers are ended with it.
        start_new_session=True,
    )
    atexit.register(_end, process)
    return Backend(seed=seed, url=f"http://{LOOPBACK}:{port}", port=port, process=process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(END_SECONDS)
