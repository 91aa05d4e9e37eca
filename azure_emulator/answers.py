"""What goes back over the wire: a complete response, and Azure's error envelope."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.types import Send

Headers = tuple[tuple[bytes, bytes], ...]
JSON_TYPE = (b"content-type", b"application/json; charset=utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete HTTP response; header names in lower case, no Content-Length."""

    status: int = HTTPStatus.OK
    body: bytes = b""
    headers: Headers = ()

    async def send(self, send: Send) -> None:
        length = (b"content-length", str(len(self.body)).encode())
        headers = self.headers if self.status == HTTPStatus.NO_CONTENT else (*self.headers, length)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(document: Any, *, status: int = HTTPStatus.OK, headers: Headers = ()) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode(), headers=(JSON_TYPE, *headers))


class AzureError(Exception):
    """An answer that is an error, in the envelope `{"error": {"code", "message"}}` of ARM.

    Source: the common error response of Azure Resource Manager (v3 common type ErrorResponse).
    """

    def __init__(self, status: int, code: str, message: str, *, headers: Headers = ()) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def envelope(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": self.message}}

    def answer(self) -> Answer:
        return json_answer(self.envelope(), status=self.status, headers=self.headers)
