"""Write the requests of the checks: below a service's base URL, and nowhere else. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from shared.scoring.probe import ProbeRequest
from shared.scoring.service import Checks, Golden, Route

# RFC 3986, 3.3: what a path may hold, and what is encoded already.
_LEFT_AS_IT_IS = "/%:@!$&'()*+,;="


def route_request(
    base: str, route: Route, rules: Checks, headers: Mapping[str, str]
) -> ProbeRequest:
    """Ask a cheap route. By GET: plumber answers HEAD with 405."""
    return _request("GET", _below(base, route.path), rules, headers)


def golden_request(
    base: str, golden: Golden, rules: Checks, headers: Mapping[str, str]
) -> ProbeRequest:
    """Ask for what the right answer is known. Booleans of a query are written as JSON's."""
    url = _below(base, golden.path)
    if golden.query:
        pairs = {name: _written(value) for name, value in golden.query.items()}
        # Not every server takes a plus sign for a space.
        url = f"{url}?{urlencode(pairs, quote_via=quote)}"
    if golden.method == "GET":
        return _request("GET", url, rules, headers)
    if "body" not in golden.model_fields_set:
        return _request("POST", url, rules, headers)
    body = json.dumps(golden.body).encode()
    return _request("POST", url, rules, {"Content-Type": "application/json", **headers}, body)


def _below(base: str, path: str) -> str:
    # Not urljoin: it would leave the base's path, and for `//host/` even its host.
    return base.rstrip("/") + quote(path, safe=_LEFT_AS_IT_IS)


def _written(value: str | float) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _request(
    method: str, url: str, rules: Checks, headers: Mapping[str, str], body: bytes = b""
) -> ProbeRequest:
    return ProbeRequest(
        method=method,
        url=url,
        headers=headers,
        body=body,
        timeout_seconds=rules.timeout_seconds,
        max_bytes=rules.max_response_bytes,
    )
