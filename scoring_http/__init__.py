"""Functions under /api/scoring: how the services are, check one now, maintenance, redeploys."""

import azure.functions as func

from shared import bootstrap

scoring_http_functions = func.Blueprint()


@scoring_http_functions.function_name("service_list")
@scoring_http_functions.route(route="scoring/services", methods=["GET"], trigger_arg_name="request")
async def service_list(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer how every service is."""
    reply = await bootstrap.about_services(context, lambda services: services.list(request.params))
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("service_get")
@scoring_http_functions.route(
    route="scoring/services/{name}", methods=["GET"], trigger_arg_name="request"
)
async def service_get(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer how one service is: its state, its last checks, its uptime."""
    reply = await bootstrap.about_services(
        context, lambda services: services.get(request.route_params["name"], request.params)
    )
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("service_check")
@scoring_http_functions.route(
    route="scoring/services/{name}/check", methods=["POST"], trigger_arg_name="request"
)
async def service_check(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Check one service now; the answer is what was seen."""
    reply = await bootstrap.check_now(
        context, request.route_params["name"], request.headers, unread=request.params
    )
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("maintenance_put")
@scoring_http_functions.route(
    route="scoring/services/{name}/maintenance", methods=["PUT"], trigger_arg_name="request"
)
async def maintenance_put(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Open a maintenance window; it closes by itself."""
    reply = await bootstrap.about_services(
        context,
        lambda services: services.put_maintenance(
            request.route_params["name"], request.headers, request.get_body()
        ),
        unread=request.params,
    )
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("maintenance_delete")
@scoring_http_functions.route(
    route="scoring/services/{name}/maintenance", methods=["DELETE"], trigger_arg_name="request"
)
async def maintenance_delete(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Close a maintenance window."""
    reply = await bootstrap.about_services(
        context,
        lambda services: services.delete_maintenance(request.route_params["name"]),
        unread=request.params,
    )
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("service_badge")
@scoring_http_functions.route(
    route="scoring/services/{name}/badge.svg", methods=["GET"], trigger_arg_name="request"
)
async def service_badge(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer a picture of how a service is, to show on a page."""
    reply = await bootstrap.about_services(
        context, lambda services: services.badge(request.route_params["name"])
    )
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("redeploy_post")
@scoring_http_functions.route(
    route="scoring/services/{name}/redeploy", methods=["POST"], trigger_arg_name="request"
)
async def redeploy_post(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Begin a redeploy; its Location tells how it goes."""
    reply = await bootstrap.about_redeploys(
        context,
        lambda redeploys: redeploys.post(
            request.route_params["name"], request.headers, request.get_body()
        ),
        unread=request.params,
    )
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("redeploy_list")
@scoring_http_functions.route(
    route="scoring/services/{name}/redeploys", methods=["GET"], trigger_arg_name="request"
)
async def redeploy_list(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer the last redeploys of a service."""
    reply = await bootstrap.about_redeploys(
        context, lambda redeploys: redeploys.list(request.route_params["name"], request.params)
    )
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("redeploy_get")
@scoring_http_functions.route(
    route="scoring/redeploys/{redeploy_id}", methods=["GET"], trigger_arg_name="request"
)
async def redeploy_get(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer how far a redeploy is, and all that was seen."""
    reply = await bootstrap.about_redeploys(
        context, lambda redeploys: redeploys.get(request.route_params["redeploy_id"])
    )
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("redeploy_abort")
@scoring_http_functions.route(
    route="scoring/redeploys/{redeploy_id}/abort", methods=["POST"], trigger_arg_name="request"
)
async def redeploy_abort(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Have a redeploy undone."""
    reply = await bootstrap.about_redeploys(
        context,
        lambda redeploys: redeploys.abort(request.route_params["redeploy_id"], request.headers),
        unread=request.params,
    )
    return reply.wrapped_in(func.HttpResponse)


@scoring_http_functions.function_name("v1_sunset")
@scoring_http_functions.route(
    route="scoring/v1-sunset", methods=["GET"], trigger_arg_name="request"
)
async def v1_sunset(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer which web services of SDK v1 are left, and what each becomes."""
    reply = await bootstrap.list_v1_services(context, request.params)
    return reply.wrapped_in(func.HttpResponse)
