"""A round of health checks over a thousand services: how long, how much memory, who waits for whom."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.outcome import Outcome
from benchmarks.programs import Program, module
from benchmarks.scoring_checks import TIMEOUT_SECONDS
from benchmarks.scoring_servers import CA, FASTEST_SECONDS, SERVICES, SLOWEST_SECONDS, TLS_EVERY
from benchmarks.scoring_worker import Measured

NUMBER = 1_000
LARGEST_RATIO = 1.5
MOST_MEGABYTES = 200.0
LIMIT_SECONDS = 300.0
HEALTHY = "healthy"


def scoring_round(folder: Path) -> Outcome:
    """Check 1,000 services, 100 of them over TLS, in three rounds, and in one with one that hangs."""
    with module("benchmarks.scoring_servers", str(folder), str(NUMBER), folder=folder) as servers:
        servers.wait_until((folder / SERVICES).exists)
        measured = _run_worker(folder)
        served_by = _cost(servers)
    alone = median(measured.alone)
    return Outcome(
        title="scoring_round",
        columns=("", "seconds", "ratio", "bound"),
        rows=[
            ("the slowest service by itself", f"{alone:.2f}", "1", ""),
            *(
                (f"round of {NUMBER:,}", f"{each:.2f}", f"{each / alone:.2f}", str(LARGEST_RATIO))
                for each in measured.rounds
            ),
            _hanging_row(measured, alone),
        ],
        notes=_notes(measured, served_by),
        missed=_missed(measured, alone),
    )


def _run_worker(folder: Path) -> Measured:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scoring_worker", str(folder)],
        env={**os.environ, "SSL_CERT_FILE": str(folder / CA)},
        stdout=subprocess.PIPE,
        timeout=LIMIT_SECONDS,
        check=True,
    )
    return Measured(**json.loads(done.stdout))


def _hanging_row(measured: Measured, alone: float) -> tuple[str, ...]:
    seconds = measured.beside_a_hanging_one
    name = "the last of them, beside one that hangs"
    return name, f"{seconds:.2f}", f"{seconds / alone:.2f}", str(LARGEST_RATIO)


def _notes(measured: Measured, served_by: str) -> list[str]:
    tls = NUMBER // TLS_EVERY
    above = measured.peak_megabytes - measured.idle_megabytes
    kinds = f"{NUMBER - tls} over plain HTTP, {tls} over TLS, each at an address of its own"
    answers = f"golden answers take {FASTEST_SECONDS:g} to {SLOWEST_SECONDS:g} s"
    peak = f"{measured.peak_megabytes:.0f} MB at its peak, {above:.0f} MB more"
    verdicts = ", ".join(f"{count} x {word}" for word, count in measured.verdicts.items())
    return [
        f"{kinds}; {answers}, cheap routes no time",
        f"memory: idle worker {measured.idle_megabytes:.0f} MB, {peak} (bound {MOST_MEGABYTES:g})",
        f"CPU: {measured.cpu_seconds:.2f} s for a round; {served_by}",
        f"verdicts of {len(measured.rounds)} rounds: {verdicts}",
        f"the one that hangs: two probes of {TIMEOUT_SECONDS:g} s each: {measured.hanging}",
        f"load average: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors",
    ]


def _cost(servers: Program) -> str:
    return f"servers, for all rounds: {servers.cpu_seconds:.2f} s"


def _missed(measured: Measured, alone: float) -> list[str]:
    missed = []
    ratios = {
        "the median round": median(measured.rounds) / alone,
        "the round beside one that hangs": measured.beside_a_hanging_one / alone,
    }
    for name, ratio in ratios.items():
        if ratio > LARGEST_RATIO:
            missed.append(f"{name}: ratio {ratio:.2f} is over {LARGEST_RATIO}")
    above = measured.peak_megabytes - measured.idle_megabytes
    if above > MOST_MEGABYTES:
        missed.append(f"{above:.0f} MB above an idle worker is over {MOST_MEGABYTES:g}")
    if measured.verdicts.keys() != {HEALTHY}:
        missed.append(f"not all were healthy: {dict(measured.verdicts)}")
    return missed
