"""What every call to Resource Manager passes: routing, api-version, token, bucket, faults, grants.

The bucket is charged on arrival, before the latency. A fault strikes what got past the bucket.
azureml-core asks the region's own Azure ML services, too, each under a prefix of its own: the same
resources, without Resource Manager's buckets and latency.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from azure_emulator import faults
from azure_emulator.answers import Answer, AzureError, Headers
from azure_emulator.arm import api_versions, authentication, headers, request_body
from azure_emulator.arm.buckets import Buckets, operation_type
from azure_emulator.arm.call import ArmSettings, Call
from azure_emulator.arm.grants import Grants
from azure_emulator.arm.routing import ArmRoute, RoutingTable, segments
from azure_emulator.entra import Directory, Principal
from azure_emulator.estate.estate import Estate
from azure_emulator.faults import Exchange, Faults
from azure_emulator.recorder import Record


@dataclass(frozen=True, kw_only=True)
class Front:
    """Where some of the routes are served: Resource Manager has no prefix.

    Only a `versioned` one asks for an api-version.
    """

    prefix: tuple[str, ...] = ()
    routes: RoutingTable
    versioned: bool = True


@dataclass(frozen=True, kw_only=True)
class ArmState:
    """All that Resource Manager consists of until the next reset."""

    estate: Estate
    grants: Grants
    buckets: Buckets
    directory: Directory
    faults: Faults
    settings: ArmSettings


@dataclass(slots=True, kw_only=True)
class _Request:
    """A request while it passes; `remaining` are the bucket's headers once it was charged."""

    exchange: Exchange
    record: Record
    front: Front
    path: list[str]
    query: dict[str, str]
    remaining: Headers = ()
    body: bytes = b""


class Gateway:
    """Resource Manager for one request after another; the caller opens the records."""

    def __init__(self, state: ArmState, fronts: Sequence[Front]) -> None:
        """Take the fronts in the order in which their prefixes are tried."""
        self._state = state
        self._fronts = fronts
        self._audiences = authentication.audiences(state.settings.base_url)

    async def serve(self, scope: Scope, receive: Receive, send: Send, *, record: Record) -> None:
        began = time.perf_counter()
        path = segments(record.path)
        front = next(f for f in self._fronts if tuple(path[: len(f.prefix)]) == f.prefix)
        request = _Request(
            exchange=Exchange(scope=scope, receive=receive, send=send),
            record=record,
            front=front,
            path=path[len(front.prefix) :],
            # Azure ignores the case of parameter names.
            query={name.lower(): value for name, value in parse_qsl(record.query)},
        )
        answer = await self._answer(request)
        if answer is None:
            return
        record.status = answer.status
        seconds = time.perf_counter() - began
        whole = headers.complete(answer, record=record, request=scope, seconds=seconds)
        await whole.send(send)

    async def _answer(self, request: _Request) -> Answer | None:
        """The answer with the bucket's headers, or None where a fault cut the connection."""
        try:
            answer = await self._pass(request)
        except AzureError as error:
            answer = error.answer()
        return answer and _with_headers(answer, request.remaining)

    async def _pass(self, request: _Request) -> Answer | None:
        route, names = self._route(request)
        caller = self._authenticate(request)
        if not request.front.prefix:
            self._charge(request, caller)
            await asyncio.sleep(self._state.settings.latency_seconds)
        if route.takes_body:
            request.body = await request_body.read(request.exchange)
        handle = partial(self._handle, request, route, names, caller)
        effect = self._state.faults.strike(request.record)
        if effect is None:
            return handle()
        return await faults.carry_out(effect, request.exchange, _in_envelope(handle))

    def _route(self, request: _Request) -> tuple[ArmRoute, dict[str, str]]:
        record = request.record
        found = request.front.routes.find(record.method, request.path)
        if found is None:
            message = f"The emulator has no route {record.method} {record.path}"
            raise AzureError(501, "NotImplemented", message)
        record.action = found[0].action
        record.subscription = found[1].get("subscription", "").lower() or None
        return found

    def _authenticate(self, request: _Request) -> Principal:
        if request.front.versioned:
            api_versions.require(request.query, request.path)
        principal = authentication.authenticate(
            request.exchange.scope,
            self._state.directory,
            base_url=self._state.settings.base_url,
            accepted=self._audiences,
        )
        request.record.principal = principal.object_id
        return principal

    def _charge(self, request: _Request, caller: Principal) -> None:
        record = request.record
        record.bucket = operation_type(record.method)
        try:
            request.remaining = self._state.buckets.charge(
                subscription_id=record.subscription,
                principal=caller.object_id,
                method=record.method,
                target="/".join(request.path[::2]),
            )
        except AzureError:
            record.throttled = True
            raise

    def _handle(
        self, request: _Request, route: ArmRoute, names: dict[str, str], caller: Principal
    ) -> Answer:
        self._state.estate.timeline.advance()
        call = Call(
            estate=self._state.estate,
            settings=self._state.settings,
            grants=self._state.grants,
            directory=self._state.directory,
            caller=caller,
            path="/" + "/".join([*request.front.prefix, *request.path]),
            scope="/" + "/".join(request.path[: route.scope_length]),
            names=names,
            query=request.query,
            body=request.body,
        )
        call.require_subscription()
        if not route.filtered or not call.grants.knows(caller):
            call.require(route.action)
        answer = route.handler(call)
        # A HEAD of one resource asks whether it is there.
        exists = request.record.method == "HEAD" and route.names_a_resource
        return Answer(status=204, headers=answer.headers) if exists else answer


def _in_envelope(handle: Callable[[], Answer]) -> faults.Proceed:
    async def proceed() -> Answer:
        try:
            return handle()
        except AzureError as error:
            return error.answer()

    return proceed


def _with_headers(answer: Answer, added: Headers) -> Answer:
    return Answer(status=answer.status, body=answer.body, headers=(*added, *answer.headers))
