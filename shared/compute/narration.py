"""Tell operators what a run does: its events, its metrics, its few log lines."""

from __future__ import annotations

import logging
from datetime import datetime

from shared.compute.instance import Workspace
from shared.compute.ledger import Ledger
from shared.compute.policy import Decision, Reason
from shared.compute.report import FAILED_OUTCOMES, Result, RunHead, RunReport
from shared.compute.watch import Watch
from shared.errors import OpsError, StorageUnavailableError
from shared.metrics import Metric
from shared.telemetry import Event, Property, Telemetry, bound

logger = logging.getLogger(__name__)


def tell_started(
    telemetry: Telemetry, ledger: Ledger, *, deadline: datetime, past_due: bool | None
) -> None:
    """Say, once, that a run began: a tick only once it has something to do."""
    if ledger.start_told:
        return
    if ledger.is_routine:
        ledger.start_untold = (deadline, past_due)
        return
    ledger.start_told = True
    telemetry.event(
        Event.COMPUTE_RUN_STARTED,
        trigger=ledger.head.trigger,
        dry_run=ledger.head.dry_run,
        reason=ledger.head.reason or None,
        deadline_seconds=(deadline - ledger.head.started_at).total_seconds(),
        past_due=past_due,
    )


def tell_decided(telemetry: Telemetry, ledger: Ledger, watch: Watch) -> None:
    """Say what was decided about an instance, and why.

    There are many ticks a day: what one leaves alone is told only once it has something to do.
    """
    # An overdue job is left by default, but somebody has to know. And where a lost worker asked for
    # the stop, the run did something, however little is left to do.
    silent = watch.verdict.decision is Decision.LEAVE and (
        watch.verdict.reason is not Reason.JOB_OVERDUE and watch.asked_at is None
    )
    if silent and ledger.is_routine:
        ledger.untold.append(watch)
        return
    get_busy(telemetry, ledger)
    _tell_decided(telemetry, ledger, watch)


def get_busy(telemetry: Telemetry, ledger: Ledger) -> None:
    """Say what was kept back: from now on the run is worth telling."""
    if ledger.is_busy:
        return
    ledger.is_busy = True
    if ledger.start_untold is not None:
        deadline, past_due = ledger.start_untold
        tell_started(telemetry, ledger, deadline=deadline, past_due=past_due)
    untold, ledger.untold = ledger.untold, []
    for watch in untold:
        _tell_decided(telemetry, ledger, watch)


def _tell_decided(telemetry: Telemetry, ledger: Ledger, watch: Watch) -> None:
    if watch.verdict.reason is Reason.JOB_OVERDUE:
        telemetry.event(
            Event.COMPUTE_JOB_OVERDUE,
            **_instance(ledger, watch),
            decision=watch.verdict.decision,
            reason_text=watch.verdict.text,
        )
    telemetry.event(
        Event.COMPUTE_INSTANCE_DECIDED,
        **_instance(ledger, watch),
        state_before=watch.state,
        decision=watch.verdict.decision,
        reason=watch.verdict.reason,
        reason_text=watch.verdict.text,
    )


def tell_stop_requested(telemetry: Telemetry, ledger: Ledger, watch: Watch) -> None:
    """Say that Azure was asked to stop an instance; not that it stopped."""
    telemetry.event(
        Event.COMPUTE_INSTANCE_STOP_REQUESTED,
        **_instance(ledger, watch),
        state_before=watch.first.state,
        reason=watch.verdict.reason,
    )


def tell_unreadable(
    telemetry: Telemetry, scope_id: str, *, status: int | None, code: str, error: str
) -> None:
    """Say which part of the estate could not be read."""
    logger.warning("could not read %s: %s", scope_id, error)
    telemetry.event(
        Event.COMPUTE_WORKSPACE_UNREADABLE,
        scope_id=scope_id,
        status=status,
        error_code=code or None,
        error=error,
    )


def tell_finished(telemetry: Telemetry, ledger: Ledger, report: RunReport) -> None:
    """Say how every instance and the run ended; of a tick that had nothing to do, only measure."""
    tell_share(telemetry, ledger)
    if ledger.is_routine:
        tell_routine(telemetry, report)
        return
    tell_run_finished(telemetry, report)


def tell_routine(telemetry: Telemetry, report: RunReport) -> None:
    """Measure a tick that had nothing to do."""
    _measure_seconds(telemetry, report)


def tell_share(telemetry: Telemetry, ledger: Ledger) -> None:
    """Say how every instance ended that a worker looked after; of a tick's quiet ones, nothing."""
    if ledger.misconfigured:
        telemetry.measure(Metric.COMPUTE_TAGS_MISCONFIGURED, len(ledger.misconfigured))
    if ledger.is_routine:
        return
    for resource_id, wrong in ledger.misconfigured.values():
        telemetry.event(
            Event.COMPUTE_TAG_MISCONFIGURED,
            resource_id=resource_id,
            tag=wrong.tag,
            value=wrong.value,
            problem=f"{wrong.problem}; {wrong.suggestion}",
        )
    for watch in ledger.watches.values():
        _tell_outcome(telemetry, ledger, watch)


