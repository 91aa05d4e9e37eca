"""A few JSON requests to the emulator and the local host, on loopback."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body."""
        return json.loads(self.body)


def send(
    method: str,
    url: str,
    *,
    ca_file: Path | None = None,
    headers: Mapping[str, str] | None = None,
    body: object = None,
) -> Answer:
    """Send one request; `body` as JSON. http.client uses no proxy, whatever the environment says."""
    parts = urlsplit(url)
    connection = _connect(parts.scheme, parts.netloc, ca_file)
    content = None if body is None else json.dumps(body).encode()
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    try:
        connection.request(method, path, body=content, headers=dict(headers or {}))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=names, body=response.read())
    finally:
        connection.close()


def _connect(scheme: str, netloc: str, ca_file: Path | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context(cafile=ca_file)
        return http.client.HTTPSConnection(netloc, timeout=30, context=context)
    return http.client.HTTPConnection(netloc, timeout=30)
