"""Processes that end with the block that runs them: asked by SIGTERM, then made to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

END_SECONDS = 20.0


@contextmanager
def running_module(arguments: Sequence[str], *, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m` with these arguments until the block is left; `log` gets what it prints."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # our own modules
            [sys.executable, "-m", *arguments], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Terminate a process; kill it if it has not ended within END_SECONDS."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_SECONDS)
