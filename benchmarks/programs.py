"""Run the emulator and the app's host as processes of their own, and read what they cost.

Processor time and memory come from /proc (proc(5)), so the benchmarks run on Linux.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_host.child_process import running_module
from local_host.env_file import read_env_files
from local_host.stack import announced_url

START_SECONDS = 60.0
LOOK_EVERY = 0.05


class ProgramError(Exception):
    """A program did not start, or ended by itself; has the last lines of its log."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A running process of ours."""

    process: subprocess.Popen[bytes]
    command: str
    log: Path

    @property
    def cpu_seconds(self) -> float:
        """User and system time so far."""
        return cpu_seconds(self.process.pid)

    @property
    def peak_megabytes(self) -> float:
        """The largest resident set so far."""
        status = self._proc("status")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for what the program does first; raises ProgramError if it never does."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                last = self.log.read_text("utf-8").strip().splitlines()[-3:]
                raise ProgramError(f"{self.command}: not ready: {' / '.join(last)}")
            time.sleep(LOOK_EVERY)

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self.process.pid}/{name}").read_text("utf-8")


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running emulator; `env` are the entries of its env file."""

    program: Program
    env_file: Path
    env: Mapping[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        return self.env["AZURE_EMULATOR_URL"]

    @property
    def ca_file(self) -> Path:
        return Path(self.env["SSL_CERT_FILE"])


@contextmanager
def emulator(folder: Path, options: Sequence[str]) -> Iterator[Emulator]:
    """Run the emulator until the block is left; `options` are its command line's."""
    env_file = folder / "emulator.env"
    env_file.unlink(missing_ok=True)
    arguments = ["azure_emulator", "--port", "0", "--env-file", str(env_file), *options]
    with _running(arguments, log=folder / "emulator.log") as program:
        program.wait_until(env_file.exists)
        yield Emulator(program=program, env_file=env_file, env=read_env_files([env_file]))


@contextmanager
def host(
    folder: Path, env_files: Sequence[Path], *, name: str = "host"
) -> Iterator[tuple[Program, str]]:
    """Run the app in the local host; yields the process and its URL. `name` is its log's."""
    log = folder / f"{name}.log"
    arguments = ["local_host", "--port", "0"]
    for env_file in env_files:
        arguments += ["--env-file", str(env_file)]
    with _running(arguments, log=log) as program:
        program.wait_until(lambda: bool(announced_url(log)))
        yield program, announced_url(log)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _running(arguments: Sequence[str], *, log: Path) -> Iterator[Program]:
    with running_module(arguments, log=log) as process:
        yield Program(process=process, command=shlex.join(["python", "-m", *arguments]), log=log)


@contextmanager
def module(name: str, *arguments: str, folder: Path) -> Iterator[Program]:
    """Run a module as a program until the block is left; its log is in the folder."""
    with _running([name, *arguments], log=folder / f"{name}.log") as program:
        yield program
