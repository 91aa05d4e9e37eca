"""Functions for people on duty and monitors: the page, its summary, the app's health, openapi.json."""

import azure.functions as func

from shared import bootstrap

dashboard_http_functions = func.Blueprint()


@dashboard_http_functions.function_name("dashboard_page")
@dashboard_http_functions.route(
    route="dashboard",
    methods=["GET"],
    auth_level=func.AuthLevel.ANONYMOUS,  # it holds no data; a browser cannot send a key for a page
    trigger_arg_name="request",
)
async def dashboard_page(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the host names it
    """Answer the page; it asks for a function key and sends it to the summary."""
    reply = await bootstrap.for_anybody(lambda anybody: anybody.page())
    return reply.wrapped_in(func.HttpResponse)


@dashboard_http_functions.function_name("dashboard_summary")
@dashboard_http_functions.route(
    route="dashboard/summary", methods=["GET"], trigger_arg_name="request"
)
async def dashboard_summary(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer how everything is, as far as it was recorded."""
    reply = await bootstrap.on_duty(context, lambda duty: duty.summary(request.params))
    return reply.wrapped_in(func.HttpResponse)


@dashboard_http_functions.function_name("health_check")
@dashboard_http_functions.route(route="health", methods=["GET"], trigger_arg_name="request")
async def health_check(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer how the app itself is, each check with its reason."""
    reply = await bootstrap.on_duty(context, lambda duty: duty.health(request.params))
    return reply.wrapped_in(func.HttpResponse)


@dashboard_http_functions.function_name("health_live")
@dashboard_http_functions.route(
    route="health/live",
    methods=["GET"],
    auth_level=func.AuthLevel.ANONYMOUS,  # the platform's health check can send no key
    trigger_arg_name="request",
)
async def health_live(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the host names it
    """Answer that this worker answers, for the platform's health check."""
    reply = await bootstrap.for_anybody(lambda anybody: anybody.live())
    return reply.wrapped_in(func.HttpResponse)


@dashboard_http_functions.function_name("openapi_document")
@dashboard_http_functions.route(route="openapi.json", methods=["GET"], trigger_arg_name="request")
async def openapi_document(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer the OpenAPI document of the HTTP API."""
    reply = await bootstrap.on_duty(context, lambda duty: duty.openapi(request.params))
    return reply.wrapped_in(func.HttpResponse)
