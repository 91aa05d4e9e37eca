"""What a run saw of the estate, in short: for whoever watches, also of ticks that leave no run.

Bounded, so that it fits into a note: of what still runs and of what failed at most MOST are named,
and all are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.compute.instance import InstanceState
from shared.compute.policy import Reason
from shared.compute.report import (
    FAILED_OUTCOMES,
    UNRESOLVED_OUTCOMES,
    Counts,
    InstanceReport,
    Outcome,
    Result,
    RunReport,
    Saving,
    WorkspaceReport,
)
from shared.shortening import shortened

MOST: Final = 100
MOST_CHARACTERS: Final = 400
# What costs nothing any more, or soon will not be there.
_OFF: Final = frozenset(
    {
        InstanceState.STOPPED,
        InstanceState.STOPPING,
        InstanceState.DELETING,
        InstanceState.CREATE_FAILED,
    }
)

T = TypeVar("T")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class StillOn(_Frozen):
    """A machine that was left as it was, and is on: `reason_text` says why, to its owner."""

    id: str
    name: str
    owner: str
    state: str | None
    reason: Reason
    reason_text: str
    price_per_hour: float | None


class Failed(_Frozen):
    """A machine that did not come to its good end; `detail` is in Azure's words where it has any."""

    id: str
    name: str
    owner: str
    outcome: Outcome
    detail: str


class Unread(_Frozen):
    """A workspace or subscription with an error."""

    id: str
    error: str


class Sighting(_Frozen):
    """What one run saw. The mappings count all, by reason or outcome; the sequences are bounded."""

    run_id: str
    started_at: datetime
    ended_at: datetime
    result: Result
    counts: Counts
    saved: Saving
    still_on: tuple[StillOn, ...]
    still_on_by_reason: Mapping[Reason, int]
    failed: tuple[Failed, ...]
    failed_by_outcome: Mapping[Outcome, int]
    unread: tuple[Unread, ...]
    unread_count: int


def sight(report: RunReport) -> Sighting:
    """Return a report in short."""
    on = [each for each in report.instances if _is_still_on(each)]
    failed = [each for each in report.instances if _has_failed(each)]
    unread = [each for each in report.workspaces if each.error]
    return Sighting(
        **{name: getattr(report, name) for name in _HEAD},
        still_on=_first(map(_still_on, _dearest_first(on))),
        still_on_by_reason=Counter(each.reason for each in on),
        failed=_first(map(_failed, failed)),
        failed_by_outcome=Counter(each.outcome for each in failed),
        unread=_first(map(_unread, unread)),
        unread_count=len(unread),
    )


_HEAD: Final = ("run_id", "started_at", "ended_at", "result", "counts", "saved")


def _is_still_on(instance: InstanceReport) -> bool:
    return instance.outcome is Outcome.LEFT and instance.state_after not in _OFF


def _has_failed(instance: InstanceReport) -> bool:
    return instance.outcome in FAILED_OUTCOMES | UNRESOLVED_OUTCOMES


def _dearest_first(instances: Sequence[InstanceReport]) -> Sequence[InstanceReport]:
    return sorted(instances, key=lambda each: (-(each.price_per_hour or 0), each.name))


def _still_on(instance: InstanceReport) -> StillOn:
    return StillOn(
        id=instance.id,
        name=instance.name,
        owner=instance.owner,
        state=instance.state_after,
        reason=instance.reason,
        reason_text=shortened(instance.reason_text, MOST_CHARACTERS),
        price_per_hour=instance.price_per_hour,
    )


def _failed(instance: InstanceReport) -> Failed:
    return Failed(
        id=instance.id,
        name=instance.name,
        owner=instance.owner,
        outcome=instance.outcome,
        detail=shortened(instance.detail or instance.reason_text, MOST_CHARACTERS),
    )


def _unread(scope: WorkspaceReport) -> Unread:
    return Unread(id=scope.id, error=shortened(scope.error or "", MOST_CHARACTERS))


def _first(found: Iterable[T]) -> tuple[T, ...]:
    return tuple(found)[:MOST]
