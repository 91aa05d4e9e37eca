"""One message = one subscription's share of a run: do it, or record that it was given up."""

import azure.functions as func

from shared import bootstrap

shutdown_queue_functions = func.Blueprint()


@shutdown_queue_functions.function_name("shutdown_queue")
@shutdown_queue_functions.queue_trigger(
    arg_name="message", queue_name="compute-shares", connection="AzureWebJobsStorage"
)
async def shutdown_queue(message: func.QueueMessage, context: func.Context) -> None:
    """Stop what the share covers; fails, and comes back, only when our own infrastructure does."""
    await bootstrap.work_share(context, message.get_body())


@shutdown_queue_functions.function_name("shutdown_queue_poison")
@shutdown_queue_functions.queue_trigger(
    arg_name="message", queue_name="compute-shares-poison", connection="AzureWebJobsStorage"
)
async def shutdown_queue_poison(message: func.QueueMessage, context: func.Context) -> None:
    """Record a share whose every try failed, so that its run can be closed."""
    await bootstrap.give_up_share(context, message.get_body())
