"""The run: read the estate, decide about every compute, ask for stops, see them done, report.

One failure spares the rest: what cannot be read or stopped is an outcome, named in the report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.compute import enumeration, narration
from shared.compute.azure import MachineLearning
from shared.compute.cluster_care import ClusterCare, Memory, recall, tend_clusters
from shared.compute.cluster_report import FAILED_CLUSTER_OUTCOMES, ClusterOutcome
from shared.compute.clusters import ClusterMinimums
from shared.compute.exemptions import Exemption, ExemptionsInForce
from shared.compute.guardrails import audit
from shared.compute.history import RunHistory, StopClaims
from shared.compute.instance import Compute, Workspace
from shared.compute.ledger import Ledger
from shared.compute.order import RunOrder
from shared.compute.pursuit import pursue
from shared.compute.recording import Recording, close_overdue, tidy
from shared.compute.report import Result, RunHead, RunReport, Trigger, compile_report
from shared.compute.rulebook import Rulebook
from shared.compute.run import Now, Occasion, Rules, Run, side_by_side
from shared.compute.run_id import new_run_id
from shared.errors import InvalidRequestError, NothingEnumeratedError, StorageUnavailableError
from shared.telemetry import Span, Telemetry, bound

QUIET_CLUSTER_OUTCOMES = frozenset({ClusterOutcome.LEFT, ClusterOutcome.PLANNED})


@dataclass(frozen=True, kw_only=True)
class Backing:
    """What a run leans on in the app's own storage, as far as there is any."""

    history: RunHistory | None = None
    claims: StopClaims | None = None
    exemptions: ExemptionsInForce | None = None
    minimums: ClusterMinimums | None = None


class Shutdown:
    """Stops the compute instances that should be off, as far as one principal sees them."""

    def __init__(
        self,
        azure: MachineLearning,
        telemetry: Telemetry,
        *,
        now: Now,
        rules: Rules,
        backing: Backing | None = None,
    ) -> None:
        self._backing = backing or Backing()
        self._azure = azure
        self._telemetry = telemetry
        self._now = now
        self._rules = rules

    async def run(self, order: RunOrder, occasion: Occasion) -> RunReport:
        """Carry out one run and return its report, whatever became of single instances.

        Raises InvalidRequestError, with nothing stopped, if the order names what is not there, and
        NothingEnumeratedError if no part of the estate could be read.
        """
        started_at = self._now()
        head = RunHead(
            run_id=new_run_id(started_at),
            trigger=occasion.trigger,
            dry_run=order.dry_run,
            reason=order.reason,
            started_at=started_at,
        )
        with (
            bound(run_id=head.run_id),
            self._telemetry.span(Span.COMPUTE_RUN, trigger=occasion.trigger, dry_run=order.dry_run),
        ):
            return await self._recorded(Ledger(head=head), order, occasion)

    async def _recorded(self, ledger: Ledger, order: RunOrder, occasion: Occasion) -> RunReport:
        """Keep the run's record: a plan changes nothing, so it leaves none."""
        history = None if order.dry_run else self._backing.history
        recording = Recording(history=history, telemetry=self._telemetry, run_id=ledger.head.run_id)
        report = await self._reported(ledger, order, occasion, recording)
        if ledger.is_routine:
            await recording.forget()
        else:
            await recording.close(report, ledger.findings())
        if occasion.trigger is Trigger.TIMER:
            await self._tidy(ledger)
        return report

    async def _tidy(self, ledger: Ledger) -> None:
        """Close runs that lost their worker, and forget old ones: each tick does a little."""
        history, claims, now = self._backing.history, self._backing.claims, self._now()
        if history is not None:
            await close_overdue(history, self._telemetry, now=now)
        try:
            await tidy(history, claims, now=now, keep=self._rules.keep_history)
            if self._backing.exemptions is not None:
                await self._backing.exemptions.store.prune(ended_before=now)
        except StorageUnavailableError as error:
            narration.log_not_tidied(ledger.head.run_id, error)

    async def _reported(
        self, ledger: Ledger, order: RunOrder, occasion: Occasion, recording: Recording
    ) -> RunReport:
        """Execute, and say how it ended on every way out: the alerts live on that one event."""
        failure = "the run was cut short by an unexpected error or a cancellation"
        try:
            report = await _execute(await self._begin(ledger, order, occasion, recording), order)
            failure = ""
        except InvalidRequestError:
            # The caller's mistake is in the answer; it is no failed run and wakes nobody.
            failure = ""
            await recording.forget()
            raise
        except NothingEnumeratedError as error:
            failure = str(error)
            raise
        finally:
            if failure:
                narration.tell_failed(self._telemetry, ledger, error=failure, ended_at=self._now())
                await recording.fail(failure, ended_at=self._now())
        narration.tell_finished(self._telemetry, ledger, report)
        return report

    async def _begin(
        self, ledger: Ledger, order: RunOrder, occasion: Occasion, recording: Recording
    ) -> Run:
        deadline = ledger.head.started_at + _limit(order, occasion)
        # Side by side: storage that hangs costs the machines one wait, not three.
        _, exemptions, memory = await asyncio.gather(
            recording.open(ledger.head, order=order.model_dump_json(), deadline=deadline),
            self._list_exemptions(),
            self._recall(order),
        )
        book = self._rulebook(exemptions, by_the_book=order.respect_schedule)
        if order.dry_run and order.respect_schedule:
            ledger.guardrails = []
        return Run(
            azure=self._azure,
            telemetry=self._telemetry,
            now=self._now,
            rules=self._rules,
            deadline=deadline,
            ledger=ledger,
            book=book,
            occasion=occasion,
            claims=self._backing.claims,
            care=self._cluster_care(memory, book, deadline, dry_run=order.dry_run),
        )

    async def _recall(self, order: RunOrder) -> Memory | None:
        """Read what is remembered of clusters; None for a run that does not tend them."""
        minimums = self._backing.minimums
        if not order.respect_schedule or (minimums is None and not self._rules.cluster_off_hours):
            return None
        return await recall(minimums, telemetry=self._telemetry)

    def _cluster_care(
        self, memory: Memory | None, book: Rulebook, deadline: datetime, *, dry_run: bool
    ) -> ClusterCare | None:
        if memory is None:
            return None
        return ClusterCare(
            azure=self._azure,
            memory=memory,
            telemetry=self._telemetry,
            book=book,
            now=self._now,
            deadline=deadline,
            off_hours=self._rules.cluster_off_hours,
            dry_run=dry_run,
            poll=self._rules.poll,
        )

    def _rulebook(self, exemptions: Sequence[Exemption], *, by_the_book: bool) -> Rulebook:
        return Rulebook(
            default=self._rules.default_schedule,
            exemptions=exemptions,
            allowances=self._rules.allowances,
            by_the_book=by_the_book,
        )

    async def _list_exemptions(self) -> Sequence[Exemption]:
        if self._backing.exemptions is None:
            return ()
        listed, error = await self._backing.exemptions.list(now=self._now())
        if error is not None:
            narration.tell_lost(self._telemetry, "exemptions", error)
        return listed


