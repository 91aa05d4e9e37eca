"""Turn the input of a manual start into what the function's trigger would have handed it.

Source: https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.functions.http import HttpRequest
from azure.functions.timer import TimerRequest

from local_host.functions import Function
from local_host.queue_messages import manual_message
from local_host.triggers import HttpTrigger


def trigger_data(function: Function, text: str) -> Any:
    """Return a timer request, an HTTP POST with this body, or a queue message with this body."""
    match function.kind:
        case "timerTrigger":
            return timer_request(past_due=_timer_info(text).get("IsPastDue") is True)
        case "httpTrigger":
            return _http_post(function, text)
        case "queueTrigger":
            return manual_message(text)
    return text


def timer_request(*, past_due: bool, due: datetime | None = None) -> TimerRequest:
    """Return what the host sends with a tick; `due` is the scheduled time, None for a manual one."""
    status = {"Next": due.isoformat()} if due else {}
    return TimerRequest(past_due=past_due, schedule_status=status, schedule={"AdjustForDST": True})


def _timer_info(text: str) -> Mapping[str, Any]:
    # Azure's own examples send any text to a timer; only a JSON object says something.
    try:
        info = json.loads(text)
    except ValueError:
        return {}
    return info if isinstance(info, dict) else {}


def _http_post(function: Function, text: str) -> HttpRequest:
    route = function.trigger.route.template if isinstance(function.trigger, HttpTrigger) else ""
    return HttpRequest(
        method="POST",
        url=f"http://127.0.0.1/{route}",
        headers={"content-type": "application/json"},
        params={},
        route_params={},
        body_type="bytes",
        body=text.encode(),
    )
