"""A worker that checks services: `python -m benchmarks.scoring_worker FOLDER` prints JSON.

It imports the app as Azure does and is idle; then it checks the slowest service by itself, all services
in rounds of their own, and all of them with one more that never answers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.open_files import allow_most_files
from benchmarks.scoring_servers import Served, read_services
from shared.garbage import collect_rarely

if TYPE_CHECKING:
    from shared.scoring.round_report import Checked, RoundReport

ALONE, ROUNDS = 3, 3
# What an idle worker has loaded, and what it loads when it checks services.
IDLE, BUSY = "function_app", "benchmarks.scoring_checks"
IDLE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a worker measured of itself; times in seconds, memory in megabytes (2 to the 20th)."""

    idle_megabytes: float
    peak_megabytes: float
    cpu_seconds: float
    alone: Sequence[float]
    rounds: Sequence[float]
    verdicts: Mapping[str, int]
    beside_a_hanging_one: float
    hanging: str


async def _measure(folder: Path) -> Measured:
    await asyncio.sleep(IDLE_SECONDS)
    idle = _megabytes("VmRSS")
    # As the app's composition root does.
    collect_rarely()
    check_round: Callable[[Sequence[Served]], Awaitable[RoundReport]]
    check_round = import_module(BUSY).check_round
    *usual, hanging = read_services(folder)
    slowest = max(usual, key=lambda each: each.seconds or 0.0)
    alone = [await check_round([slowest]) for _ in range(ALONE)]
    before = time.process_time()
    rounds = [await check_round(usual) for _ in range(ROUNDS)]
    cpu = (time.process_time() - before) / ROUNDS
    beside = await check_round([*usual, hanging])
    return Measured(
        idle_megabytes=idle,
        peak_megabytes=_megabytes("VmHWM"),
        cpu_seconds=cpu,
        alone=[_seconds(each) for each in alone],
        rounds=[_seconds(each) for each in rounds],
        verdicts=_verdicts(rounds),
        beside_a_hanging_one=_last(beside, but=hanging.name),
        hanging=_named(beside, hanging.name).judgement.text,
    )


def _verdicts(rounds: Sequence[RoundReport]) -> Mapping[str, int]:
    words = [str(each.judgement.verdict) for report in rounds for each in report.services]
    unchecked = ["unchecked" for report in rounds for _ in report.unchecked]
    return dict(Counter([*words, *unchecked]))


def _last(report: RoundReport, *, but: str) -> float:
    """When the last service was judged, after the round began."""
    judged = [each.judgement.at for each in report.services if each.name != but]
    return (max(judged) - report.started_at).total_seconds()


def _seconds(report: RoundReport) -> float:
    return (report.ended_at - report.started_at).total_seconds()


def _named(report: RoundReport, name: str) -> Checked:
    return next(each for each in report.services if each.name == name)


def _megabytes(name: str) -> float:
    status = Path("/proc/self/status").read_text("utf-8")
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    import_module(IDLE)
    allow_most_files()
    print(json.dumps(asdict(asyncio.run(_measure(Path(sys.argv[1]))))))
