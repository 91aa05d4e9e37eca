"""What starts a function: an HTTP route, a schedule, or a queue; values read from its bindings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_host.keys import AuthLevel
from local_host.routes import Route, parse_route
from local_host.schedule import Schedule, parse_schedule

SETTING = re.compile(r"%([^%]+)%")
# Without a list of methods a function answers to all that the programming model knows.
METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "PATCH", "PUT", "OPTIONS"})


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


Trigger = HttpTrigger | TimerTrigger


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
            raise TriggerError("queue triggers need storage")
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