def tell_run_finished(telemetry: Telemetry, report: RunReport) -> None:
    """Say how the run ended, and measure it."""
    counts = report.counts
    telemetry.event(
        Event.COMPUTE_RUN_FINISHED,
        trigger=report.trigger,
        dry_run=report.dry_run,
        reason=report.reason or None,
        result=report.result,
        error=None,
        seconds=_seconds(report),
        seen=counts.seen,
        stopped=counts.stopped,
        left=counts.left,
        failed=counts.failed,
        unresolved=counts.unresolved,
        saved_per_hour=report.saved.amount,
        currency=report.saved.currency,
    )
    _measure(telemetry, report)
    level = logging.INFO if report.result is Result.SUCCEEDED else logging.ERROR
    logger.log(level, "%s", report.summary)


def tell_failed(telemetry: Telemetry, ledger: Ledger, *, error: str, ended_at: datetime) -> None:
    """Say that a run ended without a report."""
    get_busy(telemetry, ledger)
    seconds = (ended_at - ledger.head.started_at).total_seconds()
    telemetry.event(
        Event.COMPUTE_RUN_FINISHED,
        trigger=ledger.head.trigger,
        dry_run=ledger.head.dry_run,
        reason=ledger.head.reason or None,
        result=Result.FAILED,
        error=error,
        seconds=seconds,
        seen=len(ledger.watches),
        stopped=None,
        left=None,
        failed=None,
        unresolved=None,
        saved_per_hour=None,
        currency=None,
    )
    telemetry.measure(
        Metric.COMPUTE_RUN_SECONDS, seconds, result=Result.FAILED, trigger=ledger.head.trigger
    )
    logger.error("run %s failed: %s", ledger.head.run_id, error)


def tell_run_lost(telemetry: Telemetry, head: RunHead, *, error: str, ended_at: datetime) -> None:
    """Say that an earlier run ended without a word, in its own name."""
    with bound(run_id=head.run_id):
        tell_failed(telemetry, Ledger(head=head), error=error, ended_at=ended_at)


def tell_lost(telemetry: Telemetry, operation: str, error: StorageUnavailableError) -> None:
    """Say that a run goes on without something that storage keeps."""
    logger.error("went on without %s: %s", operation, error)
    telemetry.event(Event.HISTORY_LOST, operation=operation, error=str(error))


def tell_dropped(error: ValueError) -> None:
    """Say that a message asked for nothing that this app knows."""
    logger.error("a message that is no share's was dropped: %s", error)


def log_look_failed(workspace: Workspace, error: OpsError) -> None:
    """Say that one look failed; the outcome is not touched by it."""
    logger.warning("could not look at %s again: %s", workspace.id, error)


def log_claim_kept(instance_id: str, error: StorageUnavailableError) -> None:
    """Say that a claim of a stop that did nothing stays for a while."""
    logger.warning("could not give back the claim of %s: %s", instance_id, error)


def log_not_tidied(run_id: str, error: StorageUnavailableError) -> None:
    """Say that old records stay a little longer; nothing depends on it."""
    logger.warning("run %s could not forget old records: %s", run_id, error)


def log_prices_unknown(location: str, error: OpsError) -> None:
    """Say why prices are missing in a report."""
    logger.warning("prices of %s are unknown: %s", location, error)


def _tell_outcome(telemetry: Telemetry, ledger: Ledger, watch: Watch) -> None:
    telemetry.event(
        Event.COMPUTE_INSTANCE_OUTCOME,
        **_instance(ledger, watch),
        state_before=watch.first.state,
        state_after=watch.state,
        decision=watch.first_verdict.decision,
        reason=watch.first_verdict.reason,
        outcome=watch.outcome,
        detail=ledger.detail(watch) or None,
        seconds=watch.seconds,
        seen_at=f"{watch.seen_at:%Y-%m-%dT%H:%M:%S.%fZ}",
    )
    if watch.outcome in FAILED_OUTCOMES:
        logger.warning("%s: %s: %s", watch.first.id, watch.outcome, watch.detail)


def _measure(telemetry: Telemetry, report: RunReport) -> None:
    if not report.dry_run:
        counts = report.counts
        telemetry.measure(Metric.COMPUTE_INSTANCES_SEEN, counts.seen)
        telemetry.measure(Metric.COMPUTE_INSTANCES_STOPPED, counts.stopped)
        telemetry.measure(Metric.COMPUTE_INSTANCES_FAILED, counts.failed + counts.unresolved)
        saved = report.saved
        telemetry.measure(Metric.COMPUTE_SAVING_HOURLY, saved.amount, currency=saved.currency)
    _measure_seconds(telemetry, report)


def _measure_seconds(telemetry: Telemetry, report: RunReport) -> None:
    telemetry.measure(
        Metric.COMPUTE_RUN_SECONDS, _seconds(report), result=report.result, trigger=report.trigger
    )


def _seconds(report: RunReport) -> float:
    return (report.ended_at - report.started_at).total_seconds()


def _instance(ledger: Ledger, watch: Watch) -> dict[str, Property | None]:
    price = ledger.price(watch.first)
    return {
        "instance_id": watch.first.id,
        "instance": watch.first.name,
        "owner": watch.first.owner or None,
        "vm_size": watch.first.vm_size or None,
        "price_per_hour": price.per_hour if price else None,
        "currency": price.currency if price else None,
    }
