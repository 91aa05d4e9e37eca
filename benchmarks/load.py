"""The emulator under a client without manners: its buckets, and what it can carry by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare_client import Load, bare_client, list_paths, stop_paths
from benchmarks.outcome import Outcome
from benchmarks.programs import Emulator, emulator
from benchmarks.request_log import list_computes

STOPS_IN_BURST = 260
BUCKET = 200
STOPS_PER_SECOND = 10
AT_ONCE = 32
ACCEPTED, THROTTLED = 202, 429
LISTS = 2_000
CPU = ("emulator CPU s", "client CPU s")
ENOUGH = "reads=100000:100000,writes=100000:100000"


@dataclass(frozen=True, kw_only=True)
class Carried:
    """One kind of load; processor seconds of the emulator and of the client."""

    name: str
    load: Load
    emulator_cpu: float
    client_cpu: float


def burst(folder: Path) -> Outcome:
    """Send 260 stops to one subscription at once: its bucket holds 200."""
    with emulator(folder, ["--fleet", "instances=260"]) as running:
        carried = asyncio.run(_burst(running))
        command = running.program.command
    answers, gained = carried.load.answers, carried.load.seconds * STOPS_PER_SECOND
    accepted, throttled = answers[ACCEPTED], answers[THROTTLED]
    fits = BUCKET <= accepted <= BUCKET + gained + 1 and accepted + throttled == STOPS_IN_BURST
    return Outcome(
        title="burst",
        columns=("stops", "accepted", "throttled", "seconds", "gained meanwhile", *CPU),
        rows=[
            (
                str(STOPS_IN_BURST),
                str(accepted),
                str(throttled),
                f"{carried.load.seconds:.2f}",
                f"{gained:.0f}",
                *_cpu(carried),
            )
        ],
        notes=["bound: 200, and what the bucket gained meanwhile", command],
        missed=[] if fits else [f"accepted {accepted}, throttled {throttled}"],
    )


def capacity(folder: Path) -> Outcome:
    """List and stop 1,000 machines with buckets that never end: requests the emulator carries."""
    options = ["--fleet", "subscriptions=4,workspaces=10,instances=25", "--buckets", ENOUGH]
    with emulator(folder, options) as running:
        measured = asyncio.run(_fill(running))
        command = running.program.command
    return Outcome(
        title="emulator",
        columns=("request", "answers", "requests/s", "ms CPU per request", *CPU),
        rows=[_row(each) for each in measured],
        notes=[f"{AT_ONCE} at once; a list has 25 machines", command],
        missed=[f"{e.name}: {dict(e.load.answers)}" for e in measured if len(e.load.answers) > 1],
    )


async def _burst(running: Emulator) -> Carried:
    stops = stop_paths(list_computes(running))
    return await _carry(running, "stop", "POST", stops, at_once=STOPS_IN_BURST)


async def _fill(running: Emulator) -> Sequence[Carried]:
    computes = list_computes(running)
    lists = list_paths(computes, LISTS)
    return [
        await _carry(running, "list of computes", "GET", lists, at_once=AT_ONCE),
        await _carry(running, "stop", "POST", stop_paths(computes), at_once=AT_ONCE),
    ]


async def _carry(
    running: Emulator, name: str, method: str, paths: Sequence[str], *, at_once: int
) -> Carried:
    async with bare_client(running) as client:
        emulator_before, client_before = running.program.cpu_seconds, time.process_time()
        load = await client.send_all(method, paths, at_once=at_once)
        return Carried(
            name=name,
            load=load,
            emulator_cpu=running.program.cpu_seconds - emulator_before,
            client_cpu=time.process_time() - client_before,
        )


def _row(carried: Carried) -> Sequence[str]:
    load = carried.load
    each = carried.emulator_cpu / load.answers.total() * 1000
    counted = ", ".join(f"{number} x {status}" for status, number in load.answers.items())
    return carried.name, counted, f"{load.per_second:.0f}", f"{each:.2f}", *_cpu(carried)


def _cpu(carried: Carried) -> Sequence[str]:
    return f"{carried.emulator_cpu:.2f}", f"{carried.client_cpu:.2f}"
