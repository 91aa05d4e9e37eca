"""The response headers of Resource Manager and the resource provider, as recorded."""

import os
import time
import uuid

from starlette.types import Scope

from azure_emulator.answers import Answer, Headers

REGION = "WESTEUROPE"
_FIXED: Headers = (
    (b"cache-control", b"no-cache"),
    (b"pragma", b"no-cache"),
    (b"expires", b"-1"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-cache", b"CONFIG_NOCACHE"),
    (b"x-ms-response-type", b"standard"),
    (b"azureml-served-by-cluster", b"vienna-westeurope-01"),
    (b"request-context", b"appId=cid-v1:2d2e8e63-272e-4b3c-8598-4ee570a0e70d"),
)


def complete(answer: Answer, *, request: Scope, seconds: float) -> Answer:
    """Add what every answer carries; headers the answer already has stay as they are."""
    request_id = str(uuid.UUID(bytes=os.urandom(16), version=4)).encode()
    correlation_id = _header(request, b"x-ms-correlation-request-id") or request_id
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    own: Headers = (
        (b"x-ms-request-id", request_id),
        (b"x-ms-correlation-request-id", correlation_id),
        (
            b"x-ms-routing-request-id",
            b"%s:%s:%s" % (REGION.encode(), stamp.encode(), request_id),
        ),
        (b"x-request-time", f"{seconds:.3f}".encode()),
        *_FIXED,
    )
    present = {name for name, _ in answer.headers}
    added = tuple(header for header in own if header[0] not in present)
    return Answer(status=answer.status, body=answer.body, headers=(*answer.headers, *added))


def _header(request: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in request["headers"] if key == name), None)
