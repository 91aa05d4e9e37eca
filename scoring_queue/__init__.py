"""One message = one step of a redeploy: carry it out, or undo the redeploy that it belongs to."""

import azure.functions as func

from shared import bootstrap

scoring_queue_functions = func.Blueprint()


@scoring_queue_functions.function_name("scoring_queue")
@scoring_queue_functions.queue_trigger(
    arg_name="message", queue_name="scoring-redeploy-steps", connection="AzureWebJobsStorage"
)
async def scoring_queue(message: func.QueueMessage, context: func.Context) -> None:
    """Carry out the step; fails, and comes back, only when our own infrastructure does."""
    await bootstrap.work_step(context, message.get_body())


@scoring_queue_functions.function_name("scoring_queue_poison")
@scoring_queue_functions.queue_trigger(
    arg_name="message", queue_name="scoring-redeploy-steps-poison", connection="AzureWebJobsStorage"
)
async def scoring_queue_poison(message: func.QueueMessage, context: func.Context) -> None:
    """Undo the redeploy whose step failed at every try; go on where only our own storage did."""
    await bootstrap.work_poisoned_step(context, message.get_body())
