"""How the last rounds went, whatever they found: recorded for those who read the states."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.notes import SCORING_ROUNDS, Notes
from shared.scoring.narration import RoundResult, result_of, what_went_wrong
from shared.scoring.round_report import RoundReport
from shared.scoring.uptime import LONGEST_LOOK

logger = logging.getLogger(__name__)


class LastRounds(BaseModel):
    """The round that ended last, and when others did; `error` is of the last that did not succeed."""

    model_config = ConfigDict(frozen=True)

    ended_at: datetime
    result: str
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""


async def record(notes: Notes, report: RoundReport) -> None:
    """Note how a round went, beside when others did. Raises StorageUnavailableError."""
    last = _after(await recall(notes), report)
    await notes.put(SCORING_ROUNDS, last.model_dump_json())


async def recall(notes: Notes) -> LastRounds | None:
    """Return how the last rounds went; None before the first, and where the note is no such thing.

    Raises StorageUnavailableError.
    """
    text = await notes.get(SCORING_ROUNDS)
    try:
        return LastRounds.model_validate_json(text) if text else None
    except ValidationError:
        logger.warning("how the last rounds went cannot be read: it counts as unknown")
        return None


def _after(before: LastRounds | None, report: RoundReport) -> LastRounds:
    is_good = result_of(report) is RoundResult.SUCCEEDED
    known = before or LastRounds(ended_at=report.ended_at, result="")
    return LastRounds(
        ended_at=report.ended_at,
        result=str(result_of(report)),
        succeeded_at=report.ended_at if is_good else known.succeeded_at,
        failed_at=known.failed_at if is_good else report.ended_at,
        error=known.error if is_good else what_went_wrong(report),
    )


class RoundsReport(BaseModel):
    """How the last rounds went, whatever they found; all None before the first.

    `result` is of the round that ended last: succeeded, partial or failed. `error` says what went
    wrong in the last one that did not succeed. `due_at` is when the round after the last one is, or
    was, due: of the first one that is known of, the next; None where the schedule cannot tell.
    `overdue`: it was due, had its time, and has not ended; None where that is not known.
    """

    model_config = ConfigDict(frozen=True)

    last_ended_at: datetime | None
    result: str | None
    last_succeeded_at: datetime | None
    last_failed_at: datetime | None
    error: str | None
    due_at: datetime | None
    overdue: bool | None


@dataclass(frozen=True, kw_only=True)
class RoundsDue:
    """When rounds are due: `first` at a moment or after it, None where that cannot be told.

    `longest`: how long after that time one may end.
    """

    first: Callable[[datetime], datetime | None]
    longest: timedelta


def rounds_of(last: LastRounds | None, *, due: RoundsDue, at: datetime) -> RoundsReport:
    """Return how the last rounds went, as of a moment."""
    due_at = due.first(last.ended_at if last else at)
    return RoundsReport(
        last_ended_at=last.ended_at if last else None,
        result=last.result if last else None,
        last_succeeded_at=last.succeeded_at if last else None,
        last_failed_at=last.failed_at if last else None,
        error=(last.error or None) if last else None,
        due_at=due_at,
        overdue=None if last is None else _is_overdue(last, due_at, due.longest, at),
    )


def _is_overdue(
    last: LastRounds, due_at: datetime | None, longest: timedelta, at: datetime
) -> bool | None:
    # Of a round that ended ahead of now nobody knows when it was: some worker's clock was wrong.
    if due_at is None or last.ended_at - at > LONGEST_LOOK:
        return None
    return at > due_at + longest
