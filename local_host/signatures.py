"""Check handlers against their bindings as strictly as the engine does when it indexes an app.

Source: `Registry.add_indexed_function` of azure-functions-runtime. A mismatch hides every function
of the app in Azure, so a run on a laptop should not forgive it.
"""

import inspect
import typing
from typing import Any

import azure.functions as func
from azure.functions.meta import get_binding_registry


class IndexingError(Exception):
    """The app cannot be indexed, so it has no functions at all."""


def check_signature(declared: Any) -> None:
    """Check names and annotations of an `azure.functions` function. Raises IndexingError."""
    handler, name = declared.get_user_function(), declared.get_function_name()
    _check_names(name, set(inspect.signature(handler).parameters), declared.get_bindings())
    try:
        annotations = typing.get_type_hints(handler)
    except NameError as error:
        raise IndexingError(f"{name}: {error}, needed for its annotations") from error
    _check_context(name, annotations.get("context"))
    _check_trigger(name, declared.get_trigger(), annotations)
    if "return" in annotations and any(each.name == "$return" for each in declared.get_bindings()):
        _check_return(name, annotations["return"])


def _check_names(name: str, parameters: set[str], bindings: list[Any]) -> None:
    bound = {binding.name for binding in bindings} - {"$return"}
    if parameters - {"context"} != bound - {"context"}:
        raise IndexingError(
            f"{name}: parameters {sorted(parameters)} do not match the bindings {sorted(bound)}"
        )


def _check_context(name: str, annotation: Any) -> None:
    if annotation is not None and getattr(annotation, "__name__", "") != "Context":
        raise IndexingError(f"{name}: context must be azure.functions.Context, not {annotation!r}")


def _check_trigger(name: str, trigger: Any, annotations: dict[str, Any]) -> None:
    annotation = annotations.get(trigger.name)
    converter = get_binding_registry().get(trigger.type)
    if annotation is None or converter is None:
        return
    if not (isinstance(annotation, type) and converter.check_input_type_annotation(annotation)):
        raise IndexingError(f"{name}: {trigger.type} does not fit {trigger.name}: {annotation!r}")


def _check_return(name: str, annotation: Any) -> None:
    if not (isinstance(annotation, type) and issubclass(annotation, (func.HttpResponse, str))):
        raise IndexingError(f"{name}: an HTTP function cannot return {annotation!r}")
