"""What the parts of one run share: its port to Azure, its rules, its deadline and its ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from shared.compute.azure import MachineLearning
from shared.compute.cluster_care import ClusterCare
from shared.compute.exemptions import RunExemptions
from shared.compute.history import Claim, StopClaims
from shared.compute.instance import Compute, Workspace
from shared.compute.lane import Lane
from shared.compute.ledger import Ledger
from shared.compute.own_stops import OwnStops
from shared.compute.patience import Patience
from shared.compute.policy import Verdict, decide
from shared.compute.report import Trigger
from shared.compute.rulebook import NO_WINDOWS, Allowances, Rulebook
from shared.compute.schedule import Schedule
from shared.telemetry import Telemetry

T = TypeVar("T")
Now = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What operators may set.

    `default_schedule`: when machines may be up whose owners say nothing. `allowances`: what they
    get outside their windows. `cluster_off_hours`: scale clusters to no
    node outside their windows. `keep_history`: how long runs and claims are kept. `poll`: between two lists of a workspace whose instances are still on
    their way. `last_look`: how long the looks after the deadline may take.
    """

    default_schedule: Schedule = NO_WINDOWS
    allowances: Allowances = field(default_factory=Allowances)
    poll: timedelta = timedelta(seconds=5)
    last_look: timedelta = timedelta(seconds=10)
    patience: Patience = field(default_factory=Patience)
    cluster_off_hours: bool = False
    keep_history: timedelta = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What starts a run.

    `time_limit` replaces the order's `deadline_seconds`. `past_due` and `scheduled_at` are a
    timer's. `planned_for`: the moment that a plan is made for, if not for now.
    """

    trigger: Trigger
    time_limit: timedelta | None = None
    past_due: bool | None = None
    scheduled_at: datetime | None = None
    planned_for: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run in progress, or a share of one.

    `comes_back`: the platform tries again what raises, so that a sign-in that fails does; else it
    reads as a part of the estate that could not be read. `claimed`: the stops that a lost worker of the
    run may have asked for, by lower-cased instance id. `own_stops`: what this process asked for.
    """

    azure: MachineLearning
    telemetry: Telemetry
    now: Now
    rules: Rules
    deadline: datetime
    ledger: Ledger
    book: Rulebook
    occasion: Occasion
    care: ClusterCare | None = None
    claims: StopClaims | None = None
    exemptions: RunExemptions | None = None
    own_stops: OwnStops = field(default_factory=OwnStops)
    homes: dict[str, Workspace] = field(default_factory=dict)
    claimed: dict[str, Claim] = field(default_factory=dict)
    mishaps: set[tuple[str, str]] = field(default_factory=set)
    comes_back: bool = False
    _lanes: dict[str, Lane] = field(init=False, default_factory=dict)

    def lane(self, subscription_id: str) -> Lane:
        """Where the stops of a subscription queue up: each has a write bucket of its own."""
        return self._lanes.setdefault(subscription_id.lower(), Lane())

    def at_home(self, compute: Compute) -> Compute:
        """Give a compute the workspace that its id names: a project lists its hub's computes, too."""
        home = self.homes.get(compute.key.partition("/computes/")[0])
        if home is None or home == compute.workspace:
            return compute
        return replace(compute, workspace=home)

    def judge(self, compute: Compute, seen_at: datetime) -> Verdict:
        """Decide by the rules of the run, at the moment a plan is for, else as it is seen."""
        return decide(compute, book=self.book, at=self.decides_at(seen_at))

    def decides_at(self, seen_at: datetime) -> datetime:
        """Return the moment that decisions are made for."""
        occasion = self.occasion
        # A timer may fire early: a tick decides as of its scheduled time at the earliest.
        return occasion.planned_for or max(seen_at, occasion.scheduled_at or seen_at)

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
