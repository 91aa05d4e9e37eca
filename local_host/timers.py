"""Fire the timers: one loop per timer, so that a timer never overlaps with itself.

As in Azure (TimerListener of azure-webjobs-sdk-extensions), the next occurrence counts from the
last one; when it passed while the function ran, the next run follows at once, and only once.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from local_host.functions import Function
from local_host.host import Host
from local_host.manual_input import timer_request
from local_host.triggers import TimerTrigger

# The wall clock may be set while we sleep, so look at it again once a minute.
LONGEST_SLEEP_SECONDS = 60.0

logger = logging.getLogger("local_host")


def start_timers(
    functions: Iterable[Function], *, host: Host, clock: Callable[[], datetime]
) -> list[asyncio.Task[None]]:
    """Start a task for every timer that has a schedule; cancel the tasks to stop them."""
    return [
        asyncio.create_task(_follow(each, each.trigger, host=host, clock=clock), name=each.name)
        for each in functions
        if isinstance(each.trigger, TimerTrigger)
    ]


async def _follow(
    function: Function, trigger: TimerTrigger, *, host: Host, clock: Callable[[], datetime]
) -> None:
    if trigger.run_on_startup:
        await _tick(function, host=host, due=clock())
    last = clock()
    while True:
        due = trigger.schedule.next_after(last)
        logger.info("The next occurrence of '%s' is %s", function.name, due.isoformat())
        await _sleep_until(due, clock=clock)
        last = max(due, clock())
        await _tick(function, host=host, due=due)


async def _tick(function: Function, *, host: Host, due: datetime) -> None:
    _, task = host.start(function, timer_request(past_due=False, due=due))
    # Stopping the timer must not end its run: the host waits for that one itself.
    await asyncio.shield(task)


async def _sleep_until(due: datetime, *, clock: Callable[[], datetime]) -> None:
    while (remaining := (due - clock()).total_seconds()) > 0:  # noqa: ASYNC110  # waits for a time, not an event
        await asyncio.sleep(min(remaining, LONGEST_SLEEP_SECONDS))
