"""The host's own routes: list and start functions (master key), and look at invocations.

`/admin/functions` is Azure's API; `/_local/invocations/{id}` is an addition of the local host.
Source: https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_host.functions import Function
from local_host.host import Host
from local_host.keys import AuthLevel, Keys
from local_host.manual_input import trigger_data
from local_host.queues import QueueListeners


@dataclass(frozen=True, kw_only=True)
class Admin:
    functions: Iterable[Function]
    host: Host
    keys: Keys
    listeners: QueueListeners

    async def list_functions(self, request: Request) -> Response:
        """Answer the functions with name, trigger, route, schedule or queue, and error."""
        if not self._is_master(request):
            return Response(status_code=401)
        return JSONResponse([self._shown(function) for function in self.functions])

    async def start_function(self, request: Request) -> Response:
        """Start an invocation with `{"input": "..."}`; 202 names it in `x-ms-invocation-id`.

        400 for a body that is not such an object, 404 for an unknown function. A function in error
        is started too: its invocation fails and says why.
        """
        if not self._is_master(request):
            return Response(status_code=401)
        wanted = request.path_params["name"].lower()
        function = next((each for each in self.functions if each.name.lower() == wanted), None)
        if function is None:
            return Response(status_code=404)
        try:
            data = trigger_data(function, _text(await request.json()))
        except ValueError:
            return Response(status_code=400)
        caller = request.headers.get("traceparent")
        invocation, _ = self.host.start(function, data, caller=caller)
        return Response(status_code=202, headers={"x-ms-invocation-id": invocation.id})

    async def get_invocation(self, request: Request) -> Response:
        """Answer `{function, status, error, started_at, ended_at}`, or 404."""
        invocation = self.host.ledger.get(request.path_params["id"])
        if invocation is None:
            return Response(status_code=404)
        return JSONResponse(invocation.as_json())

    def _shown(self, function: Function) -> dict[str, Any]:
        return function.as_json() | {"error": function.error or self.listeners.error_of(function)}

    def _is_master(self, request: Request) -> bool:
        granted = self.keys.level_of(headers=request.headers, query=request.query_params)
        return granted >= AuthLevel.ADMIN


def _text(body: Any) -> str:
    if not isinstance(body, dict) or not isinstance(body.get("input") or "", str):
        raise ValueError('the body is not {"input": "..."}')  # noqa: TRY004  # a bad request, no bug
    return body.get("input") or ""
