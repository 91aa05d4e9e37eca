"""Let one run go through the queue of a storage account to several hosts, and read what it cost.

Each host is one worker process of the platform. The first fires the timer, all of them take up shares.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.programs import Emulator, Program, cpu_seconds, emulator, host
from benchmarks.request_log import Night, list_computes, read_night
from benchmarks.timer import invoke, write_settings
from local_host.azurite.process import running as running_azurite

STORAGE_SETTING = "AzureWebJobsStorage"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Processor seconds of the hosts together, the emulator and Azurite, within `seconds`."""

    app: float
    emulator: float
    azurite: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One night of a fleet with so many workers. `load_before`: the machine's load average."""

    workers: int
    night: Night
    cost: Cost
    status: str
    stopped: int
    load_before: float
    command: str

    @property
    def stops_per_second(self) -> float:
        """Accepted stops, until the last 202 left."""
        return self.night.accepted / self.night.last_accepted


def spread(
    options: Sequence[str],
    settings: Mapping[str, str],
    *,
    workers: int,
    latency_seconds: float,
) -> Spread:
    """Start an emulator with these options, Azurite and the hosts; fire one timer; end them all."""
    load_before = os.getloadavg()[0]
    with TemporaryDirectory(prefix="workers-") as name, ExitStack() as stack:
        folder = Path(name)
        running = stack.enter_context(emulator(folder, options))
        azurite = stack.enter_context(running_azurite())
        storage = {STORAGE_SETTING: azurite.connection_string}
        env_file, key = write_settings(folder, {**settings, **storage})
        hosts = stack.enter_context(_hosts(running, env_file, folder, workers))
        meter = _Meter(running, azurite.pid, [program for program, _ in hosts])
        status = _fire(hosts, key)
        return Spread(
            workers=workers,
            cost=meter.read(),
            status=status,
            night=read_night(running, latency_seconds=latency_seconds),
            stopped=sum(each["state"] == "Stopped" for each in list_computes(running)),
            load_before=load_before,
            command=running.program.command,
        )


@contextmanager
def _hosts(
    running: Emulator, env_file: Path, folder: Path, workers: int
) -> Iterator[Sequence[tuple[Program, str]]]:
    with ExitStack() as stack:
        files = [running.env_file, env_file]
        yield [
            stack.enter_context(host(folder, files, name=f"worker-{number}"))
            for number in range(workers)
        ]


def _fire(hosts: Sequence[tuple[Program, str]], key: str) -> str:
    program, url = hosts[0]
    try:
        return invoke(url, key, program)
    except TimeoutError:
        # What the others measured is worth a table all the same.
        return "was not over in time"


class _Meter:
    """Runs from when it is made until it is read."""

    def __init__(self, running: Emulator, azurite: int, hosts: Sequence[Program]) -> None:
        self._apps = [program.process.pid for program in hosts]
        self._emulator = running.program.process.pid
        self._azurite = azurite
        self._began = time.monotonic()
        self._before = self._now()

    def read(self) -> Cost:
        spent = [after - before for after, before in zip(self._now(), self._before, strict=True)]
        *apps, emulated, stored = spent
        seconds = time.monotonic() - self._began
        return Cost(app=sum(apps), emulator=emulated, azurite=stored, seconds=seconds)

    def _now(self) -> Sequence[float]:
        return [cpu_seconds(pid) for pid in (*self._apps, self._emulator, self._azurite)]
