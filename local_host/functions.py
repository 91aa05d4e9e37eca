"""Index the app: from its FunctionApp object to the functions that this host serves.

A mistake in the app's code hides every function, as in Azure (IndexingError). A trigger that
cannot be served, such as a schedule whose setting is missing, is an error of that function only.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func

from local_host.signatures import IndexingError, check_signature
from local_host.triggers import (
    HttpTrigger,
    QueueTrigger,
    TimerTrigger,
    Trigger,
    parse_trigger,
)


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function of the app. Without a trigger it cannot run, and `error` says why."""

    name: str
    kind: str
    parameter: str
    handler: Callable[..., Any]
    binding: Mapping[str, Any]
    trigger: Trigger | None
    error: str | None

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.handler)

    @property
    def wants_context(self) -> bool:
        return "context" in inspect.signature(self.handler).parameters

    @property
    def directory(self) -> str:
        return str(Path(inspect.getfile(self.handler)).parent)

    @property
    def has_return(self) -> bool:
        return self.kind == "httpTrigger"

    def as_json(self) -> dict[str, Any]:
        """Return name, trigger kind, error, and route and methods, schedule or queue."""
        shown: dict[str, Any] = {"name": self.name, "trigger": self.kind, "error": self.error}
        match self.trigger:
            case HttpTrigger(route=route, methods=methods):
                shown |= {"route": f"/{route.template}", "methods": sorted(methods)}
            case TimerTrigger(schedule=schedule):
                shown["schedule"] = schedule.expression
            case QueueTrigger(queue=queue):
                shown["queueName"] = queue
            case None:
                names = ("route", "schedule", "queueName")
                shown |= {name: self.binding[name] for name in names if name in self.binding}
        return shown


def find_app(module: ModuleType) -> func.FunctionRegister:
    """Return the module's one FunctionApp. Raises IndexingError for none and for several."""
    members = {id(member): member for member in vars(module).values()}.values()
    apps = [member for member in members if isinstance(member, func.FunctionRegister)]
    if len(apps) != 1:
        raise IndexingError(f"{module.__name__} must define one FunctionApp, found {len(apps)}")
    return apps[0]


def index(
    app: func.FunctionRegister, *, prefix: str, settings: Mapping[str, str], now: datetime
) -> tuple[Function, ...]:
    """Return the app's functions. Raises IndexingError. Call once per app, as the engine does."""
    try:
        declared = app.get_functions()
    except ValueError as error:
        raise IndexingError(str(error)) from error
    return tuple(_function(each, prefix=prefix, settings=settings, now=now) for each in declared)


def _function(
    declared: Any, *, prefix: str, settings: Mapping[str, str], now: datetime
) -> Function:
    check_signature(declared)
    binding = declared.get_trigger().get_dict_repr()
    trigger, error = None, _unsupported_bindings(declared.get_bindings())
    if error is None:
        try:
            trigger = parse_trigger(binding, prefix=prefix, settings=settings, now=now)
        except ValueError as mistake:
            error = str(mistake)
    return Function(
        name=declared.get_function_name(),
        kind=binding["type"],
        parameter=declared.get_trigger().name,
        handler=declared.get_user_function(),
        binding=binding,
        trigger=trigger,
        error=error,
    )


def _unsupported_bindings(bindings: Iterable[Any]) -> str | None:
    for binding in bindings:
        kind: str = binding.get_dict_repr()["type"]
        if kind != "http" and not kind.endswith("Trigger"):
            return f"the binding {binding.name} ({kind}) is not supported by the local host"
    return None
