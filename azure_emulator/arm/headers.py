"""The response headers of Resource Manager and the resource provider, as recorded."""

import os
import uuid
from datetime import UTC, datetime
from functools import lru_cache

from starlette.types import Scope

from azure_emulator.answers import Answer, Headers
from azure_emulator.entra.directory import TENANT_ID
from azure_emulator.recorder import Record

_TENANT = f"tenantId={TENANT_ID},objectId=".encode()
_CORRELATION = b"x-ms-correlation-request-id"
_CLIENT_REQUEST = b"x-ms-client-request-id"
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


def complete(answer: Answer, *, record: Record, request: Scope, seconds: float) -> Answer:
    """Add what every answer carries; headers the answer already has stay as they are."""
    request_id = str(uuid.UUID(bytes=os.urandom(16), version=4)).encode()
    asked = dict(request["headers"])
    own: Headers = (
        (b"x-ms-request-id", request_id),
        (b"x-ms-correlation-request-id", asked.get(_CORRELATION, request_id)),
        *_trace(record, request_id),
        (b"x-request-time", b"%.3f" % seconds),
        *_echo(asked),
        *_FIXED,
    )
    present = {name for name, _ in answer.headers}
    added = tuple(header for header in own if header[0] not in present)
    return Answer(status=answer.status, body=answer.body, headers=(*answer.headers, *added))


def _trace(record: Record, request_id: bytes) -> Headers:
    routed, edge = _stamps(int(record.at))
    caller = (record.principal or "").encode()
    return (
        (b"x-ms-routing-request-id", routed + request_id),
        (b"x-ms-operation-identifier", b"%s%s/westeurope/%s" % (_TENANT, caller, request_id)),
        (b"x-msedge-ref", b"Ref A: %s %s" % (request_id.replace(b"-", b"").upper(), edge)),
    )


@lru_cache(maxsize=2)
def _stamps(second: int) -> tuple[bytes, bytes]:
    moment = datetime.fromtimestamp(second, UTC)
    return (
        f"WESTEUROPE:{moment:%Y%m%dT%H%M%SZ}:".encode(),
        f"Ref B: AMS231032607045 Ref C: {moment:%Y-%m-%dT%H:%M:%SZ}".encode(),
    )


def _echo(asked: dict[bytes, bytes]) -> Headers:
    """The caller's own request id, for those who ask to see it again."""
    wanted = asked.get(b"x-ms-return-client-request-id", b"").lower() == b"true"
    if not wanted or _CLIENT_REQUEST not in asked:
        return ()
    return ((_CLIENT_REQUEST, asked[_CLIENT_REQUEST]),)
