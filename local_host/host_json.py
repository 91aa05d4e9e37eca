"""What the local host obeys of host.json: the HTTP route prefix and the function timeout.

Source: https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

# What an app without the setting gets on the Flex Consumption plan.
DEFAULT_TIMEOUT = timedelta(minutes=30)
TIME_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+)")


class HostJsonError(Exception):
    """host.json is missing or cannot be understood; the message names the entry."""


@dataclass(frozen=True, kw_only=True)
class HostJson:
    """The settings that the local host honours. `function_timeout` is None for "-1", unbounded."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = DEFAULT_TIMEOUT


def read_host_json(app_root: Path) -> HostJson:
    """Read host.json in the app's root. Raises HostJsonError."""
    document = _document(app_root / "host.json")
    http = (document.get("extensions") or {}).get("http") or {}
    return HostJson(
        route_prefix=http.get("routePrefix", "api").strip("/"),
        function_timeout=_timeout(document.get("functionTimeout")),
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise HostJsonError(f"{path} is missing: start in the root of a Functions app") from error
    except ValueError as error:
        raise HostJsonError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise HostJsonError(f"{path} is not a JSON object")
    return document


def _timeout(value: str | None) -> timedelta | None:
    if value is None:
        return DEFAULT_TIMEOUT
    if value == "-1":
        return None
    match = TIME_SPAN.fullmatch(value)
    if match is None:
        raise HostJsonError(f"host.json: functionTimeout {value!r} is not hh:mm:ss")
    return timedelta(**{unit: int(number or 0) for unit, number in match.groupdict().items()})
