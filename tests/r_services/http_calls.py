"""One request per connection, as a probe sends it."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from tests.support.r_services import RServiceProcess

ANSWER_SECONDS = 30.0


def get(service: RServiceProcess, path: str, *, seconds: float = ANSWER_SECONDS) -> tuple[int, str]:
    return send(service, "GET", path, seconds=seconds)


def post(service: RServiceProcess, path: str, document: Any) -> tuple[int, Any]:
    status, text = send(service, "POST", path, body=json.dumps(document))
    return status, json.loads(text)


def send(
    service: RServiceProcess,
    method: str,
    path: str,
    *,
    body: str | None = None,
    seconds: float = ANSWER_SECONDS,
) -> tuple[int, str]:
    """Return status and body. Raises OSError where nobody listens or nobody answers in time."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=seconds)
    headers = {"Connection": "close", "Content-Type": "application/json"}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
