"""Measure, print tables; exit status 1 if a bound was missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.imports import imports
from benchmarks.load import burst, capacity
from benchmarks.outcome import Outcome
from benchmarks.pacing import pacing, telemetry
from benchmarks.scale_out import ScaleOut
from benchmarks.scoring_round import scoring_round

Benchmark = Callable[[Path], Outcome]
SCALE_OUT = ScaleOut()
# Compares, has no bound of its own and takes four minutes: only when it is asked for.
ON_DEMAND = frozenset({"telemetry"})
COLUMNS_WITHOUT_TERMINAL = 130


def main() -> int:
    """Run one benchmark, or all."""
    arguments = _parse_arguments()
    benchmarks = _benchmarks(ScaleOut(subscriptions=arguments.subscriptions))
    chosen = [arguments.name] if arguments.name else [n for n in benchmarks if n not in ON_DEMAND]
    console = Console(width=None if sys.stdout.isatty() else COLUMNS_WITHOUT_TERMINAL)
    parts = [(name, part) for name in chosen for part in benchmarks[name]]
    missed = [problem for name, part in parts for problem in _measure(name, part, console)]
    return 1 if missed else 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = sorted(_benchmarks(SCALE_OUT))
    parser.add_argument("name", nargs="?", choices=names, help="default: all")
    parser.add_argument(
        "--subscriptions",
        type=int,
        default=SCALE_OUT.subscriptions,
        help="of scale_out's first estate; fewer where time is short (default: %(default)s)",
    )
    return parser.parse_args()


def _benchmarks(scale_out: ScaleOut) -> Mapping[str, Sequence[Benchmark]]:
    return {
        "imports": [imports],
        "emulator": [capacity],
        "burst": [burst],
        "pacing": [pacing],
        "scale_out": [scale_out.latency_binds, scale_out.buckets_bind],
        "scoring_round": [scoring_round],
        "telemetry": [telemetry],
    }


def _measure(name: str, benchmark: Benchmark, console: Console) -> list[str]:
    console.print(f"{name}: {benchmark.__doc__}", style="dim", highlight=False)
    with TemporaryDirectory(prefix="benchmark-") as folder:
        outcome = benchmark(Path(folder))
    _show(outcome, console)
    return list(outcome.missed)


def _show(outcome: Outcome, console: Console) -> None:
    table = Table(box=SIMPLE, title=outcome.title, title_justify="left", pad_edge=False)
    for index, column in enumerate(outcome.columns):
        table.add_column(column, justify="right" if index else "left")
    for row in outcome.rows:
        table.add_row(*row)
    console.print(table)
    for note in outcome.notes:
        console.print(note, style="dim", highlight=False, soft_wrap=True)
    for problem in outcome.missed:
        console.print(f"[red]missed:[/] {problem}")
    console.print()


if __name__ == "__main__":
    sys.exit(main())
