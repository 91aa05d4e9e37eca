"""What the emulator carries of an estate's stops, from a client that does nothing else."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.bare_client import Load, bare_client, stop_paths
from benchmarks.programs import Emulator, emulator
from benchmarks.request_log import list_computes
from benchmarks.workers import Cost


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """Stops of a bare client, so many at once; in `cost` the client stands for the app."""

    at_once: int
    load: Load
    cost: Cost
    load_before: float


def push(folder: Path, options: Sequence[str], *, parts: Mapping[int, float]) -> Sequence[Pushed]:
    """Stop an estate, `parts` of it with so many requests at once; no machine is asked twice."""
    with emulator(folder, options) as running:
        return asyncio.run(_push_parts(running, parts))


async def _push_parts(running: Emulator, parts: Mapping[int, float]) -> Sequence[Pushed]:
    stops = stop_paths(list_computes(running))
    unasked = iter(stops)
    return [
        await _push(running, list(islice(unasked, round(part * len(stops)))), at_once=at_once)
        for at_once, part in parts.items()
    ]


async def _push(running: Emulator, stops: Sequence[str], *, at_once: int) -> Pushed:
    load_before = os.getloadavg()[0]
    async with bare_client(running) as client:
        emulator_before, client_before = running.program.cpu_seconds, time.process_time()
        load = await client.send_all("POST", stops, at_once=at_once)
        cost = Cost(
            app=time.process_time() - client_before,
            emulator=running.program.cpu_seconds - emulator_before,
            azurite=0,
            seconds=load.seconds,
        )
    return Pushed(at_once=at_once, load=load, cost=cost, load_before=load_before)
