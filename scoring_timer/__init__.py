"""The schedule of scoring services: one round of health checks, and care for redeploys."""

import azure.functions as func

from shared import bootstrap

scoring_timer_functions = func.Blueprint()


@scoring_timer_functions.function_name("scoring_timer")
@scoring_timer_functions.timer_trigger(
    arg_name="timer", schedule="%SCORING_SCHEDULE%", run_on_startup=False
)
async def scoring_timer(timer: func.TimerRequest, context: func.Context) -> None:
    """Check them all; fails when services could not be checked, not when one is unhealthy."""
    await bootstrap.check_on_schedule(context, past_due=timer.past_due)


@scoring_timer_functions.function_name("redeploy_timer")
@scoring_timer_functions.timer_trigger(
    arg_name="timer", schedule="%SCORING_SCHEDULE%", run_on_startup=False
)
async def redeploy_timer(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001  # the host names it
    """Bring back redeploys that were lost; heal, restart and follow those that ask for it."""
    await bootstrap.care_for_redeploys(context)
