"""When a timer is due: six-field NCronTab in UTC, seconds first; five fields are accepted too.

Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re
from dataclasses import dataclass
from datetime import datetime

from croniter import croniter

FIELDS_WITH_SECONDS = 6
FIELDS_WITHOUT_SECONDS = 5
FIELD = re.compile(r"(?:[0-9*,/-]|[A-Za-z]{3,})+")
NAME = re.compile(r"[A-Za-z]{3,}")


class ScheduleError(ValueError):
    """The expression is no NCronTab schedule."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A parsed expression. Build one with `parse_schedule`."""

    expression: str

    def next_after(self, moment: datetime) -> datetime:
        """Return the first occurrence strictly after an aware UTC moment."""
        occurrence: datetime = _occurrences(self.expression, moment).get_next(datetime)
        return occurrence


def parse_schedule(expression: str, *, now: datetime) -> Schedule:
    """Parse an NCronTab expression. Raises ScheduleError, also when it never occurs after `now`."""
    fields = expression.split()
    # croniter knows more than NCronTab does (@daily, L, #, ?): what Azure refuses is refused here.
    numbers = {FIELDS_WITH_SECONDS, FIELDS_WITHOUT_SECONDS}
    if len(fields) not in numbers or not all(FIELD.fullmatch(field) for field in fields):
        raise ScheduleError(f"{expression!r} was not recognized as a valid cron expression")
    # NCronTab also takes "Monday" and "January"; croniter knows the first three letters.
    schedule = Schedule(expression=NAME.sub(lambda name: name[0][:3], " ".join(fields)))
    try:
        schedule.next_after(now)
    except ValueError as error:
        raise ScheduleError(
            f"{expression!r} was not recognized as a valid cron expression"
        ) from error
    return schedule


def _occurrences(expression: str, moment: datetime) -> croniter:
    # NCronTab wants day of month *and* day of week to match, where cron is content with either.
    has_seconds = len(expression.split()) == FIELDS_WITH_SECONDS
    return croniter(expression, moment, second_at_beginning=has_seconds, day_or=False)
