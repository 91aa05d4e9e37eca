"""A small app with one function for each thing that a Functions host has to get right."""

import asyncio
import json
import logging
import os
import sys
import time

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
blueprint = func.Blueprint()
never = "0 0 0 29 2 *"


@app.route("greetings/{name?}", methods=["GET", "POST"])
async def greet(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.params),
        "route_params": dict(req.route_params),
        "greeting": req.headers.get("X-Greeting"),
        "body": req.get_body().decode(),
        "invocation_id": context.invocation_id,
        "function_name": context.function_name,
        "trace_parent": context.trace_context.trace_parent,
    }
    return func.HttpResponse(json.dumps(seen), status_code=207, mimetype="application/json")


@app.route("public", auth_level=func.AuthLevel.ANONYMOUS)
def public(req: func.HttpRequest) -> str:
    return f"{req.method} from a thread"


@app.route("guarded", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
async def guarded(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.method)


@app.route("things/special", auth_level=func.AuthLevel.ANONYMOUS)
async def special(req: func.HttpRequest) -> str:
    return f"special {dict(req.route_params)}"


@app.route("things/{id:int}", auth_level=func.AuthLevel.ANONYMOUS)
async def thing(req: func.HttpRequest) -> str:
    return f"thing {req.route_params['id']}"


@app.route("files/{*path}", auth_level=func.AuthLevel.ANONYMOUS)
async def files(req: func.HttpRequest) -> str:
    return f"files {req.route_params.get('path')}"


@app.route("environment/{name}", auth_level=func.AuthLevel.ANONYMOUS)
async def environment(req: func.HttpRequest) -> str:
    return os.environ.get(req.route_params["name"], "not set")


@app.route("cookies", auth_level=func.AuthLevel.ANONYMOUS)
async def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse(req.get_body(), mimetype="text/csv")
    response.headers.add("Set-Cookie", "a=1")
    response.headers.add("Set-Cookie", "b=2")
    return response


@app.route("broken", auth_level=func.AuthLevel.ANONYMOUS)
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise LookupError(f"no answer to {req.method}")


@app.route("mapping", auth_level=func.AuthLevel.ANONYMOUS)
async def mapping(req: func.HttpRequest) -> func.HttpResponse:
    return {"method": req.method}  # type: ignore[return-value]  # the mistake is the point


@blueprint.timer_trigger("timer", schedule="%SAMPLE_SCHEDULE%")
async def tick(timer: func.TimerRequest) -> None:
    logging.getLogger("sample").info("tick, past due: %s", timer.past_due)


@blueprint.timer_trigger("timer", schedule="%SAMPLE_MISSING_SCHEDULE%")
async def lost(timer: func.TimerRequest) -> None:
    logging.getLogger("sample").info("lost %s", timer)


@blueprint.timer_trigger("timer", schedule="every night")
async def misspelt(timer: func.TimerRequest) -> None:
    logging.getLogger("sample").info("misspelt %s", timer)


@blueprint.timer_trigger("timer", schedule=never)
async def fails(timer: func.TimerRequest) -> None:
    raise ValueError(f"boom, past due: {timer.past_due}")


@blueprint.timer_trigger("timer", schedule=never)
async def answers(timer: func.TimerRequest) -> bool:
    return timer.past_due


@blueprint.timer_trigger("timer", schedule=never)
async def cancels(timer: func.TimerRequest) -> None:
    raise asyncio.CancelledError(timer.past_due)


@blueprint.timer_trigger("timer", schedule=never)
async def exits(timer: func.TimerRequest) -> None:
    sys.exit(f"past due: {timer.past_due}")


@blueprint.timer_trigger("timer", schedule=never)
async def hangs(timer: func.TimerRequest) -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        logging.getLogger("sample").info("hangs cleans up, past due: %s", timer.past_due)


@blueprint.timer_trigger("timer", schedule=never)
async def blocks(timer: func.TimerRequest) -> None:
    # The mistake is the point: a blocking call stalls the worker's event loop.
    time.sleep(600 if timer.past_due else 4)  # noqa: ASYNC251


@blueprint.timer_trigger("timer", schedule=never)
def dozes(timer: func.TimerRequest) -> None:
    time.sleep(0.3)
    logging.getLogger("sample").info("dozed, past due: %s", timer.past_due)


@blueprint.queue_trigger("message", queue_name="work", connection="AzureWebJobsStorage")
async def consume(message: func.QueueMessage) -> None:
    logging.getLogger("sample").info("consumed %s", message.get_body())


app.register_functions(blueprint)
