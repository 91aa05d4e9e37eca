"""Errors of the Blob service: XML, with the code in a header, too.

Source: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and status-and-error-codes2.
"""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from starlette.responses import Response

_MESSAGES = {
    "AuthenticationFailed": (
        403,
        (
            "Server failed to authenticate the request. Make sure the value of Authorization header "
            "is formed correctly including the signature."
        ),
    ),
    "AuthorizationPermissionMismatch": (
        403,
        "This request is not authorized to perform this operation using this permission.",
    ),
    "BlobNotFound": (404, "The specified blob does not exist."),
    "ContainerNotFound": (404, "The specified container does not exist."),
    "InvalidAuthenticationInfo": (
        401,
        "Authentication information is not given in the correct format.",
    ),
    "InvalidRange": (416, "The range specified is invalid for the current size of the resource."),
    "NoAuthenticationInformation": (
        401,
        (
            "Server failed to authenticate the request. Please refer to the information in the "
            "www-authenticate header."
        ),
    ),
    "ResourceNotFound": (404, "The specified resource does not exist."),
}


class StorageError(Exception):
    """A refusal of the Blob service; `code` is one of those that are known here."""

    def __init__(self, code: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.headers = dict(headers or {})

    def response(self, headers: Mapping[str, str]) -> Response:
        """Answer with it; `headers` are those that every answer carries."""
        status, message = _MESSAGES[self.code]
        body = (
            '﻿<?xml version="1.0" encoding="utf-8"?>'
            f"<Error><Code>{self.code}</Code><Message>{escape(message)}\n"
            f"RequestId:{headers['x-ms-request-id']}</Message></Error>"
        )
        told = {**headers, **self.headers, "x-ms-error-code": self.code}
        return Response(body, status_code=status, headers=told, media_type="application/xml")
