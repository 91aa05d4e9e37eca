"""Functions of the dashboard: the page for people on duty, and the summary that it draws from."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared import bootstrap

if TYPE_CHECKING:
    from shared.replies import Reply

dashboard_http_functions = func.Blueprint()


@dashboard_http_functions.function_name("dashboard_page")
@dashboard_http_functions.route(
    route="dashboard",
    methods=["GET"],
    auth_level=func.AuthLevel.ANONYMOUS,  # it holds no data; a browser cannot send a key for a page
    trigger_arg_name="request",
)
async def dashboard_page(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:  # noqa: ARG001  # the host names it
    """Answer the page; it asks for a function key and sends it to the summary."""
    reply = await bootstrap.show_page(
        "dashboard_page", trace_parent=context.trace_context.trace_parent
    )
    return _response(reply)


@dashboard_http_functions.function_name("dashboard_summary")
@dashboard_http_functions.route(
    route="dashboard/summary", methods=["GET"], trigger_arg_name="request"
)
async def dashboard_summary(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer how everything is, as far as it was recorded."""
    reply = await bootstrap.summarise(
        "dashboard_summary", request.params, trace_parent=context.trace_context.trace_parent
    )
    return _response(reply)


def _response(reply: "Reply") -> func.HttpResponse:
    return func.HttpResponse(
        reply.body,
        status_code=reply.status,
        headers=reply.headers,
        mimetype=reply.content_type,
    )
