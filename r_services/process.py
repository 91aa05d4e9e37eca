"""Run a service as a process of our own, until the block is left."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from r_services.programs import Program, RServiceError

START_SECONDS = 60.0
END_SECONDS = 10.0
ANSWER_SECONDS = 10.0
_LOOK_EVERY = 0.05
# The services are on loopback: a proxy of the machine is not asked.
_open = build_opener(ProxyHandler({})).open


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service that answers: its URL without a last slash, its process, what it prints."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running(program: Program, *, log: Path) -> Iterator[Service]:
    """Run a program until the block is left; it has answered an HTTP request when it is entered.

    Raises RServiceError, with what the program printed last, when it ends or START_SECONDS pass.
    """
    process = start(program, log=log)
    try:
        yield when_it_answers(process, program, log=log)
    finally:
        end(process)


def start(program: Program, *, log: Path) -> subprocess.Popen[bytes]:
    """Start a program, and do not wait. What it prints replaces `log`."""
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603  # our own services
            program.command,
            cwd=program.folder,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: a server's workers are stopped or killed with it, and Ctrl-C
            # reaches only whoever started it.
            start_new_session=True,
        )


def when_it_answers(process: subprocess.Popen[bytes], program: Program, *, log: Path) -> Service:
    """Wait until a started program listens and answers. Raises RServiceError."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        said = log.read_text("utf-8", errors="replace")
        listening = re.search(program.listening, said)
        if listening and _answers(listening[1]):
            return Service(url=listening[1], process=process, log=log)
        if process.poll() is not None or time.monotonic() > deadline:
            raise RServiceError(f"{program.folder.name} did not start: {_last_lines(said)}")
        time.sleep(_LOOK_EVERY)


def end(process: subprocess.Popen[bytes]) -> int:
    """End a program and its workers, also stopped ones; return its exit status."""
    process.terminate()
    # Who is stopped takes no notice of SIGTERM before it goes on.
    signal_group(process, signal.SIGCONT)
    try:
        return process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        signal_group(process, signal.SIGKILL)
        return process.wait(END_SECONDS)


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a program and to its workers, if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, number)


def _answers(url: str) -> bool:
    try:
        _open(url, timeout=ANSWER_SECONDS).close()
    except HTTPError as answer:
        # Any status will do: a service need not have a page at its root.
        answer.close()
    except (URLError, OSError):
        return False
    return True


def _last_lines(said: str) -> str:
    return " / ".join(said.splitlines()[-6:])
