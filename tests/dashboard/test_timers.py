"""Whether a timer ticks as it should."""

from datetime import datetime, timedelta

import pytest

from shared.dashboard.status import Severity
from shared.dashboard.timers import Timer, look_at, trouble_of
from shared.notes import TickNote
from tests.support.builders import NIGHT

QUARTERLY = "0 */15 * * * *"
MINUTE = timedelta(minutes=1)


def a_timer(schedule: str | None = QUARTERLY) -> Timer:
    return Timer(name="shutdown_timer", schedule=schedule, longest=25 * MINUTE)


def noted(
    *, began: timedelta, ended: timedelta | None = None, error: str | None = None
) -> dict[str, str]:
    """The note of a tick, its times before the night."""
    note = TickNote(
        timer="shutdown_timer",
        began_at=NIGHT - began,
        ended_at=None if ended is None else NIGHT - ended,
        error=error,
    )
    return {"tick.shutdown_timer": note.model_dump_json()}


def trouble(
    notes: dict[str, str], *, timer: Timer | None = None, at: datetime = NIGHT
) -> tuple[Severity, str] | None:
    timer = timer or a_timer()
    found = trouble_of(timer, look_at(timer, notes, at=at), at=at)
    return (found.severity, found.text) if found else None


@pytest.mark.parametrize(
    "notes",
    [
        noted(began=15 * MINUTE, ended=14 * MINUTE),
        # Due this minute: it may still begin.
        noted(began=15 * MINUTE, ended=15 * MINUTE),
        # Timers fire early by as much as hosts' clocks differ.
        noted(began=timedelta(minutes=15, seconds=20), ended=14 * MINUTE),
        # It goes on, and the host begins no other meanwhile.
        noted(began=24 * MINUTE),
        # A long one has just ended.
        noted(began=29 * MINUTE, ended=4 * MINUTE),
    ],
    ids=["the last one", "the next is due now", "early", "a long one", "one that was long"],
)
def test_a_timer_that_ticks_is_no_trouble(notes: dict[str, str]) -> None:
    assert trouble(notes) is None


@pytest.mark.parametrize(
    ("notes", "severity", "text"),
    [
        ({}, Severity.UNKNOWN, "No tick of shutdown_timer has been recorded."),
        ({"tick.shutdown_timer": "no JSON"}, Severity.UNKNOWN, "No tick of shutdown_timer has"),
        (noted(began=31 * MINUTE, ended=30 * MINUTE), Severity.CRITICAL, "shutdown_timer is over"),
        (noted(began=31 * MINUTE), Severity.CRITICAL, "shutdown_timer is overdue."),
        (
            noted(began=MINUTE, ended=MINUTE, error="run x partial"),
            Severity.CRITICAL,
            "The last tick of shutdown_timer failed.",
        ),
    ],
    ids=["never", "no note", "overdue", "lost, and overdue", "failed"],
)
def test_whatever_else_is_a_trouble_or_not_known(
    notes: dict[str, str], severity: Severity, text: str
) -> None:
    found = trouble(notes)

    assert found is not None
    assert found[0] is severity
    assert found[1].startswith(text)


def test_a_tick_that_never_ended_is_told_though_the_next_is_not_due() -> None:
    daily = a_timer("0 0 21 * * *")

    found = trouble(noted(began=60 * MINUTE), timer=daily)

    assert found == (Severity.CRITICAL, "A tick of shutdown_timer began and has not ended.")


@pytest.mark.parametrize("schedule", [None, "nightly"])
def test_without_a_schedule_nobody_knows_whether_it_is_overdue(schedule: str | None) -> None:
    found = trouble(noted(began=MINUTE, ended=MINUTE), timer=a_timer(schedule))

    assert found == (Severity.UNKNOWN, "When shutdown_timer is due cannot be told.")


def test_what_is_shown_of_a_timer_is_what_its_note_and_its_schedule_say() -> None:
    seen = look_at(a_timer(), noted(began=10 * MINUTE, ended=9 * MINUTE), at=NIGHT + 7 * MINUTE)

    assert (seen.began_at, seen.ended_at) == (NIGHT - 10 * MINUTE, NIGHT - 9 * MINUTE)
    assert (seen.due_at, seen.next_at) == (NIGHT, NIGHT + 15 * MINUTE)
    assert seen.overdue


def test_a_timer_is_overdue_since_the_first_time_that_it_missed() -> None:
    seen = look_at(a_timer(), noted(began=181 * MINUTE, ended=180 * MINUTE), at=NIGHT)

    assert seen.overdue
    assert (seen.due_at, seen.next_at) == (NIGHT - 180 * MINUTE, NIGHT)


def test_a_tick_that_began_early_missed_no_time_of_its_own() -> None:
    early = timedelta(minutes=180, seconds=20)

    seen = look_at(a_timer(), noted(began=early, ended=179 * MINUTE), at=NIGHT)

    assert seen.due_at == NIGHT - 165 * MINUTE
