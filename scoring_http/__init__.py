"""Functions under /api/scoring: how the services are, check one now, and maintenance."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared import bootstrap

if TYPE_CHECKING:
    from shared.replies import Reply

scoring_http_functions = func.Blueprint()


@scoring_http_functions.function_name("service_list")
@scoring_http_functions.route(route="scoring/services", methods=["GET"], trigger_arg_name="request")
async def service_list(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer how every service is."""
    reply = await bootstrap.about_services(
        "service_list",
        lambda services: services.list(request.params),
        trace_parent=context.trace_context.trace_parent,
    )
    return _response(reply)


@scoring_http_functions.function_name("service_get")
@scoring_http_functions.route(
    route="scoring/services/{name}", methods=["GET"], trigger_arg_name="request"
)
async def service_get(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer how one service is: its state, its last checks, its uptime."""
    reply = await bootstrap.about_services(
        "service_get",
        lambda services: services.get(request.route_params["name"], request.params),
        trace_parent=context.trace_context.trace_parent,
    )
    return _response(reply)


@scoring_http_functions.function_name("service_check")
@scoring_http_functions.route(
    route="scoring/services/{name}/check", methods=["POST"], trigger_arg_name="request"
)
async def service_check(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Check one service now; the answer is what was seen."""
    reply = await bootstrap.check_now(
        "service_check",
        request.route_params["name"],
        request.headers,
        trace_parent=context.trace_context.trace_parent,
    )
    return _response(reply)


@scoring_http_functions.function_name("maintenance_put")
@scoring_http_functions.route(
    route="scoring/services/{name}/maintenance", methods=["PUT"], trigger_arg_name="request"
)
async def maintenance_put(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Open a maintenance window; it closes by itself."""
    reply = await bootstrap.about_services(
        "maintenance_put",
        lambda services: services.put_maintenance(
            request.route_params["name"], request.headers, request.get_body()
        ),
        trace_parent=context.trace_context.trace_parent,
    )
    return _response(reply)


@scoring_http_functions.function_name("maintenance_delete")
@scoring_http_functions.route(
    route="scoring/services/{name}/maintenance", methods=["DELETE"], trigger_arg_name="request"
)
async def maintenance_delete(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Close a maintenance window."""
    reply = await bootstrap.about_services(
        "maintenance_delete",
        lambda services: services.delete_maintenance(request.route_params["name"]),
        trace_parent=context.trace_context.trace_parent,
    )
    return _response(reply)


@scoring_http_functions.function_name("service_badge")
@scoring_http_functions.route(
    route="scoring/services/{name}/badge.svg", methods=["GET"], trigger_arg_name="request"
)
async def service_badge(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer a picture of how a service is, to show on a page."""
    reply = await bootstrap.about_services(
        "service_badge",
        lambda services: services.badge(request.route_params["name"]),
        trace_parent=context.trace_context.trace_parent,
    )
    return _response(reply)


def _response(reply: "Reply") -> func.HttpResponse:
    return func.HttpResponse(
        reply.body,
        status_code=reply.status,
        headers=reply.headers,
        mimetype=reply.content_type,
    )
