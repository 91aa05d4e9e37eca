"""What starts a function: an HTTP route, a schedule, or a queue; values read from its bindings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_host.keys import AuthLevel
from local_host.routes import Route, parse_route
from local_host.schedule import Schedule, parse_schedule
from local_host.storage_queue import StorageQueue

SETTING = re.compile(r"%([^%]+)%")
# Without a list of methods a function answers to all that the programming model knows.
METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "PATCH", "PUT", "OPTIONS"})
QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*")
HOST_STORAGE = "AzureWebJobsStorage"


class TriggerError(ValueError):
    """A trigger that the host cannot serve: an error of its function, not of the app."""


@dataclass(frozen=True, kw_only=True)
class HttpTrigger:
    """`route` includes the prefix of host.json."""

    route: Route
    methods: frozenset[str]
    auth_level: AuthLevel


@dataclass(frozen=True, kw_only=True)
class TimerTrigger:
    """`schedule` is due in UTC."""

    schedule: Schedule
    run_on_startup: bool


@dataclass(frozen=True, kw_only=True)
class QueueTrigger:
    """A queue of the account that the connection's app setting names."""

    queue: str
    connection_string: str = field(repr=False)


Trigger = HttpTrigger | TimerTrigger | QueueTrigger


def parse_trigger(
    binding: Mapping[str, Any], *, prefix: str, settings: Mapping[str, str], now: datetime
) -> Trigger:
    """Parse a trigger binding as `get_dict_repr` gives it. Raises TriggerError, ValueError."""
    match binding["type"]:
        case "httpTrigger":
            return _http_trigger(binding, prefix=prefix)
        case "timerTrigger":
            schedule = parse_schedule(resolve(binding["schedule"], settings), now=now)
            run_on_startup = bool(binding.get("runOnStartup"))
            return TimerTrigger(schedule=schedule, run_on_startup=run_on_startup)
        case "queueTrigger":
            return _queue_trigger(binding, settings)
        case kind:
            raise TriggerError(f"{kind} is not supported by the local host")


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Replace every `%SETTING%`. Raises TriggerError when one has no value, worded as in Azure."""
    for name in SETTING.findall(text):
        if not settings.get(name):
            raise TriggerError(f"'%{name}%' does not resolve to a value")
    return SETTING.sub(lambda match: settings[match[1]], text)


def _http_trigger(binding: Mapping[str, Any], *, prefix: str) -> HttpTrigger:
    methods = frozenset(method.value for method in binding.get("methods") or ())
    level = binding.get("authLevel")
    return HttpTrigger(
        route=parse_route("/".join(filter(None, (prefix, binding["route"].strip("/"))))),
        methods=methods or METHODS,
        # The decorator's default is the app's level; without any the host asks for a key.
        auth_level=AuthLevel[level.name] if level else AuthLevel.FUNCTION,
    )


def _queue_trigger(binding: Mapping[str, Any], settings: Mapping[str, str]) -> QueueTrigger:
    name = resolve(binding["queueName"], settings).lower()
    if not QUEUE_NAME.fullmatch(name):
        raise TriggerError(f"{name!r} is not the name of a queue: 3 to 63 of a-z, 0-9, single -")
    connection = binding.get("connection") or HOST_STORAGE
    # As in Azure: the setting may leave out the prefix, and the prefixed one wins.
    string = settings.get(f"AzureWebJobs{connection}") or settings.get(connection)
    if not string:
        raise TriggerError(
            f"Storage account connection string '{connection}' does not exist. "
            "Make sure that it is a defined App Setting."
        )
    try:
        StorageQueue(string, name)
    except ValueError as error:
        raise TriggerError(f"{connection}: {error}") from None
    return QueueTrigger(queue=name, connection_string=string)
