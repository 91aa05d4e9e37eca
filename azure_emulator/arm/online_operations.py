"""Where changes of online endpoints are followed.

Source: OnlineDeployments_CreateOrUpdate and _Delete of 2025-12-01 (201 with Azure-AsyncOperation, 202
with Location), and the operations' URLs as azure-ai-ml shows them (`AzureAsyncOperationUri`).
"""

import math

from azure_emulator.answers import Answer, AzureError, Headers, json_answer
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.operations import signature
from azure_emulator.estate.operations import Operation

_POLL_SECONDS = 15
_TIMEOUT = (b"x-ms-async-operation-timeout", b"PT1H30M")


def followed(call: Call, operation: Operation) -> Headers:
    """The headers of a PUT that goes on."""
    url = _url(call, operation, "mfeOperationsStatus")
    return ((b"azure-asyncoperation", url.encode()), _TIMEOUT)


def accepted(call: Call, operation: Operation) -> Answer:
    """202: followed by its Location."""
    return Answer(status=202, headers=(*_location(call, operation), _TIMEOUT))


def get_status(call: Call) -> Answer:
    """GET mfeOperationsStatus: a status document."""
    operation = _operation(call)
    document: dict[str, object] = {"status": operation.status}
    if operation.error is not None:
        document["error"] = operation.error
    return json_answer(document)


def get_result(call: Call) -> Answer:
    """GET mfeOperationResults: 202 while it goes on, then 204, or 400 where it failed."""
    operation = _operation(call)
    if operation.status == "InProgress":
        return Answer(status=202, headers=_location(call, operation))
    if operation.error is not None:
        raise AzureError(400, operation.error["code"], operation.error["message"])
    return Answer(status=204)


def _operation(call: Call) -> Operation:
    name = call.names["operation"]
    found = call.estate.operations.get(name)
    if found is None:
        raise AzureError(404, "NotFound", f"The operation '{name}' could not be found.")
    return found


def _location(call: Call, operation: Operation) -> Headers:
    seconds = max(1, math.ceil(_POLL_SECONDS * call.clock.scale))
    url = _url(call, operation, "mfeOperationResults")
    return ((b"location", url.encode()), (b"retry-after", str(seconds).encode()))


def unsigned_url(call: Call, operation: Operation) -> str:
    """Where the status is looked up, as resources show it."""
    return _url(call, operation, "mfeOperationsStatus").partition("&")[0]


def _url(call: Call, operation: Operation, kind: str) -> str:
    path = (
        f"/subscriptions/{operation.subscription_id}/providers/{PROVIDER}/locations/"
        f"{operation.location}/{kind}/{operation.id}"
    )
    version = call.query["api-version"]
    return f"{call.settings.base_url}{path}?api-version={version}&{signature()}"
