"""Write a run down, so that it outlives its worker: opened before the first look, closed with a result.

Storage that is away loses the record, never the run: that is said once, and the machines still stop.
A run that stays open past its deadline lost its worker: shared.compute.closing closes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from shared.compute import narration
from shared.compute.history import RunHistory, RunRecord, StopClaims
from shared.compute.report import (
    Counts,
    Findings,
    Result,
    RunHead,
    RunReport,
    Saving,
    Trigger,
    WorkspaceReport,
)
from shared.errors import StorageUnavailableError
from shared.telemetry import Telemetry

# The one share of a run that a single worker carries out.
WHOLE = "whole"


class RunSummary(BaseModel):
    """The head of a closed run, as a history lists it; `error` says why there is no report.

    `retryable`: of such a run, whether the same may succeed later. `lost`: the shares that found
    nothing until then; what one finds later changes no report. None: that was not noted. `routine`: a tick that had nothing
    to do, and is forgotten once whoever waits for it has seen so.
    """

    model_config = ConfigDict(frozen=True)

    ended_at: datetime
    counts: Counts | None = None
    saved: Saving | None = None
    error: str | None = None
    retryable: bool = False
    routine: bool = False
    lost: tuple[WorkspaceReport, ...] | None = None


def head_of(record: RunRecord) -> RunHead:
    """Return the head of a recorded run's report."""
    return RunHead(
        run_id=record.run_id,
        trigger=Trigger(record.trigger),
        dry_run=record.dry_run,
        reason=record.reason,
        started_at=record.started_at,
    )


@dataclass(kw_only=True)
class Recording:
    """The record of one run. Without a history, or once it failed, it does nothing."""

    history: RunHistory | None
    telemetry: Telemetry
    run_id: str

    async def open(self, head: RunHead, *, order: str, deadline: datetime) -> None:
        """Record that the run begins."""
        record = RunRecord(
            run_id=head.run_id,
            trigger=head.trigger,
            dry_run=head.dry_run,
            reason=head.reason,
            order=order,
            started_at=head.started_at,
            deadline=deadline,
            shares=(WHOLE,),
            open_shares=frozenset({WHOLE}),
        )
        if self.history is not None:
            try:
                await self.history.open_run(record, orders={WHOLE: order})
                await self.history.begin_share(head.run_id, WHOLE)
            except StorageUnavailableError as error:
                self._lose(error)

    async def close(self, report: RunReport, findings: Findings) -> None:
        """Record how the run ended and all that it found."""
        summary = RunSummary(ended_at=report.ended_at, counts=report.counts, saved=report.saved)
        await self._finish(report.result, summary, found=findings.model_dump_json().encode())

    async def fail(self, error: str, *, ended_at: datetime) -> None:
        """Record that the run left no report, and why."""
        await self._finish(Result.FAILED, RunSummary(ended_at=ended_at, error=error), error=error)

    async def forget(self) -> None:
        """Drop the record of a tick that had nothing to do, or of an order that was refused."""
        if self.history is not None:
            try:
                await self.history.delete_run(self.run_id)
            except StorageUnavailableError as error:
                self._lose(error)

    async def _finish(
        self, result: Result, summary: RunSummary, *, found: bytes = b"", error: str = ""
    ) -> None:
        if self.history is None:
            return
        try:
            await self.history.finish_share(self.run_id, WHOLE, found=found, error=error)
            await self.history.close_run(
                self.run_id, result=result, summary=summary.model_dump_json()
            )
        except StorageUnavailableError as lost:
            self._lose(lost)

    def _lose(self, error: StorageUnavailableError) -> None:
        narration.tell_lost(self.telemetry, "history", error)
        self.history = None


async def tidy(
    history: RunHistory | None, claims: StopClaims | None, *, now: datetime, keep: timedelta
) -> None:
    """Forget what is older than `keep`, a bounded number at a time. Raises StorageUnavailableError."""
    if history is not None:
        await history.prune(started_before=now - keep)
    if claims is not None:
        await claims.prune(claimed_before=now - keep)
