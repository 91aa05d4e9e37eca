"""A run's report: one frozen model that the HTTP answer, the telemetry and `make run` show."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain

from pydantic import BaseModel, ConfigDict

from shared.compute.guardrails import Finding
from shared.compute.policy import Decision, Reason


class Trigger(StrEnum):
    """What started the run."""

    TIMER = "timer"
    HTTP = "http"
    QUEUE = "queue"


class Result(StrEnum):
    """How the whole run ended; anything but SUCCEEDED needs somebody's attention."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"


class WorkspaceResult(StrEnum):
    """Whether a workspace (or subscription) could be read."""

    READ = "read"
    UNREADABLE = "unreadable"


class Outcome(StrEnum):
    """What was seen in the end, never what was attempted."""

    PLANNED = "planned"
    LEFT = "left"
    ALREADY_STOPPED = "already_stopped"
    STOPPED = "stopped"
    REFUSED = "refused"
    STOP_FAILED = "stop_failed"
    STILL_STOPPING = "still_stopping"
    STARTED_AGAIN = "started_again"
    UNRESOLVED = "unresolved"
    UNKNOWN = "unknown"


FAILED_OUTCOMES = frozenset({Outcome.REFUSED, Outcome.STOP_FAILED})
SAVING_OUTCOMES = frozenset({Outcome.STOPPED, Outcome.PLANNED})
UNRESOLVED_OUTCOMES = frozenset(
    {Outcome.STILL_STOPPING, Outcome.STARTED_AGAIN, Outcome.UNRESOLVED, Outcome.UNKNOWN}
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class InstanceReport(_Frozen):
    """One compute instance.

    `seconds` runs from the stop request to the list that showed the instance off; it and
    `state_after` come from the last list, read at `seen_at`. `price_per_hour` is in the currency
    of `RunReport.saved`, None where Azure gives no price.
    """

    id: str
    name: str
    owner: str
    vm_size: str
    price_per_hour: float | None
    state_before: str | None
    state_after: str | None
    decision: Decision
    reason: Reason
    reason_text: str
    outcome: Outcome
    detail: str
    seconds: float | None
    seen_at: datetime


class WorkspaceReport(_Frozen):
    """A workspace, or a subscription whose workspaces could not be listed.

    One that was read has an `error` where a cluster of it could not be tended.
    """

    id: str
    result: WorkspaceResult
    error: str | None


class Counts(_Frozen):
    """Instances by how they ended; `other_computes` are kinds that cannot be stopped."""

    seen: int
    stopped: int
    left: int
    failed: int
    unresolved: int
    planned: int
    other_computes: int


class Saving(_Frozen):
    """What the stopped (in a dry run: planned) instances cost per hour, as far as prices are known."""

    amount: float
    currency: str
    per: str = "hour"


class RunReport(_Frozen):
    """Everything a run saw, decided and did. Times are UTC."""

    run_id: str
    trigger: Trigger
    dry_run: bool
    reason: str
    started_at: datetime
    ended_at: datetime
    result: Result
    counts: Counts
    saved: Saving
    workspaces: tuple[WorkspaceReport, ...]
    instances: tuple[InstanceReport, ...]

    @property
    def summary(self) -> str:
        """One sentence for a log, an alert or a failed invocation."""
        counts = self.counts
        unreadable = sum(w.result is WorkspaceResult.UNREADABLE for w in self.workspaces)
        return (
            f"run {self.run_id} {self.result}: {counts.seen} instances seen, "
            f"{counts.stopped} stopped, {counts.left} left, {counts.failed} failed, "
            f"{counts.unresolved} unresolved, {unreadable} workspaces unreadable"
        )


class Findings(_Frozen):
    """What one share of a run found: the part of a report that storage keeps until all are in.

    `busy`: it had something to do or to say; a tick in which no share had leaves only a metric.
    """

    workspaces: tuple[WorkspaceReport, ...]
    instances: tuple[InstanceReport, ...]
    other_computes: int
    currency: str = ""
    retryable: bool = False
    empty_subscriptions: int = 0
    busy: bool = True
    guardrails: tuple[Finding, ...] | None = None


class RunHead(_Frozen):
    """What is known of a run before anything was looked at."""

    run_id: str
    trigger: Trigger
    dry_run: bool
    reason: str
    started_at: datetime


class PlanReport(RunReport):
    """A plan by the book: the report, and what is wrong with Azure's own guard rails."""

    guardrails: tuple[Finding, ...]


def compile_report(head: RunHead, findings: Sequence[Findings], *, ended_at: datetime) -> RunReport:
    """Put the shares of a run together. A compute that two shares saw is reported once."""
    instances: dict[str, InstanceReport] = {}
    for found in findings:
        homes = {scope.id.lower() for scope in found.workspaces}
        # A project lists its hub's computes, too: the hub's share knows more of them.
        at_home = {i.id.lower(): i for i in found.instances if _home(i) in homes}
        instances = {i.id.lower(): i for i in found.instances} | instances | at_home
    workspaces = {w.id.lower(): w for found in findings for w in found.workspaces}
    listed, scopes = tuple(instances.values()), tuple(workspaces.values())
    currency = next((found.currency for found in findings if found.currency), "")
    report = RunReport(
        **dict(head),
        ended_at=ended_at,
        result=_judge(listed, scopes, empty=sum(each.empty_subscriptions for each in findings)),
        counts=_count(listed, other_computes=sum(found.other_computes for found in findings)),
        saved=_saving(listed, currency=currency),
        workspaces=scopes,
        instances=listed,
    )
    audits = [found.guardrails for found in findings if found.guardrails is not None]
    if not audits:
        return report
    return PlanReport(**dict(report), guardrails=tuple(chain.from_iterable(audits)))


def _home(instance: InstanceReport) -> str:
    return instance.id.lower().partition("/computes/")[0]


def _count(instances: Sequence[InstanceReport], *, other_computes: int) -> Counts:
    # An instance that was stopping before the run came counts as left: the run did nothing for it.
    by = Counter(instance.outcome for instance in instances)
    return Counts(
        seen=len(instances),
        stopped=by[Outcome.STOPPED],
        left=by[Outcome.LEFT] + by[Outcome.ALREADY_STOPPED],
        failed=sum(by[outcome] for outcome in FAILED_OUTCOMES),
        unresolved=sum(by[outcome] for outcome in UNRESOLVED_OUTCOMES),
        planned=by[Outcome.PLANNED],
        other_computes=other_computes,
    )


def _judge(
    instances: Sequence[InstanceReport], workspaces: Sequence[WorkspaceReport], *, empty: int
) -> Result:
    """Succeeded only if everything was read and every instance came to its good end.

    A subscription that was read and is `empty` was enumerated: beside it, nothing is a failed run.
    """
    unreadable = [w for w in workspaces if w.result is WorkspaceResult.UNREADABLE]
    troubled = any(w.error for w in workspaces)
    if unreadable and len(unreadable) == len(workspaces) and not empty:
        return Result.FAILED
    bad = FAILED_OUTCOMES | UNRESOLVED_OUTCOMES
    if troubled or any(instance.outcome in bad for instance in instances):
        return Result.PARTIAL
    return Result.SUCCEEDED


def _saving(instances: Sequence[InstanceReport], *, currency: str) -> Saving:
    # Not what a plan only looks at again: it may stop, or stay up, without the run.
    by_us = [i for i in instances if i.outcome is Outcome.STOPPED or i.decision is Decision.STOP]
    spared = [i.price_per_hour or 0 for i in by_us if i.outcome in SAVING_OUTCOMES]
    return Saving(amount=round(sum(spared), 4), currency=currency or "USD")
