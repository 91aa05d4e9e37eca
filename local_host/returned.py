"""What a handler may return; the same rules as the engine's, which fails the invocation otherwise.

Source: `invocation_request` and the HTTP converter of azure-functions-runtime and azure-functions.
"""

from typing import Any

import azure.functions as func

from local_host.functions import Function


class ReturnValueError(Exception):
    """The handler returned something that its bindings cannot carry."""


def check_returned(function: Function, returned: Any) -> Any:
    """Return the value unchanged. Raises ReturnValueError."""
    if function.has_return:
        _check_http(returned)
    elif returned is not None:
        raise ReturnValueError(
            f"function {function.name!r} without a $return binding returned a non-None value"
        )
    return returned


def _check_http(returned: Any) -> None:
    if not isinstance(returned, (func.HttpResponse, str)):
        raise ReturnValueError(f"an HTTP function cannot return {type(returned).__name__}")
