"""What became of one cluster in a tick: its decision, what was seen, and how that is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.compute.cluster_policy import ClusterDecision, ClusterReason, ClusterVerdict
from shared.compute.clusters import ClusterMinimum
from shared.compute.instance import Compute
from shared.compute.native_settings import Cluster, ScaleSettings
from shared.telemetry import Event, Telemetry


class ClusterOutcome(StrEnum):
    """What was seen in the end, never what was attempted."""

    PLANNED = "planned"
    LEFT = "left"
    SCALED_DOWN = "scaled_down"
    RESTORED = "restored"
    FORGOTTEN = "forgotten"
    REFUSED = "refused"
    UNRESOLVED = "unresolved"
    NOT_RECORDED = "not_recorded"


FAILED_CLUSTER_OUTCOMES = frozenset(
    {ClusterOutcome.REFUSED, ClusterOutcome.UNRESOLVED, ClusterOutcome.NOT_RECORDED}
)


class ClusterReport(BaseModel):
    """One cluster. Minimums are minNodeCount; `minimum_after` is what a list showed at `seen_at`."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    vm_size: str
    nodes: int
    minimum_before: int | None
    minimum_after: int | None
    decision: ClusterDecision
    reason: ClusterReason
    reason_text: str
    outcome: ClusterOutcome
    detail: str
    seen_at: datetime


@dataclass(kw_only=True)
class Tended:
    """A cluster on its way through a tick. `minimum`: what the last list showed."""

    compute: Compute
    verdict: ClusterVerdict
    remembered: ClusterMinimum | None
    seen_at: datetime
    outcome: ClusterOutcome | None = None
    detail: str = ""
    refused: bool = False

    def __post_init__(self) -> None:
        self.minimum = self.cluster.scale.minimum if self.compute.cluster else None
        self.nodes = self.cluster.nodes

    @property
    def cluster(self) -> Cluster:
        """The cluster as it was seen first; one whose settings are unknown is never changed."""
        return self.compute.cluster or Cluster(scale=ScaleSettings(minimum=0, maximum=0))

    @property
    def is_open(self) -> bool:
        """Whether it has no outcome yet."""
        return self.outcome is None

    @property
    def is_done(self) -> bool:
        """Whether the last list showed what was decided."""
        forgets = self.verdict.decision is ClusterDecision.FORGET
        return self.is_open and (forgets or self.minimum == self.verdict.minimum)

    @property
    def is_awaited(self) -> bool:
        """Whether another look may show the change."""
        return self.is_open and not self.is_done and not self.refused

    @property
    def outcome_seen(self) -> ClusterOutcome:
        """The outcome by what was seen last."""
        if not self.is_done:
            return ClusterOutcome.REFUSED if self.refused else ClusterOutcome.UNRESOLVED
        return _GOOD_ENDS[self.verdict.decision]

    def look(self, compute: Compute | None, *, seen_at: datetime) -> None:
        """Learn what a later list showed; one that is gone shows nothing."""
        if not self.is_open or self.refused:
            return
        cluster = compute.cluster if compute else None
        self.minimum = cluster.scale.minimum if cluster else None
        self.nodes = cluster.nodes if cluster else 0
        self.seen_at = seen_at

    def close(self, outcome: ClusterOutcome, detail: str = "") -> None:
        """Give it its outcome."""
        self.outcome = outcome
        self.detail = detail or self.detail

    def report(self) -> ClusterReport:
        """Return what became of it."""
        before = self.compute.cluster.scale.minimum if self.compute.cluster else None
        return ClusterReport(
            id=self.compute.id,
            name=self.compute.name,
            vm_size=self.compute.vm_size,
            nodes=self.nodes,
            minimum_before=before,
            minimum_after=self.minimum,
            decision=self.verdict.decision,
            reason=self.verdict.reason,
            reason_text=self.verdict.text,
            outcome=self.outcome or self.outcome_seen,
            detail=self.detail,
            seen_at=self.seen_at,
        )


_GOOD_ENDS = {
    ClusterDecision.SCALE_DOWN: ClusterOutcome.SCALED_DOWN,
    ClusterDecision.RESTORE: ClusterOutcome.RESTORED,
    ClusterDecision.FORGET: ClusterOutcome.FORGOTTEN,
    ClusterDecision.LEAVE: ClusterOutcome.LEFT,
}


def tell_cluster(telemetry: Telemetry, tended: Tended) -> None:
    """Say what became of a cluster that was to change; those left alone leave only their report."""
    report = tended.report()
    if report.outcome is ClusterOutcome.LEFT:
        return
    telemetry.event(
        Event.COMPUTE_CLUSTER_OUTCOME,
        cluster_id=report.id,
        cluster=report.name,
        vm_size=report.vm_size or None,
        minimum_before=report.minimum_before,
        minimum_after=report.minimum_after,
        decision=report.decision,
        reason=report.reason,
        outcome=report.outcome,
        detail=report.detail or None,
    )