def _limit(order: RunOrder, occasion: Occasion) -> timedelta:
    if occasion.time_limit is not None:
        return occasion.time_limit
    return timedelta(seconds=order.deadline_seconds)


async def _execute(run: Run, order: RunOrder) -> RunReport:
    chosen = await enumeration.choose(run, order) if order.narrows else None
    narration.tell_started(
        run.telemetry, run.ledger, deadline=run.deadline, past_due=run.occasion.past_due
    )
    if chosen is None:
        subscriptions = await enumeration.list_subscriptions(run)
        await side_by_side(_settle_subscription(run, s) for s in subscriptions)
    else:
        await side_by_side(_settle(run, w, computes) for w, computes in chosen)
    report = compile_report(run.ledger.head, [run.ledger.findings()], ended_at=run.now())
    if report.result is Result.FAILED:
        raise _nothing_enumerated(run, report)
    return report


async def _settle_subscription(run: Run, subscription_id: str) -> None:
    # No barrier between workspaces: one that hangs does not hold up the others.
    workspaces = await enumeration.list_workspaces(run, subscription_id)
    await side_by_side(_settle_workspace(run, workspace) for workspace in workspaces)


async def _settle_workspace(run: Run, workspace: Workspace) -> None:
    await _settle(run, workspace, await enumeration.list_computes(run, workspace))


async def _settle(run: Run, workspace: Workspace, computes: Sequence[Compute]) -> None:
    watches = enumeration.watch(run, computes)
    prices = enumeration.read_prices(run, computes)
    if run.ledger.guardrails is not None:
        run.ledger.guardrails += audit(computes, book=run.book, at=run.decides_at(run.now()))
    pursued, tended = pursue(run, workspace, watches), _tend(run, workspace, computes)
    await side_by_side([prices, pursued, tended])


async def _tend(run: Run, workspace: Workspace, computes: Sequence[Compute]) -> None:
    if run.care is None:
        return
    at = run.decides_at(run.now())
    for cluster in await tend_clusters(workspace, computes, care=run.care, at=at):
        if cluster.outcome not in QUIET_CLUSTER_OUTCOMES:
            narration.get_busy(run.telemetry, run.ledger)
        if cluster.outcome in FAILED_CLUSTER_OUTCOMES:
            run.ledger.trouble(workspace.id, f"cluster {cluster.name}: {cluster.detail}")


def _nothing_enumerated(run: Run, report: RunReport) -> NothingEnumeratedError:
    first = next(scope for scope in report.workspaces if scope.error)
    return NothingEnumeratedError(
        f"None of {len(report.workspaces)} workspaces or subscriptions could be read; "
        f"{first.id}: {first.error}",
        run_id=run.ledger.head.run_id,
        retryable=run.ledger.retryable,
    )
