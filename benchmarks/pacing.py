"""Stop whole fleets under Azure's documented buckets: as fast as they allow, and never over.

The bound is what the buckets and the latency leave to anybody. A subscription's bucket is full,
and gains nothing, until the first stop arrives; by then three answers were waited for
(subscriptions, workspaces, computes). The last of n stops finds its token (n - burst) / rate
later, and its own answer takes one latency more:

    bound = (n per subscription - 200) / 10 per second + 4 latencies
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.outcome import Outcome
from benchmarks.programs import emulator
from benchmarks.request_log import Night, list_computes, read_night
from benchmarks.timer import TimerRun, fire

LATENCY_SECONDS = 0.15
BURST = 200
STOPS_PER_SECOND = 10
ANSWERS_IN_SERIES = 4
LARGEST_RATIO = 1.15
# A stop takes 2.7 s instead of Azure's 27 s: what is paced does not change by that.
TIME_SCALE = 0.1
SILENT = {"APPLICATIONINSIGHTS_CONNECTION_STRING": ""}
COLUMNS = (
    "fleet",
    "last 202",
    "bound",
    "ratio",
    "throttles caused",
    "last seen Stopped",
    "ARM requests",
    "app CPU",
    "app peak",
    "emulator CPU",
)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Workspaces per subscription, instances per workspace; all running."""

    subscriptions: int
    workspaces: int
    instances: int

    @property
    def total(self) -> int:
        return self.subscriptions * self.workspaces * self.instances

    @property
    def bound_seconds(self) -> float:
        """From the arrival of the first ARM request until the last 202 has left."""
        waiting = max(self.workspaces * self.instances - BURST, 0)
        return waiting / STOPS_PER_SECOND + ANSWERS_IN_SERIES * LATENCY_SECONDS

    @property
    def option(self) -> str:
        return (
            f"subscriptions={self.subscriptions},workspaces={self.workspaces},"
            f"instances={self.instances}"
        )


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One night of one fleet."""

    night: Night
    run: TimerRun
    stopped: int
    emulator_cpu_seconds: float
    command: str


THOUSAND = Fleet(subscriptions=4, workspaces=10, instances=25)
TEN_THOUSAND = Fleet(subscriptions=10, workspaces=10, instances=100)


def pacing(folder: Path) -> Outcome:
    """1,000 instances in 4 subscriptions (three nights), and 10,000 in 10 (one night)."""
    nights = [(THOUSAND, 3), (TEN_THOUSAND, 1)]
    return _compare("pacing", [(fleet, "", _watch(fleet, n, folder)) for fleet, n in nights])


def telemetry(folder: Path) -> Outcome:
    """The same fleets with and without Application Insights, for what telemetry costs."""
    watched = []
    for fleet in (THOUSAND, TEN_THOUSAND):
        watched.append((fleet, "", _watch(fleet, 1, folder)))
        watched.append((fleet, ", silent", [_measure(fleet, folder, silent=True)]))
    return _compare("telemetry", watched)


def _watch(fleet: Fleet, nights: int, folder: Path) -> Sequence[Measured]:
    return [_measure(fleet, folder, silent=False) for _ in range(nights)]


def _measure(fleet: Fleet, folder: Path, *, silent: bool) -> Measured:
    options = ["--fleet", fleet.option, "--latency-ms", f"{LATENCY_SECONDS * 1000:.0f}"]
    with emulator(folder, [*options, "--time-scale", str(TIME_SCALE)]) as running:
        before = running.program.cpu_seconds
        run = fire(running, folder, SILENT if silent else {})
        spent = running.program.cpu_seconds - before
        return Measured(
            night=read_night(running, latency_seconds=LATENCY_SECONDS),
            run=run,
            stopped=sum(each["state"] == "Stopped" for each in list_computes(running)),
            emulator_cpu_seconds=spent,
            command=running.program.command,
        )


def _compare(title: str, watched: Sequence[tuple[Fleet, str, Sequence[Measured]]]) -> Outcome:
    return Outcome(
        title=title,
        columns=COLUMNS,
        rows=[_row(fleet, note, measured) for fleet, note, measured in watched],
        notes=[
            "medians; s, MB; bound = (n per subscription - 200) / 10 + 4 x 0.15 s",
            *dict.fromkeys(f"{f.total}: {measured[0].command}" for f, _, measured in watched),
            "the timer was fired by POST /admin/functions/shutdown_timer of python -m local_host",
        ],
        missed=[problem for fleet, _, each in watched for problem in _problems(fleet, each)],
    )


def _row(fleet: Fleet, note: str, measured: Sequence[Measured]) -> Sequence[str]:
    nights = [each.night for each in measured]
    return (
        f"{fleet.total}{note}" + (f", {len(nights)} nights" if len(nights) > 1 else ""),
        f"{median(night.last_accepted for night in nights):.2f}",
        f"{fleet.bound_seconds:.2f}",
        f"{_ratio(fleet, measured):.3f}",
        str(sum(night.throttles_caused for night in nights)),
        f"{median(night.last_list for night in nights):.2f}",
        f"{median(night.requests for night in nights):.0f}",
        f"{median(each.run.cpu_seconds for each in measured):.1f}",
        f"{max(each.run.peak_megabytes for each in measured):.0f}",
        f"{median(each.emulator_cpu_seconds for each in measured):.1f}",
    )


def _ratio(fleet: Fleet, measured: Sequence[Measured]) -> float:
    return median(each.night.last_accepted for each in measured) / fleet.bound_seconds


def _problems(fleet: Fleet, measured: Sequence[Measured]) -> Sequence[str]:
    ratio = _ratio(fleet, measured)
    caused = sum(each.night.throttles_caused for each in measured)
    unfinished = [each for each in measured if each.stopped != fleet.total]
    problems = [
        (ratio > LARGEST_RATIO, f"{fleet.total}: ratio {ratio:.3f} is over {LARGEST_RATIO}"),
        (caused > 0, f"{fleet.total}: {caused} requests were throttled"),
        (bool(unfinished), f"{fleet.total}: not every machine was stopped"),
        (
            any(each.run.status != "succeeded" for each in measured),
            f"{fleet.total}: the timer's invocation failed",
        ),
    ]
    return [sentence for is_missed, sentence in problems if is_missed]
