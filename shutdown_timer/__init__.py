"""The ticks: every quarter of an hour, stop each compute instance that should be off by now."""

import azure.functions as func

from shared import bootstrap

shutdown_timer_functions = func.Blueprint()


@shutdown_timer_functions.function_name("shutdown_timer")
@shutdown_timer_functions.timer_trigger(
    arg_name="timer", schedule="%SHUTDOWN_SCHEDULE%", run_on_startup=False
)
async def shutdown_timer(timer: func.TimerRequest, context: func.Context) -> None:
    """Run on time or past due alike; fails unless the run succeeded."""
    await bootstrap.shut_down_on_schedule(
        context,
        past_due=timer.past_due,
        # Both engines give it; the type that they share does not have it.
        schedule_status=getattr(timer, "schedule_status", None),
    )
