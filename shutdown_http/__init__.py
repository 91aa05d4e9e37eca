"""Functions under /api/compute: plan, shut down, explain, exempt, and look up runs."""

import azure.functions as func

from shared import bootstrap

shutdown_http_functions = func.Blueprint()


@shutdown_http_functions.function_name("shutdown_plan")
@shutdown_http_functions.route(route="compute/plan", methods=["GET"], trigger_arg_name="request")
async def shutdown_plan(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer what a shutdown would do now; changes nothing."""
    reply = await bootstrap.plan_shutdown(context, request.params)
    return reply.wrapped_in(func.HttpResponse)


@shutdown_http_functions.function_name("shutdown_now")
@shutdown_http_functions.route(
    route="compute/shutdown", methods=["POST"], trigger_arg_name="request"
)
async def shutdown_now(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Shut down what the body names, now; the answer is the report, or where it will be."""
    reply = await bootstrap.shut_down_now(
        context, request.get_body(), request.headers, unread=request.params
    )
    return reply.wrapped_in(func.HttpResponse)


@shutdown_http_functions.function_name("shutdown_explain")
@shutdown_http_functions.route(route="compute/explain", methods=["GET"], trigger_arg_name="request")
async def shutdown_explain(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer what a tick would decide about an instance, why, and until when."""
    reply = await bootstrap.explain_shutdown(context, request.params)
    return reply.wrapped_in(func.HttpResponse)


@shutdown_http_functions.function_name("exemption_list")
@shutdown_http_functions.route(
    route="compute/exemptions", methods=["GET"], trigger_arg_name="request"
)
async def exemption_list(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer which exemptions are in force."""
    reply = await bootstrap.about_exemptions(
        context, lambda exemptions: exemptions.list(request.params)
    )
    return reply.wrapped_in(func.HttpResponse)


@shutdown_http_functions.function_name("exemption_get")
@shutdown_http_functions.route(
    route="compute/exemptions/{exemption_id}", methods=["GET"], trigger_arg_name="request"
)
async def exemption_get(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer one exemption."""
    reply = await bootstrap.about_exemptions(
        context, lambda exemptions: exemptions.get(request.route_params["exemption_id"])
    )
    return reply.wrapped_in(func.HttpResponse)


@shutdown_http_functions.function_name("exemption_put")
@shutdown_http_functions.route(
    route="compute/exemptions/{exemption_id}", methods=["PUT"], trigger_arg_name="request"
)
async def exemption_put(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Keep a machine up until a moment; it ends by itself."""
    reply = await bootstrap.about_exemptions(
        context,
        lambda exemptions: exemptions.put(
            request.route_params["exemption_id"], request.headers, request.get_body()
        ),
        unread=request.params,
    )
    return reply.wrapped_in(func.HttpResponse)


@shutdown_http_functions.function_name("exemption_delete")
@shutdown_http_functions.route(
    route="compute/exemptions/{exemption_id}", methods=["DELETE"], trigger_arg_name="request"
)
async def exemption_delete(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Withdraw an exemption."""
    reply = await bootstrap.about_exemptions(
        context,
        lambda exemptions: exemptions.delete(request.route_params["exemption_id"], request.headers),
        unread=request.params,
    )
    return reply.wrapped_in(func.HttpResponse)


@shutdown_http_functions.function_name("run_list")
@shutdown_http_functions.route(route="compute/runs", methods=["GET"], trigger_arg_name="request")
async def run_list(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer a page of the history of runs, newest first."""
    reply = await bootstrap.about_runs(context, lambda runs: runs.list(request.params))
    return reply.wrapped_in(func.HttpResponse)


@shutdown_http_functions.function_name("run_get")
@shutdown_http_functions.route(
    route="compute/runs/{run_id}", methods=["GET"], trigger_arg_name="request"
)
async def run_get(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer the report of a run, or how far it is."""
    reply = await bootstrap.about_runs(
        context, lambda runs: runs.get(request.route_params["run_id"])
    )
    return reply.wrapped_in(func.HttpResponse)


@shutdown_http_functions.function_name("idle_shutdown_set")
@shutdown_http_functions.route(
    route="compute/guardrails/idle-shutdown", methods=["POST"], trigger_arg_name="request"
)
async def idle_shutdown_set(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Set how long named instances may idle before Azure ML stops them; dry unless said otherwise."""
    reply = await bootstrap.set_idle_shutdown(context, request.get_body(), unread=request.params)
    return reply.wrapped_in(func.HttpResponse)
