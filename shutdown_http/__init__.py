"""Functions under /api/compute: what would be stopped, and stop it now."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared import bootstrap

if TYPE_CHECKING:
    from shared.replies import Reply

shutdown_http_functions = func.Blueprint()


@shutdown_http_functions.function_name("shutdown_plan")
@shutdown_http_functions.route(route="compute/plan", methods=["GET"], trigger_arg_name="request")
async def shutdown_plan(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer what a shutdown would do now; changes nothing."""
    reply = await bootstrap.plan_shutdown(
        "shutdown_plan", request.params, trace_parent=context.trace_context.trace_parent
    )
    return _response(reply)


@shutdown_http_functions.function_name("shutdown_now")
@shutdown_http_functions.route(
    route="compute/shutdown", methods=["POST"], trigger_arg_name="request"
)
async def shutdown_now(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Shut down what the body names, now; the answer is the report of what was seen."""
    reply = await bootstrap.shut_down_now(
        "shutdown_now", request.get_body(), trace_parent=context.trace_context.trace_parent
    )
    return _response(reply)


def _response(reply: "Reply") -> func.HttpResponse:
    return func.HttpResponse(
        reply.body,
        status_code=reply.status,
        headers=reply.headers,
        mimetype=reply.content_type,
    )
