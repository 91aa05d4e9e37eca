"""Updates of web services by JSON Patch, deletion, new keys, and the operations that they are.

Source: azureml-core 1.61, AciWebservice.update, AksWebservice.update, Webservice.delete, .regen_key
and ._get_operation_state: 202 with `Operation-Location`, of which the SDK takes the last part.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, RootModel

from azure_emulator.answers import Answer, AzureError, json_answer
from azure_emulator.arm import request_body
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.estate.operations import Operation
from azure_emulator.estate.scoring import WebService
from azure_emulator.model_management.errors import ModelManagementError
from azure_emulator.model_management.services import the_service

_STATES = {"InProgress": "Running"}


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    op: Literal["add", "replace"]
    path: str
    value: Any = None


class _Patch(RootModel[list[_Change]]):
    """RFC 6902, as far as the SDK goes."""


class _WantedKeys(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    keyType: Literal["Primary", "Secondary"]  # noqa: N815  # Azure's spelling
    keyValue: str | None = None  # noqa: N815  # likewise


def update_service(call: Call) -> Answer:
    """PATCH: 202, and the operation to look at."""
    service = the_service(call)
    _require(call, service, "write")
    patch = request_body.parse(call.body, _Patch)
    changes: dict[str, Any] = {"properties": dict(service.seed.properties)}
    for change in patch.root:
        _apply(change, changes)
    try:
        operation = call.estate.web_services.update(service, changes)
    except AzureError as error:
        raise ModelManagementError(error.status, error.code, error.message) from None
    return _accepted(call, operation)


def delete_service(call: Call) -> Answer:
    """DELETE: 202, and the operation to look at; 204 where it is not there."""
    workspace = call.workspace()
    service = workspace.services.get(call.names["service"].lower())
    if service is None:
        return Answer(status=204)
    _require(call, service, "delete")
    operation = call.estate.web_services.delete(
        service, then=lambda: call.estate.remove_service(workspace, service)
    )
    return _accepted(call, operation)


def regenerate_keys(call: Call) -> Answer:
    """POST regenerateKeys: 202, and an operation that is complete; the old key is refused at once."""
    service = the_service(call)
    _require(call, service, "write")
    wanted = request_body.parse(call.body, _WantedKeys)
    service.credentials.regenerate(primary=wanted.keyType == "Primary", value=wanted.keyValue)
    return _accepted(call, call.estate.web_services.done(service))


def validate(_call: Call) -> Answer:
    """POST services/validate: whatever is to be done, nothing speaks against it."""
    return json_answer({})


def get_operation(call: Call) -> Answer:
    """GET operations/{id}: how far an update is."""
    name = call.names["operation"]
    found = call.estate.operations.get(name)
    if found is None:
        raise ModelManagementError(404, "OperationNotFound", f"Operation {name} was not found.")
    return json_answer(_document(found))


def _require(call: Call, service: WebService, action: str) -> None:
    call.require(f"{PROVIDER}/workspaces/services/{service.seed.compute_type.lower()}/{action}")


def _accepted(call: Call, operation: Operation) -> Answer:
    workspace = call.path.partition("/services/")[0]
    location = f"{call.settings.base_url}{workspace}/operations/{operation.id}"
    return Answer(status=202, headers=((b"operation-location", location.encode()),))


def _apply(change: _Change, changes: dict[str, Any]) -> None:
    """Note what a change does. Raises ModelManagementError for what is not known here."""
    path, value = change.path, change.value
    if path.startswith("/properties/"):
        changes["properties"][path.removeprefix("/properties/")] = value
    elif path == "/environmentImageRequest":
        changes["models"] = tuple(value["modelIds"])
    elif path in _FIELDS:
        changes[_FIELDS[path]] = value
    else:
        raise ModelManagementError(501, "NotImplemented", f"The emulator cannot change {path}")


_FIELDS = {
    "/imageId": "image",
    "/kvTags": "tags",
    "/description": "description",
    "/authEnabled": "auth_enabled",
    "/numReplicas": "replicas",
}


def _document(operation: Operation) -> dict[str, Any]:
    error = operation.error and {"statusCode": 504, "details": [], **operation.error}
    return {
        "id": operation.id,
        "operationType": "Service",
        "state": _STATES.get(operation.status, operation.status),
        "createdTime": None,
        "endTime": None,
        "error": error,
        "resourceLocation": None,
        "operationLog": None,
        "operationDetails": None,
        "parentRequestId": None,
        "streamingOperationLog": None,
    }
