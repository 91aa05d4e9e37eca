"""What indexing the app costs: importing `function_app` beside `azure.functions` alone.

Fresh processes in turns, each with an empty environment, so that what else the machine does
strikes both alike.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.outcome import Outcome

ROUNDS = 21
LARGEST_RATIO = 1.5
APP, FLOOR = "function_app", "azure.functions"
# Only the import itself counts: what an interpreter needs to start would flatter the ratio.
CODE = "import time; b = time.perf_counter(); import {}; print(time.perf_counter() - b)"


def imports(folder: Path) -> Outcome:
    """Import the app in 21 fresh processes, and azure.functions in 21 others, in turns."""
    for module in (APP, FLOOR):
        _seconds(module, folder)  # compiles what was never imported before
    measured = [(_seconds(APP, folder), _seconds(FLOOR, folder)) for _ in range(ROUNDS)]
    app, floor = median(a for a, _ in measured), median(f for _, f in measured)
    ratio = app / floor
    missed = [f"ratio {ratio:.2f} is over {LARGEST_RATIO}"] if ratio > LARGEST_RATIO else []
    return Outcome(
        title="imports",
        columns=("module", "median ms", "least ms", "ratio", "bound"),
        rows=[
            _row(APP, [a for a, _ in measured], f"{ratio:.2f}", str(LARGEST_RATIO)),
            _row(FLOOR, [f for _, f in measured], "1", ""),
        ],
        notes=[f"{ROUNDS} processes each: python -c '{CODE.format(APP)}'"],
        missed=missed,
    )


def _row(module: str, seconds: Sequence[float], ratio: str, bound: str) -> Sequence[str]:
    return module, f"{median(seconds) * 1000:.0f}", f"{min(seconds) * 1000:.0f}", ratio, bound


def _seconds(module: str, folder: Path) -> float:
    # Its own cache of compiled modules: the first round fills it, and nothing else is touched.
    cache = f"pycache_prefix={folder / 'compiled'}"
    command = [sys.executable, "-X", cache, "-c", CODE.format(module)]
    done = subprocess.run(command, env={}, capture_output=True, check=True)
    return float(done.stdout)
