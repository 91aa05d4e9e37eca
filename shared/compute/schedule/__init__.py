"""When a machine may be up: weekly windows in any time zone, public holidays, dated windows. Pure.

    schedule = parse_schedule("Mon-Fri 07:30-20:30 Europe/Berlin holidays=DE-BY")
    schedule.may_be_up(now)    # bool
    schedule.next_change(now)  # the first later instant at which that changes, UTC

The grammar is described in docs/schedules.md.
"""

from shared.compute.schedule.error import ScheduleError
from shared.compute.schedule.grammar import parse_schedule
from shared.compute.schedule.timeline import Schedule

__all__ = ["Schedule", "ScheduleError", "parse_schedule"]
