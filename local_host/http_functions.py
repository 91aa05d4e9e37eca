"""HTTP functions: routes, keys, and the way between the wire and `azure.functions` requests.

An unknown route, and a known one with another method, is 404; a missing or wrong key is 401 and a
failed function 500, both with an empty body: so answers the Functions host (azure-functions-host
issues 10098 and 11625 for the method, its AuthenticationLevelHandler for the key).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import azure.functions as func
from azure.functions.http import HttpRequest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_host.functions import Function
from local_host.host import Host
from local_host.keys import Keys
from local_host.triggers import HttpTrigger

# The host's default, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: 100 MB.
BODY_LIMIT_BYTES = 104_857_600


class BodyTooLargeError(Exception):
    """The request's body exceeds what the Functions host takes."""


@dataclass(frozen=True, kw_only=True)
class Match:
    function: Function
    trigger: HttpTrigger
    route_params: Mapping[str, str]


class HttpFunctions:
    """The ASGI app that serves all HTTP functions."""

    def __init__(self, functions: Iterable[Function], *, host: Host, keys: Keys) -> None:
        served = [(each, each.trigger) for each in functions]
        self._served = sorted(
            ((each, trigger) for each, trigger in served if isinstance(trigger, HttpTrigger)),
            key=lambda pair: pair[1].route.precedence,
        )
        self._host = host
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        match = self._match(request)
        if match is None:
            return Response(status_code=404)
        granted = self._keys.level_of(headers=request.headers, query=request.query_params)
        if granted < match.trigger.auth_level:
            return Response(status_code=401)
        try:
            data = await _functions_request(request, match.route_params)
        except BodyTooLargeError:
            return Response(status_code=413)
        return await self._invoke(match.function, data, caller=request.headers.get("traceparent"))

    def _match(self, request: Request) -> Match | None:
        path = _encoded_path(request)
        for function, trigger in self._served:
            params = trigger.route.match(path) if request.method in trigger.methods else None
            if params is not None:
                return Match(function=function, trigger=trigger, route_params=params)
        return None

    async def _invoke(
        self, function: Function, data: HttpRequest, *, caller: str | None
    ) -> Response:
        invocation, task = self._host.start(function, data, caller=caller)
        ended = await task
        failed = ended.invocation.error is not None
        response = Response(status_code=500) if failed else _response(ended.returned)
        response.headers["x-ms-invocation-id"] = invocation.id
        return response


async def _functions_request(request: Request, route_params: Mapping[str, str]) -> HttpRequest:
    return HttpRequest(
        method=request.method,
        url=str(request.url.replace(path=_encoded_path(request))),
        headers=_joined(request.headers.items()),
        params=_joined(request.query_params.multi_items()),
        route_params=route_params,
        body_type="bytes",
        body=await _body(request),
    )


def _encoded_path(request: Request) -> str:
    raw_path: bytes = request.scope["raw_path"]
    return raw_path.decode("latin-1")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise BodyTooLargeError
    return bytes(body)


def _joined(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join repeated names with a comma, as the host does before it calls the worker."""
    values: dict[str, list[str]] = {}
    for name, value in items:
        values.setdefault(name, []).append(value)
    return {name: ",".join(several) for name, several in values.items()}


def _response(returned: func.HttpResponse | str) -> Response:
    if isinstance(returned, str):
        return Response(returned, media_type="text/plain")
    response = Response(returned.get_body(), status_code=returned.status_code)
    for name, value in returned.headers.items():
        # The length is the server's to say; a second one would make the answer invalid.
        if name.lower() != "content-length":
            response.headers.append(name, value)
    if "content-type" not in response.headers:
        charset = f"; charset={returned.charset}" if returned.mimetype.startswith("text/") else ""
        response.headers["content-type"] = returned.mimetype + charset
    return response
