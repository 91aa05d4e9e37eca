"""What the local host obeys of host.json: route prefix, function timeout, and how queues are read.

Source: https://learn.microsoft.com/azure/azure-functions/functions-host-json and
https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#hostjson-settings
"""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

# What an app without the setting gets on the Flex Consumption plan.
DEFAULT_TIMEOUT = timedelta(minutes=30)
TIME_SPAN = re.compile(
    r"(?:(?P<days>\d+)\.)?(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+(?:\.\d{1,7})?)"
)
LARGEST_BATCH = 32
SHORTEST_POLLING_SECONDS = 0.1


class HostJsonError(Exception):
    """host.json is missing or cannot be understood; the message names the entry."""


class MessageEncoding(StrEnum):
    BASE64 = "base64"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class QueueOptions:
    """`extensions.queues`. After a failure a message is invisible for `visibility_timeout_seconds`."""

    message_encoding: MessageEncoding = MessageEncoding.BASE64
    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout_seconds: int = 0
    # Azure's default is a minute; who works locally does not want to wait for one.
    max_polling_seconds: float = 2.0


@dataclass(frozen=True, kw_only=True)
class HostJson:
    """The settings that the local host honours. `function_timeout` is None for "-1", unbounded."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = DEFAULT_TIMEOUT
    queues: QueueOptions = field(default_factory=QueueOptions)


def read_host_json(app_root: Path) -> HostJson:
    """Read host.json in the app's root. Raises HostJsonError."""
    document = _document(app_root / "host.json")
    extensions = document.get("extensions") or {}
    http = extensions.get("http") or {}
    return HostJson(
        route_prefix=http.get("routePrefix", "api").strip("/"),
        function_timeout=_timeout(document.get("functionTimeout")),
        queues=_queues(extensions.get("queues") or {}),
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
    return _time_span("functionTimeout", value)


def _queues(settings: dict[str, Any]) -> QueueOptions:
    default = QueueOptions()
    batch_size = _number(settings, "batchSize", default.batch_size, 1, LARGEST_BATCH)
    return QueueOptions(
        message_encoding=_encoding(settings.get("messageEncoding", default.message_encoding)),
        batch_size=batch_size,
        new_batch_threshold=_number(settings, "newBatchThreshold", batch_size // 2, 0),
        max_dequeue_count=_number(settings, "maxDequeueCount", default.max_dequeue_count, 1),
        # Storage counts in whole seconds.
        visibility_timeout_seconds=round(
            _seconds(settings, "visibilityTimeout", default.visibility_timeout_seconds)
        ),
        max_polling_seconds=_polling_seconds(settings, default.max_polling_seconds),
    )


def _polling_seconds(settings: dict[str, Any], default: float) -> float:
    seconds = _seconds(settings, "maxPollingInterval", default)
    if seconds < SHORTEST_POLLING_SECONDS:
        value = settings["maxPollingInterval"]
        raise HostJsonError(f"host.json: maxPollingInterval {value!r} is less than 00:00:00.1")
    return seconds


def _encoding(value: object) -> MessageEncoding:
    try:
        return MessageEncoding(str(value).lower())
    except ValueError as error:
        raise HostJsonError(
            f"host.json: messageEncoding {value!r} is neither base64 nor none"
        ) from error


def _number(
    settings: dict[str, Any], name: str, default: int, least: int, most: int | None = None
) -> int:
    value = settings.get(name, default)
    if not isinstance(value, int) or value < least or (most is not None and value > most):
        wanted = f"from {least} to {most}" if most is not None else f"of at least {least}"
        raise HostJsonError(f"host.json: {name} {value!r} is not a number {wanted}")
    return value


def _seconds(settings: dict[str, Any], name: str, default: float) -> float:
    return _time_span(name, settings[name]).total_seconds() if name in settings else default


def _time_span(name: str, value: object) -> timedelta:
    match = TIME_SPAN.fullmatch(str(value))
    if match is None:
        raise HostJsonError(f"host.json: {name} {value!r} is not hh:mm:ss")
    return timedelta(**{unit: float(number or 0) for unit, number in match.groupdict().items()})
