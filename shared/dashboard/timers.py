"""Whether a timer ticks as it should: the last tick's note against its schedule. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from shared.compute.ticks import EARLY, LATE, first_tick, last_tick
from shared.dashboard.status import Frozen, Severity, Trouble
from shared.notes import TICK, TickNote


@dataclass(frozen=True, kw_only=True)
class Timer:
    """A timer function: its schedule (NCronTab), None if it is not set, and its ticks' longest time."""

    name: str
    schedule: str | None
    longest: timedelta


class TimerSeen(Frozen):
    """A timer, as its last tick's note tells.

    `due_at` is the last time that its schedule named, `next_at` the next; None where that cannot be
    told. `overdue`: no tick has begun for `due_at`, and there was time enough; `due_at` is then the
    first of all those times.
    """

    timer: str
    schedule: str | None
    began_at: datetime | None
    ended_at: datetime | None
    error: str | None
    due_at: datetime | None
    next_at: datetime | None
    overdue: bool


def note_of(notes: Mapping[str, str], timer: str) -> TickNote | None:
    """Return the note of a timer's last tick; None for one that is not there, or is no such thing."""
    text = notes.get(f"{TICK}{timer}")
    try:
        return TickNote.model_validate_json(text) if text else None
    except ValidationError:
        return None


def look_at(timer: Timer, notes: Mapping[str, str], *, at: datetime) -> TimerSeen:
    """Return how a timer is."""
    note = note_of(notes, timer.name)
    due_at = last_tick(timer.schedule, not_after=at - LATE)
    overdue = _is_overdue(timer, note, due_at, at)
    if note and overdue:
        due_at = first_tick(timer.schedule, not_before=note.began_at + EARLY)
    return TimerSeen(
        timer=timer.name,
        schedule=timer.schedule,
        began_at=note.began_at if note else None,
        ended_at=note.ended_at if note else None,
        error=note.error if note else None,
        due_at=due_at,
        next_at=first_tick(timer.schedule, not_before=at),
        overdue=overdue,
    )


def trouble_of(timer: Timer, seen: TimerSeen, *, at: datetime) -> Trouble | None:
    """Return what is wrong with a timer, or not known of it."""
    if seen.began_at is None:
        return Trouble(
            severity=Severity.UNKNOWN,
            text=f"No tick of {timer.name} has been recorded.",
            reason="It may never have run, or could not leave a note.",
        )
    if seen.overdue:
        return Trouble(
            severity=Severity.CRITICAL,
            text=f"{timer.name} is overdue.",
            reason="Its schedule named a time, and no tick has begun since.",
            since=seen.due_at,
        )
    return _of_tick(timer, seen, seen.began_at, at)


def _of_tick(timer: Timer, seen: TimerSeen, began_at: datetime, at: datetime) -> Trouble | None:
    if seen.ended_at is None:
        if at <= began_at + timer.longest + LATE:
            return None
        return Trouble(
            severity=Severity.CRITICAL,
            text=f"A tick of {timer.name} began and has not ended.",
            reason="Its worker was lost, or could not leave a note.",
            since=began_at,
        )
    if seen.error is not None:
        return Trouble(
            severity=Severity.CRITICAL,
            text=f"The last tick of {timer.name} failed.",
            reason=seen.error,
            since=seen.ended_at,
        )
    if seen.due_at is None:
        return Trouble(
            severity=Severity.UNKNOWN,
            text=f"When {timer.name} is due cannot be told.",
            reason="Its schedule is not set, or no NCronTab expression.",
        )
    return None


def _is_overdue(timer: Timer, note: TickNote | None, due_at: datetime | None, at: datetime) -> bool:
    if note is None or due_at is None or note.began_at >= due_at - EARLY:
        return False
    # The host begins no tick while the one before goes on.
    goes_on = note.ended_at is None and at <= note.began_at + timer.longest + LATE
    just_ended = note.ended_at is not None and at <= note.ended_at + LATE
    return not (goes_on or just_ended)
