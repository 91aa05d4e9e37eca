"""`python -m benchmarks [name]`: measure, print tables; exit status 1 if a bound was missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.imports import imports
from benchmarks.load import burst, capacity
from benchmarks.outcome import Outcome
from benchmarks.pacing import pacing, telemetry

BENCHMARKS: Mapping[str, Callable[[Path], Outcome]] = {
    "imports": imports,
    "emulator": capacity,
    "burst": burst,
    "pacing": pacing,
    "telemetry": telemetry,
}
# Compares, has no bound of its own and takes four minutes: only when it is asked for.
ON_DEMAND = frozenset({"telemetry"})
COLUMNS_WITHOUT_TERMINAL = 130


def main() -> int:
    """Run one benchmark, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHMARKS), help="default: all")
    name = parser.parse_args().name
    names = [name] if name else [each for each in BENCHMARKS if each not in ON_DEMAND]
    console = Console(width=None if sys.stdout.isatty() else COLUMNS_WITHOUT_TERMINAL)
    missed = [problem for each in names for problem in _measure(each, console)]
    return 1 if missed else 0


def _measure(name: str, console: Console) -> list[str]:
    benchmark = BENCHMARKS[name]
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
