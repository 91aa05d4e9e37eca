"""Bodies of requests to Resource Manager: JSON, of limited size, checked against a model."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.types import Scope

from azure_emulator.answers import AzureError
from azure_emulator.faults import Exchange

# Neither is a document: what is no JSON, and what is no object.
_NO_DOCUMENT = frozenset({"json_invalid", "model_type"})
LIMIT_BYTES = 4 * 1024 * 1024
Document = TypeVar("Document", bound=BaseModel)


async def read(exchange: Exchange) -> bytes:
    """The whole body. Raises AzureError 413 above Resource Manager's limit, 415 for other media."""
    _require_json(exchange.scope)
    content, more = bytearray(), True
    while more:
        message = await exchange.receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
        if len(content) > LIMIT_BYTES:
            text = f"The request content size exceeds the maximum size of {LIMIT_BYTES} bytes."
            raise AzureError(413, "RequestContentTooLarge", text)
    return bytes(content)


def parse(content: bytes, kind: type[Document]) -> Document:
    """The body as a model. Raises AzureError 400 that says where it does not fit."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise _refusal(error) from None


def _require_json(scope: Scope) -> None:
    given = dict(scope["headers"]).get(b"content-type", b"application/json").decode("latin-1")
    media_type = given.partition(";")[0].strip().lower()
    if media_type not in {"application/json", "text/json", "application/json-patch+json"}:
        message = f"The content media type '{media_type}' is not supported."
        raise AzureError(415, "UnsupportedMediaType", message)


def _refusal(error: ValidationError) -> AzureError:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if found[0]["type"] in _NO_DOCUMENT and not found[0]["loc"]:
        message = (
            f"The request content was invalid and could not be deserialized: {found[0]['msg']}"
        )
        return AzureError(400, "InvalidRequestContent", message)
    places = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in found]
    return AzureError(400, "UserError", f"The request is invalid: {'; '.join(places)}.")
