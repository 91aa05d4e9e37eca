"""How the last rounds went, whatever they found: recorded for those who read the states."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.scoring.narration import RoundResult, result_of, what_went_wrong
from shared.scoring.round_report import RoundReport
from shared.scoring.uptime import LONGEST_LOOK


@dataclass(frozen=True, kw_only=True)
class LastRounds:
    """The round that ended last, and when others did; `error` is of the last that did not succeed."""

    ended_at: datetime
    result: str
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""

    def then(self, report: RoundReport) -> LastRounds:
        """Return how they went after one more round."""
        is_good = result_of(report) is RoundResult.SUCCEEDED
        return LastRounds(
            ended_at=report.ended_at,
            result=str(result_of(report)),
            succeeded_at=report.ended_at if is_good else self.succeeded_at,
            failed_at=self.failed_at if is_good else report.ended_at,
            error=self.error if is_good else what_went_wrong(report),
        )


class RoundLog(Protocol):
    """Where it is recorded; shared.clients.round_log provides it.

    Both raise StorageUnavailableError.
    """

    async def get(self) -> LastRounds | None:
        """Return it; None before the first, and where it cannot be read."""

    async def put(self, last: LastRounds) -> None:
        """Store it in place of what was there."""


class RoundsReport(BaseModel):
    """How the last rounds went, whatever they found; all None before the first.

    `result` is of the round that ended last: succeeded, partial or failed. `error` says what went
    wrong in the last one that did not succeed. `overdue`: no round ended in the last 15 minutes.
    """

    model_config = ConfigDict(frozen=True)

    last_ended_at: datetime | None
    result: str | None
    last_succeeded_at: datetime | None
    last_failed_at: datetime | None
    error: str | None
    overdue: bool


def first_round(report: RoundReport) -> LastRounds:
    """Return how rounds went after the first one."""
    return LastRounds(ended_at=report.ended_at, result="").then(report)


def rounds_of(last: LastRounds | None, *, at: datetime) -> RoundsReport:
    """Return how the last rounds went, as of a moment."""
    return RoundsReport(
        last_ended_at=last.ended_at if last else None,
        result=last.result if last else None,
        last_succeeded_at=last.succeeded_at if last else None,
        last_failed_at=last.failed_at if last else None,
        error=(last.error or None) if last else None,
        overdue=last is None or at - last.ended_at > LONGEST_LOOK,
    )
