"""The run: read the estate, decide about every compute, ask for stops, see them done, report.

One failure spares the rest: what cannot be read or stopped is an outcome, named in the report.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.compute import enumeration, narration
from shared.compute.azure import MachineLearning
from shared.compute.closing import close_overdue, leave_sighting
from shared.compute.cluster_care import ClusterCare, Memory, recall
from shared.compute.clusters import ClusterMinimums
from shared.compute.exemptions import Exemption, ExemptionsInForce, RunExemptions
from shared.compute.history import RunHistory, StopClaims
from shared.compute.ledger import Ledger
from shared.compute.lost_record import list_asked
from shared.compute.order import RunOrder
from shared.compute.own_stops import OwnStops
from shared.compute.recording import Recording, tidy
from shared.compute.report import Result, RunHead, RunReport, Trigger, compile_report
from shared.compute.rulebook import Rulebook
from shared.compute.run import Now, Occasion, Rules, Run, side_by_side
from shared.compute.run_id import new_run_id
from shared.compute.settling import settle, settle_subscription
from shared.errors import InvalidRequestError, NothingEnumeratedError, StorageUnavailableError
from shared.notes import Notes
from shared.telemetry import Span, Telemetry, bound


@dataclass(frozen=True, kw_only=True)
class Backing:
    """What a run leans on: the app's own storage, as far as there is any, and this process's memory."""

    history: RunHistory | None = None
    claims: StopClaims | None = None
    exemptions: ExemptionsInForce | None = None
    minimums: ClusterMinimums | None = None
    notes: Notes | None = None
    own_stops: OwnStops = field(default_factory=OwnStops)


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
        self.backing = backing or Backing()
        self._azure = azure
        self.telemetry = telemetry
        self.now = now
        self._rules = rules
        self._lost: set[str] = set()

    async def run(
        self,
        order: RunOrder,
        occasion: Occasion,
        *,
        ledger: Ledger | None = None,
        lost: StorageUnavailableError | None = None,
    ) -> RunReport:
        """Carry out one run and return its report, whatever became of single instances.

        Raises InvalidRequestError, with nothing stopped, if the order names what is not there, and
        NothingEnumeratedError if no part of the estate could be read. `ledger`: of a run that began
        already. `lost`: why it leaves no record.
        """
        ledger = ledger or Ledger(head=self.new_head(order, occasion))
        with (
            bound(run_id=ledger.head.run_id),
            self.telemetry.span(Span.COMPUTE_RUN, trigger=occasion.trigger, dry_run=order.dry_run),
        ):
            return await self._recorded(ledger, order, occasion, lost)

    def new_head(self, order: RunOrder, occasion: Occasion) -> RunHead:
        """Begin a run: give it its id."""
        started_at = self.now()
        return RunHead(
            run_id=new_run_id(started_at),
            trigger=occasion.trigger,
            dry_run=order.dry_run,
            reason=order.reason,
            started_at=started_at,
        )

    async def _recorded(
        self,
        ledger: Ledger,
        order: RunOrder,
        occasion: Occasion,
        lost: StorageUnavailableError | None,
    ) -> RunReport:
        """Keep the run's record: a plan changes nothing, so it leaves none."""
        history = None if order.dry_run or lost else self.backing.history
        if lost is not None:
            self.tell_lost("history", lost)
        recording = Recording(history=history, telemetry=self.telemetry, run_id=ledger.head.run_id)
        async with self.tidying(ledger.head):
            report = await self._reported(ledger, order, occasion, recording)
            if not lost:
                await leave_sighting(self.backing.notes, report)
            if ledger.is_routine:
                await recording.forget()
            else:
                await recording.close(report, ledger.findings())
        return report

    @asynccontextmanager
    async def tidying(self, head: RunHead) -> AsyncIterator[None]:
        """Close runs that lost their worker, and forget old ones: each tick does a little.

        Also one that could read nothing: who cannot sign in for hours still learns of lost runs.
        """
        try:
            yield
        except NothingEnumeratedError:
            await self._tidy(head)
            raise
        await self._tidy(head)

    async def _tidy(self, head: RunHead) -> None:
        if head.trigger is not Trigger.TIMER or "history" in self._lost:
            return
        history, claims, now = self.backing.history, self.backing.claims, self.now()
        try:
            if history is not None:
                await close_overdue(history, self.telemetry, now=now)
            await tidy(history, claims, now=now, keep=self._rules.keep_history)
            if self.backing.exemptions is not None:
                await self.backing.exemptions.store.prune(ended_before=now)
        except StorageUnavailableError as error:
            narration.log_not_tidied(head.run_id, error)

    async def _reported(
        self, ledger: Ledger, order: RunOrder, occasion: Occasion, recording: Recording
    ) -> RunReport:
        """Execute, and say how it ended on every way out: the alerts live on that one event."""
        failure = "the run was cut short by an unexpected error or a cancellation"
        try:
            report = await self._carried_out(ledger, order, occasion, recording)
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
                narration.tell_failed(self.telemetry, ledger, error=failure, ended_at=self.now())
                await recording.fail(failure, ended_at=self.now())
        narration.tell_finished(self.telemetry, ledger, report)
        return report

    async def _carried_out(
        self, ledger: Ledger, order: RunOrder, occasion: Occasion, recording: Recording
    ) -> RunReport:
        deadline = ledger.head.started_at + time_limit(order, occasion)
        by_the_book = order.respect_schedule
        # Side by side: storage that hangs costs the machines one wait, not three.
        _, run = await asyncio.gather(
            recording.open(ledger.head, order=order.model_dump_json(), deadline=deadline),
            self.begin(ledger, occasion, deadline=deadline, by_the_book=by_the_book),
        )
        return await _execute(run, order)

    async def begin(
        self, ledger: Ledger, occasion: Occasion, *, deadline: datetime, by_the_book: bool
    ) -> Run:
        """Bring together what a run, or a share of one, works with."""
        exemptions, memory, claimed = await asyncio.gather(
            self._list_exemptions(),
            self._recall(by_the_book=by_the_book),
            list_asked(
                ledger, self.backing.own_stops, self.backing.claims, tell_lost=self.tell_lost
            ),
        )
        book = self._rulebook(exemptions.listed if exemptions else (), by_the_book=by_the_book)
        if ledger.head.dry_run and by_the_book:
            ledger.guardrails = []
        return replace(
            self.survey(ledger, occasion, deadline=deadline),
            book=book,
            claims=self.backing.claims,
            claimed=dict(claimed),
            own_stops=self.backing.own_stops,
            exemptions=exemptions,
            care=self._cluster_care(memory, book, deadline, dry_run=ledger.head.dry_run),
        )

    def survey(self, ledger: Ledger, occasion: Occasion, *, deadline: datetime) -> Run:
        """Bring together what reading the estate takes: nothing from storage, and no decision."""
        return Run(
            azure=self._azure,
            telemetry=self.telemetry,
            now=self.now,
            rules=self._rules,
            deadline=deadline,
            ledger=ledger,
            book=self._rulebook((), by_the_book=False),
            occasion=occasion,
        )

    async def _recall(self, *, by_the_book: bool) -> Memory | None:
        """Read what is remembered of clusters; None for a run that does not tend them."""
        minimums = self.backing.minimums
        if not by_the_book or (minimums is None and not self._rules.cluster_off_hours):
            return None
        return await recall(minimums, telemetry=self.telemetry)

    def _cluster_care(
        self, memory: Memory | None, book: Rulebook, deadline: datetime, *, dry_run: bool
    ) -> ClusterCare | None:
        if memory is None:
            return None
        return ClusterCare(
            azure=self._azure,
            memory=memory,
            telemetry=self.telemetry,
            book=book,
            now=self.now,
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

    async def _list_exemptions(self) -> RunExemptions | None:
        in_force, now = self.backing.exemptions, self.now()
        if in_force is None:
            return None
        listed, error = await in_force.list(now=now)
        if error is not None:
            self.tell_lost("exemptions", error)
        return RunExemptions(
            in_force=in_force, read_at=now, listed=list(listed), lost=error is not None
        )

    def tell_lost(self, part: str, error: StorageUnavailableError) -> None:
        """Say, once, without what the work of this invocation goes on."""
        if part not in self._lost:
            self._lost.add(part)
            narration.tell_lost(self.telemetry, part, error)


def time_limit(order: RunOrder, occasion: Occasion) -> timedelta:
    """Return how long a run may take."""
    return occasion.time_limit or timedelta(seconds=order.deadline_seconds)


async def _execute(run: Run, order: RunOrder) -> RunReport:
    chosen = await enumeration.choose(run, order) if order.narrows else None
    narration.tell_started(
        run.telemetry, run.ledger, deadline=run.deadline, past_due=run.occasion.past_due
    )
    if chosen is None:
        subscriptions = await enumeration.list_subscriptions(run)
        await side_by_side(settle_subscription(run, s) for s in subscriptions)
    else:
        await side_by_side(settle(run, w, computes) for w, computes in chosen)
    report = compile_report(run.ledger.head, [run.ledger.findings()], ended_at=run.now())
    if report.result is Result.FAILED:
        raise _nothing_enumerated(run, report)
    return report


def _nothing_enumerated(run: Run, report: RunReport) -> NothingEnumeratedError:
    first = next(scope for scope in report.workspaces if scope.error)
    return NothingEnumeratedError(
        f"None of {len(report.workspaces)} workspaces or subscriptions could be read; "
        f"{first.id}: {first.error}",
        run_id=run.ledger.head.run_id,
        retryable=run.ledger.retryable,
    )
