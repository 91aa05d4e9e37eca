"""Close a run: put together what its shares found, give it its result, and say so once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.compute import narration
from shared.compute.history import RunHistory, RunRecord, ShareRecord, ShareState
from shared.compute.mishap import caught
from shared.compute.recording import WHOLE, RunSummary, head_of
from shared.compute.report import (
    Findings,
    Result,
    RunReport,
    Trigger,
    WorkspaceReport,
    WorkspaceResult,
    compile_report,
)
from shared.compute.sighting import sight
from shared.notes import COMPUTE_SEEN, Notes, leave
from shared.telemetry import Telemetry, bound

# Looks after the deadline, and clocks that differ.
OVERDUE_AFTER = timedelta(minutes=2)
FINDINGS_LOST = "what its share found was lost"
WORKER_LOST = "its share did not finish: the worker was lost"
RUN_LOST = "its worker was lost before it could report; the machines' states decide anew"


async def close_run(
    history: RunHistory,
    telemetry: Telemetry,
    record: RunRecord,
    *,
    now: datetime,
    notes: Notes | None = None,
) -> None:
    """Compile and close a run, unless somebody has.

    A tick that had nothing to do is closed as any other: that its record is gone would look the same
    had somebody taken it away. Who waits for it forgets it.
    """
    if record.is_closed:
        return
    gathered = await gather(history, record)
    report = compile_report(head_of(record), gathered.findings, ended_at=now)
    with bound(run_id=record.run_id):
        summary = _summary(report, gathered)
        if not await history.close_run(
            record.run_id, result=report.result, summary=summary.model_dump_json()
        ):
            return
        if summary.routine:
            narration.tell_routine(telemetry, report)
        else:
            _tell_closed(telemetry, record, report, gathered.lost, summary.error)
        await leave_sighting(notes, report)


async def leave_sighting(notes: Notes | None, report: RunReport) -> None:
    """Leave what a tick saw for whoever watches: most leave nothing else."""
    if report.trigger is Trigger.TIMER and report.result is not Result.FAILED:
        await leave(notes, COMPUTE_SEEN, sight(report))


async def close_overdue(history: RunHistory, telemetry: Telemetry, *, now: datetime) -> None:
    """Close the runs whose workers were lost, with what their finished shares found.

    Raises StorageUnavailableError: then the next tick closes what is left.
    """
    for record in await history.list_overdue(now=now - OVERDUE_AFTER):
        why = RUN_LOST if WHOLE in record.shares else ""
        if not why:
            with caught(f"run {record.run_id}", about="", logged=set(), tell=str) as mishap:
                # Without a note: what it saw is older than what this tick has.
                await close_run(history, telemetry, record, now=now)
            why = mishap.why
        if why:
            await _close_lost(history, telemetry, record, now=now, why=why)


async def compile_run(history: RunHistory, record: RunRecord) -> RunReport | None:
    """Put a closed run's report together again; None for one that left none."""
    summary = RunSummary.model_validate_json(record.summary) if record.summary else None
    if summary is None or summary.counts is None:
        return None
    gathered = await gather(history, record, lost=summary.lost)
    return compile_report(head_of(record), gathered.findings, ended_at=summary.ended_at)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What each share of a run found; `lost` are those that found nothing: unreadable subscriptions.

    `taken_up_again`: a worker was lost, or failed, that may have done what its successor only found.
    """

    findings: Sequence[Findings]
    lost: Sequence[WorkspaceReport]
    taken_up_again: bool


async def gather(
    history: RunHistory, record: RunRecord, *, lost: Sequence[WorkspaceReport] | None = None
) -> Gathered:
    """Return what the shares of a run found. `lost`: those that are known to have found nothing."""
    found = await history.read_found(record.run_id)
    shares = {share.share_id: share for share in await history.list_shares(record.run_id)}
    if lost is None:
        lost = [_lost(each, shares.get(each)) for each in record.shares if not found.get(each)]
    missing = {scope.id for scope in lost}
    came = [found[each] for each in record.shares if _scope_id(each) not in missing]
    findings = [Findings.model_validate_json(each) for each in came]
    if lost:
        nothing = Findings(workspaces=tuple(lost), instances=(), other_computes=0, retryable=True)
        findings.append(nothing)
    again = any(share.begun > 1 for share in shares.values())
    return Gathered(findings=findings, lost=lost, taken_up_again=again)


def _lost(share_id: str, share: ShareRecord | None) -> WorkspaceReport:
    why = FINDINGS_LOST if share and share.state is ShareState.DONE else WORKER_LOST
    return WorkspaceReport(
        id=_scope_id(share_id),
        result=WorkspaceResult.UNREADABLE,
        error=(share.error if share else "") or why,
    )


def _scope_id(share_id: str) -> str:
    return f"/subscriptions/{share_id}"


def _summary(report: RunReport, gathered: Gathered) -> RunSummary:
    if report.result is Result.FAILED:
        retryable = any(found.retryable for found in gathered.findings)
        return RunSummary(ended_at=report.ended_at, error=_why(report), retryable=retryable)
    return RunSummary(
        ended_at=report.ended_at,
        counts=report.counts,
        saved=report.saved,
        routine=_is_routine(report, gathered),
        lost=tuple(gathered.lost),
    )


def _is_routine(report: RunReport, gathered: Gathered) -> bool:
    is_tick = report.trigger is Trigger.TIMER and report.result is Result.SUCCEEDED
    was_busy = gathered.taken_up_again or any(each.busy for each in gathered.findings)
    return is_tick and not was_busy


def _why(report: RunReport) -> str:
    first = next(scope for scope in report.workspaces if scope.error)
    return (
        f"None of {len(report.workspaces)} workspaces or subscriptions could be read; "
        f"{first.id}: {first.error}"
    )


def _tell_closed(
    telemetry: Telemetry,
    record: RunRecord,
    report: RunReport,
    lost: Sequence[WorkspaceReport],
    error: str | None,
) -> None:
    for scope in lost:
        narration.tell_unreadable(
            telemetry, scope.id, status=None, code="", error=scope.error or ""
        )
    if error is None:
        narration.tell_run_finished(telemetry, report)
    else:
        narration.tell_run_lost(telemetry, head_of(record), error=error, ended_at=report.ended_at)


async def _close_lost(
    history: RunHistory, telemetry: Telemetry, record: RunRecord, *, now: datetime, why: str
) -> None:
    summary = RunSummary(ended_at=now, error=why)
    if await history.close_run(
        record.run_id, result=Result.FAILED, summary=summary.model_dump_json()
    ):
        narration.tell_run_lost(telemetry, head_of(record), error=why, ended_at=now)
