"""Spread one run over several worker processes: where more of them bring more, and where nothing.

First many small subscriptions. A worker may have 16 requests in flight, so that the latency of Resource
Manager binds and not this machine's processor; beside it a client without manners, for what the emulator
itself carries. Then few large subscriptions, where Azure's buckets bind: one worker is as fast as they
allow, and more add nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.load import ACCEPTED
from benchmarks.outcome import Outcome
from benchmarks.pacing import (
    ANSWERS_IN_SERIES,
    LARGEST_RATIO,
    LATENCY_SECONDS,
    SILENT,
    TIME_SCALE,
    Fleet,
)
from benchmarks.push import Pushed, push
from benchmarks.workers import Cost, Spread, spread

IN_FLIGHT = 16
# Stops at once of the bare client, as one worker, as four, and as many as the emulator bears; and
# which part of the estate each of them stops.
BARE = {IN_FLIGHT: 0.05, 4 * IN_FLIGHT: 0.2, 1024: 0.75}
SETTINGS = {**SILENT, "RUN_DEADLINE_SECONDS": "270"}
# What twice the workers must bring: on two cores four workers, emulator and Azurite share them.
LEAST_GROWTH = 1.25
COST_COLUMNS = ("app CPU", "emulator CPU", "Azurite CPU", "load before")
LATENCY_COLUMNS = ("who, in flight", "stops/s", "to one", "requests/s", "last 202", "throttles")
BUCKET_COLUMNS = ("who", "last 202", "bound", "ratio", "stops/s", "throttles")
COST_NOTE = "CPU: s (of one core); app: all workers, or the bare client; no Application Insights"
LARGE = Fleet(subscriptions=4, workspaces=1, instances=500)


@dataclass(frozen=True, kw_only=True)
class ScaleOut:
    """How much is measured. `workers` ascend; the first is what the others are compared with."""

    subscriptions: int = 200
    workers: tuple[int, ...] = (1, 2, 4)
    latency_seconds: float = 0.2

    def latency_binds(self, folder: Path) -> Outcome:
        """Stop 50 instances in each of 200 subscriptions through the queue: latency binds."""
        fleet = Fleet(subscriptions=self.subscriptions, workspaces=5, instances=10)
        options = _options(fleet, self.latency_seconds)
        pushed = push(folder, options, parts=BARE)
        capped = {"ARM_MAX_IN_FLIGHT": str(IN_FLIGHT)}
        nights = [_night(options, capped, n, self.latency_seconds) for n in self.workers]
        return Outcome(
            title=f"scale_out: {fleet.total} instances in {fleet.subscriptions} subscriptions",
            columns=(*LATENCY_COLUMNS, *COST_COLUMNS),
            rows=[*map(_pushed_row, pushed), *(_latency_row(each, nights[0]) for each in nights)],
            notes=[
                f"s; a worker has at most {IN_FLIGHT} requests in flight (ARM_MAX_IN_FLIGHT)",
                COST_NOTE,
                nights[0].command,
            ],
            missed=[p for night in nights for p in _problems(fleet, night)] + _growth(nights),
        )

    def buckets_bind(self, _: Path) -> Outcome:
        """Stop 500 instances in each of 4 subscriptions through the queue: the buckets bind."""
        options = _options(LARGE, LATENCY_SECONDS)
        counts = dict.fromkeys((self.workers[0], self.workers[-1]))
        nights = [_night(options, {}, count, LATENCY_SECONDS) for count in counts]
        arithmetic = f"bound = (500 - 200) / 10 + {ANSWERS_IN_SERIES} x {LATENCY_SECONDS} s"
        return Outcome(
            title=f"scale_out: {LARGE.total} instances in {LARGE.subscriptions} subscriptions",
            columns=(*BUCKET_COLUMNS, *COST_COLUMNS),
            rows=[_bucket_row(night) for night in nights],
            notes=[f"s; {arithmetic}", COST_NOTE, nights[0].command],
            missed=[p for night in nights for p in _bucket_problems(night)],
        )


def _options(fleet: Fleet, latency_seconds: float) -> Sequence[str]:
    latency = f"{latency_seconds * 1000:.0f}"
    scale = ("--time-scale", str(TIME_SCALE))
    return ("--fleet", fleet.option, "--latency-ms", latency, *scale)


def _night(
    options: Sequence[str], settings: Mapping[str, str], workers: int, latency_seconds: float
) -> Spread:
    settings = {**SETTINGS, **settings}
    return spread(options, settings, workers=workers, latency_seconds=latency_seconds)


def _pushed_row(pushed: Pushed) -> Sequence[str]:
    load = pushed.load
    accepted = load.answers[ACCEPTED]
    return (
        f"bare client, {pushed.at_once}",
        f"{accepted / load.seconds:.0f}",
        "",
        f"{load.per_second:.0f}",
        f"{load.seconds:.1f}",
        str(load.answers.total() - accepted),
        *_costs(pushed.cost, pushed.load_before),
    )


def _latency_row(spread: Spread, first: Spread) -> Sequence[str]:
    return (
        f"{_workers(spread)}, {spread.workers} x {IN_FLIGHT}",
        f"{spread.stops_per_second:.0f}",
        f"{spread.stops_per_second / first.stops_per_second:.2f}",
        f"{spread.night.requests_per_second:.0f}",
        f"{spread.night.last_accepted:.1f}",
        str(spread.night.throttles_caused),
        *_costs(spread.cost, spread.load_before),
    )


def _bucket_row(spread: Spread) -> Sequence[str]:
    return (
        _workers(spread),
        f"{spread.night.last_accepted:.2f}",
        f"{LARGE.bound_seconds:.2f}",
        f"{_ratio(spread):.3f}",
        f"{spread.stops_per_second:.0f}",
        str(spread.night.throttles_caused),
        *_costs(spread.cost, spread.load_before),
    )


def _costs(cost: Cost, load_before: float) -> Sequence[str]:
    spent = (cost.app, cost.emulator, cost.azurite)
    return (*(f"{each:.1f} ({each / cost.seconds:.0%})" for each in spent), f"{load_before:.1f}")


def _workers(spread: Spread) -> str:
    return f"{spread.workers} worker" + ("s" if spread.workers > 1 else "")


def _ratio(spread: Spread) -> float:
    return spread.night.last_accepted / LARGE.bound_seconds


def _growth(nights: Sequence[Spread]) -> list[str]:
    return [
        f"{_workers(more)}: {more.stops_per_second:.0f} stops/s is less than {LEAST_GROWTH} times "
        f"the {fewer.stops_per_second:.0f} of {_workers(fewer)}"
        for fewer, more in pairwise(nights)
        if more.stops_per_second < LEAST_GROWTH * fewer.stops_per_second
    ]


def _bucket_problems(spread: Spread) -> Sequence[str]:
    late = f"{_workers(spread)}: ratio {_ratio(spread):.3f} is over {LARGEST_RATIO}"
    return [*_problems(LARGE, spread), *([late] if _ratio(spread) > LARGEST_RATIO else [])]


def _problems(fleet: Fleet, spread: Spread) -> Sequence[str]:
    who, caused = _workers(spread), spread.night.throttles_caused
    problems = [
        (caused > 0, f"{who}: {caused} requests were throttled"),
        (spread.stopped != fleet.total, f"{who}: {spread.stopped} of {fleet.total} are stopped"),
        (spread.status != "succeeded", f"{who}: the timer's invocation {spread.status}"),
    ]
    return [sentence for is_missed, sentence in problems if is_missed]
