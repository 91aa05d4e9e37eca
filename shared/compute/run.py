"""What the parts of one run share: its port to Azure, its rules, its deadline and its ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from shared.compute.azure import MachineLearning
from shared.compute.ledger import Ledger
from shared.compute.watch import Patience
from shared.telemetry import Telemetry

T = TypeVar("T")
Now = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What operators may set.

    `poll`: between two lists of a workspace whose instances are still on their way.
    `last_look`: how long the looks after the deadline may take.
    """

    stop_job_running: bool = False
    poll: timedelta = timedelta(seconds=5)
    last_look: timedelta = timedelta(seconds=10)
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run in progress."""

    azure: MachineLearning
    telemetry: Telemetry
    now: Now
    rules: Rules
    deadline: datetime
    ledger: Ledger

    @property
    def final_deadline(self) -> datetime:
        """When the looks after the deadline have to be over, too."""
        return self.deadline + self.rules.last_look


async def side_by_side(work: Iterable[Awaitable[T]]) -> list[T]:
    """Await all of it, and only then raise what one of it raised: one failure spares the rest."""
    results: list[T] = []
    for ended in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended
        results.append(ended)
    return results
