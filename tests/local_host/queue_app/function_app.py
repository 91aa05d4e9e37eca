"""A small app that does what its messages say, and logs what it was given."""

import asyncio
import json
import logging
import time

import azure.functions as func

app = func.FunctionApp()
running = {"now": 0}


def saw(message: func.QueueMessage, context: func.Context) -> None:
    seen = {
        "function": context.function_name,
        "invocation_id": context.invocation_id,
        "id": message.id,
        "body": message.get_body().decode(),
        "dequeue_count": message.dequeue_count,
        "inserted": str(message.insertion_time),
        "expires": str(message.expiration_time),
        "next_visible": str(message.time_next_visible),
        "has_receipt": bool(message.pop_receipt),
        "running": running["now"],
        "at": time.monotonic(),
    }
    logging.getLogger("sample").info("saw %s", json.dumps(seen))


@app.queue_trigger("message", queue_name="%WORK_QUEUE%", connection="WORK_STORAGE")
async def work(message: func.QueueMessage, context: func.Context) -> None:
    """Do `{"sleep": seconds}`, and `{"fail": times}`: fail until it was tried so often."""
    running["now"] += 1
    try:
        saw(message, context)
        todo = json.loads(message.get_body() or b"{}")
        await asyncio.sleep(todo.get("sleep", 0))
        if (message.dequeue_count or 0) <= todo.get("fail", 0):
            raise ValueError(f"failure {message.dequeue_count}")
    finally:
        running["now"] -= 1


@app.queue_trigger("message", queue_name="%WORK_QUEUE%-threads", connection="WORK_STORAGE")
def work_in_a_thread(message: func.QueueMessage, context: func.Context) -> None:
    saw(message, context)


@app.queue_trigger("message", queue_name="%WORK_QUEUE%-poison", connection="WORK_STORAGE")
async def graveyard(message: func.QueueMessage, context: func.Context) -> None:
    saw(message, context)
    if "twice" in message.get_body().decode():
        raise ValueError("fails here too")


@app.queue_trigger("message", queue_name="elsewhere", connection="MISSING_STORAGE")
async def homeless(message: func.QueueMessage) -> None:
    logging.getLogger("sample").info("homeless %s", message)


@app.queue_trigger("message", queue_name="Not_A_Queue", connection="WORK_STORAGE")
async def misnamed(message: func.QueueMessage) -> None:
    logging.getLogger("sample").info("misnamed %s", message)


@app.timer_trigger("timer", schedule="0 0 0 29 2 *")
async def tick(timer: func.TimerRequest) -> None:
    logging.getLogger("sample").info("tick, past due: %s", timer.past_due)
