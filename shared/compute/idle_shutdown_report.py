"""What became of setting idle times: one entry for each instance, by what a list showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.compute.idle_shutdown_order import IdleShutdownOrder
from shared.compute.instance import Compute
from shared.compute.native_settings import parse_duration
from shared.compute.report import Result, WorkspaceReport


class IdleShutdownOutcome(StrEnum):
    """What was seen in the end, never what was attempted."""

    PLANNED = "planned"
    ALREADY_SET = "already_set"
    SET = "set"
    REFUSED = "refused"
    UNRESOLVED = "unresolved"


GOOD_OUTCOMES = frozenset(
    {IdleShutdownOutcome.PLANNED, IdleShutdownOutcome.ALREADY_SET, IdleShutdownOutcome.SET}
)


@dataclass(kw_only=True)
class Setting:
    """One instance on its way to another idle time. `seen`: the idle time of the last list."""

    compute: Compute
    wanted: timedelta
    seen_at: datetime
    detail: str = ""
    refused: bool = False
    planned: bool = False

    def __post_init__(self) -> None:
        self.seen = self.compute.guard_rails.idle_time
        self._was_set = self._is_set

    @property
    def is_awaited(self) -> bool:
        """Whether it is still to be asked for, or looked for."""
        return not (self.refused or self.planned or self._is_set)

    @property
    def outcome(self) -> IdleShutdownOutcome:
        """What became of it, by what was seen last."""
        if self._was_set:
            return IdleShutdownOutcome.ALREADY_SET
        if self.planned:
            return IdleShutdownOutcome.PLANNED
        if self._is_set:
            return IdleShutdownOutcome.SET
        return IdleShutdownOutcome.REFUSED if self.refused else IdleShutdownOutcome.UNRESOLVED

    def plan(self) -> None:
        """Leave it as it is: it is only planned."""
        self.planned = True

    def failed(self, detail: str, *, for_good: bool) -> None:
        """Learn that the request failed; unless for good, it may have come through."""
        self.detail = detail
        self.refused = for_good

    def look(self, compute: Compute, *, seen_at: datetime) -> None:
        """Learn what a later list showed."""
        self.seen = compute.guard_rails.idle_time
        self.seen_at = seen_at

    @property
    def _is_set(self) -> bool:
        return parse_duration(self.seen) == self.wanted


class IdleShutdownEntry(BaseModel):
    """One instance. Idle times are ISO 8601 durations as Azure writes them, None without one."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    owner: str
    idle_time_before: str | None
    idle_time_after: str | None
    outcome: IdleShutdownOutcome
    detail: str
    seen_at: datetime


class IdleShutdownReport(BaseModel):
    """The answer to an order; `result` is partial if one of them is refused or unresolved.

    `workspaces`: those (or subscriptions) with named instances that could not be read, and those
    that were read and about which this app made a mistake.
    """

    model_config = ConfigDict(frozen=True)

    dry_run: bool
    reason: str
    idle_minutes: int
    result: Result
    workspaces: tuple[WorkspaceReport, ...]
    instances: tuple[IdleShutdownEntry, ...]


def compile_idle_report(
    order: IdleShutdownOrder, settings: Sequence[Setting], *, troubled: Sequence[WorkspaceReport]
) -> IdleShutdownReport:
    """Put together what became of each instance. `troubled`: what is no instance and went wrong."""
    good = not troubled and all(each.outcome in GOOD_OUTCOMES for each in settings)
    return IdleShutdownReport(
        dry_run=order.dry_run,
        reason=order.reason,
        idle_minutes=order.idle_minutes,
        result=Result.SUCCEEDED if good else Result.PARTIAL,
        workspaces=tuple(troubled),
        instances=tuple(_entry(each) for each in settings),
    )


def _entry(setting: Setting) -> IdleShutdownEntry:
    return IdleShutdownEntry(
        id=setting.compute.id,
        name=setting.compute.name,
        owner=setting.compute.owner,
        idle_time_before=setting.compute.guard_rails.idle_time or None,
        idle_time_after=setting.seen or None,
        outcome=setting.outcome,
        detail=setting.detail,
        seen_at=setting.seen_at,
    )
