"""Fire the app's timer in a host of its own, and wait until its run is over."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.programs import Emulator, Program, host
from local_host.client import send
from local_host.keys import MASTER_KEY_SETTING

LIMIT_SECONDS = 330.0
LOOK_EVERY = 0.5


@dataclass(frozen=True, kw_only=True)
class TimerRun:
    """`cpu_seconds` and `peak_megabytes` are the host's, the app in it."""

    status: str
    cpu_seconds: float
    peak_megabytes: float


def fire(emulator: Emulator, folder: Path, settings: Mapping[str, str]) -> TimerRun:
    """Fire `shutdown_timer` once. Raises TimeoutError when its run is not over in time."""
    env_file, key = write_settings(folder, settings)
    with host(folder, [emulator.env_file, env_file]) as (program, url):
        before = program.cpu_seconds
        status = invoke(url, key, program)
        return TimerRun(
            status=status,
            cpu_seconds=program.cpu_seconds - before,
            peak_megabytes=program.peak_megabytes,
        )


def write_settings(folder: Path, settings: Mapping[str, str]) -> tuple[Path, str]:
    """Write the env file of a host; return it, and the master key that is in it."""
    key = secrets.token_urlsafe(24)
    env_file = folder / "host.env"
    env_file.touch(mode=0o600)
    # A tick of its own would be a second run in the same measurement.
    entries = {"SHUTDOWN_SCHEDULE": "0 0 0 29 2 *", **settings, MASTER_KEY_SETTING: key}
    env_file.write_text("".join(f"{name}={value}\n" for name, value in entries.items()), "utf-8")
    return env_file, key


def invoke(url: str, key: str, program: Program) -> str:
    """Fire `shutdown_timer` in a running host; return the invocation's status once it is over."""
    answer = send(
        "POST",
        f"{url}/admin/functions/shutdown_timer",
        headers={"x-functions-key": key, "Content-Type": "application/json"},
        body={"input": ""},
    )
    invocation = f"{url}/_local/invocations/{answer.headers['x-ms-invocation-id']}"
    deadline = time.monotonic() + LIMIT_SECONDS
    while (found := _look(invocation))["status"] == "running":
        if time.monotonic() > deadline:
            raise TimeoutError(f"the run is not over; see {program.log}")
        time.sleep(LOOK_EVERY)
    return str(found["status"])


def _look(invocation: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = send("GET", invocation).json()
    return found
