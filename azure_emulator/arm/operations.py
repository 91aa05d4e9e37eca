"""Where a long-running operation is looked up, and the answers that point there.

`recorded` is live traffic of December 2024; `spec` is what the specification promises (final state
via Location). The parameters t, c, s and h are a signature of more than 4 KB.
"""

import base64
import math
import os
import time

from azure_emulator.answers import JSON_TYPE, Answer, AzureError, Headers, json_answer
from azure_emulator.arm import api_versions
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.compute_resource import wire
from azure_emulator.estate.operations import Operation

POLL_SECONDS = 15
_BY_LOCATION = "location"


def accepted(call: Call, operation: Operation) -> Answer:
    """202 with an empty body and the header(s) of `--stop-reply`; 200 for the oldest clients."""
    # Until 2020-08-01 the specification promised 200; its clients take nothing else for success.
    status = 200 if api_versions.is_before_2021(call.query) else 202
    return Answer(status=status, headers=links(call, operation))


def links(call: Call, operation: Operation) -> Headers:
    """The header(s) of `--stop-reply` that say where an operation is looked up."""
    style = call.settings.stop_reply
    headers: Headers = ()
    if style in {"recorded", "both"}:
        headers += ((b"azure-asyncoperation", _url(call, operation).encode()),)
    if style in {"spec", "both"}:
        headers += _location(call, operation)
    return headers


def get_status(call: Call) -> Answer:
    """GET computeOperationsStatus: a status document, or for Location the code that tells it."""
    operation = call.estate.operations.get(call.names["operation"])
    if operation is None:
        message = f"The operation '{call.names['operation']}' could not be found."
        raise AzureError(404, "NotFound", message)
    if call.query.get("poll") == _BY_LOCATION:
        return _by_location(call, operation)
    return json_answer(_document(operation))


def _document(operation: Operation) -> dict[str, object]:
    if operation.status == "InProgress":
        return {"status": "InProgress"}
    if operation.error is None:
        return {"status": operation.status, "percentComplete": 100.0}
    return {"status": operation.status, "percentComplete": 100.0, "error": operation.error}


def _by_location(call: Call, operation: Operation) -> Answer:
    if operation.status == "InProgress":
        return Answer(status=202, headers=_location(call, operation))
    if operation.error is not None:
        raise AzureError(400, operation.error["code"], operation.error["message"])
    if operation.result is not None:
        resource = wire(operation.result, operation.result.versions[-1])
        return Answer(body=resource, headers=(JSON_TYPE,))
    return json_answer(_document(operation))


def _location(call: Call, operation: Operation) -> Headers:
    seconds = max(1, math.ceil(POLL_SECONDS * call.clock.scale))
    url = f"{_url(call, operation)}&poll={_BY_LOCATION}"
    return ((b"location", url.encode()), (b"retry-after", str(seconds).encode()))


def _url(call: Call, operation: Operation) -> str:
    path = (
        f"/subscriptions/{operation.subscription_id}/providers/{PROVIDER}/locations/"
        f"{operation.location}/computeOperationsStatus/{operation.id}"
    )
    version = call.query["api-version"]
    return f"{call.settings.base_url}{path}?api-version={version}&service=new&{signature()}"


def signature() -> str:
    """Return a query as long as Azure's; nobody checks it."""
    ticks = int(time.time() * 10_000_000) + 621_355_968_000_000_000
    certificate, signed, digest = _random_text(2900), _random_text(256), _random_text(32)
    return f"t={ticks}&c={certificate}&s={signed}&h={digest}"


def _random_text(length: int) -> str:
    return base64.urlsafe_b64encode(os.urandom(length)).decode().rstrip("=")
