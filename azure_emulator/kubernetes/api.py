"""The Kubernetes API of a cluster, below a path of its own: what is asked, lists, watches.

Source: kubernetes.io/docs/reference/using-api/api-concepts, 1.32. Answers are JSON alone.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from azure_emulator.entra import Directory, Principal
from azure_emulator.estate.estate import Estate
from azure_emulator.kubernetes import access, bodies, changes, discovery, openapi, reviews
from azure_emulator.kubernetes.access import Asked
from azure_emulator.kubernetes.apply import is_apply
from azure_emulator.kubernetes.cluster import API_PREFIX, Cluster
from azure_emulator.kubernetes.errors import KubernetesError, not_found
from azure_emulator.kubernetes.logs import following, log_of
from azure_emulator.kubernetes.scale import scale_of
from azure_emulator.kubernetes.selectors import selector
from azure_emulator.kubernetes.store import KINDS, Object
from azure_emulator.kubernetes.tables import table
from azure_emulator.kubernetes.watches import BOOKMARK, Watch, in_order

WATCH_SECONDS = 300.0
_LOOK_EVERY = 0.03
_METHODS = ["GET", "PATCH", "PUT", "POST", "DELETE"]
_VERBS = {"GET": "get", "PATCH": "patch", "PUT": "update", "POST": "create", "DELETE": "delete"}
_READ = frozenset({"get"})
_SCALED = frozenset({"get", "patch", "update"})
# What can be done with each resource and its subresources.
_POSSIBLE = {
    "deployments": _SCALED | {"create", "delete"},
    "deployments/scale": _SCALED,
    "deployments/status": _READ,
    "replicasets": _READ,
    "replicasets/scale": _READ,
    "replicasets/status": _READ,
    "pods": _READ | {"delete"},
    "pods/log": _READ,
    "pods/status": _READ,
    "events": _READ,
    "namespaces": _READ,
    "namespaces/status": _READ,
}
_HEALTH = frozenset({("healthz",), ("livez",), ("readyz",)})
_CORE, _APPS = ("api", "v1"), ("apis", "apps", "v1")


class Azure(Protocol):
    """What is asked about the rest of the emulator."""

    @property
    def estate(self) -> Estate: ...
    @property
    def directory(self) -> Directory: ...


def routes(azure: Azure) -> list[Route]:
    """Make the route of all clusters, for the root of the host."""
    path = f"{API_PREFIX}/{{guid}}/{{path:path}}"
    return [Route(path, _Api(azure).answer, methods=_METHODS)]


class _Api:
    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    async def answer(self, request: Request) -> Response:
        """Answer any request to a cluster; refusals are objects of kind Status."""
        try:
            return await self._answer(request)
        except KubernetesError as error:
            return error.response()

    async def _answer(self, request: Request) -> Response:
        cluster = self._azure.estate.managed_cluster(request.path_params["guid"])
        if cluster is None or cluster.seed.private:
            raise KubernetesError(404, "NotFound", "there is no public API server here")
        caller = access.caller_of(request, self._azure.directory)
        request.state.principal = caller.object_id
        request.state.caller = caller
        path = tuple(part for part in request.path_params["path"].split("/") if part)
        told = _told(request, cluster, path)
        if told is not None:
            return told
        if request.method == "POST" and reviews.is_any(path):
            return await self._review(request, cluster, caller, path)
        asked = asked_of(request.method, path, watch=_is_true(request, "watch"))
        request.state.action = f"{asked.verb} {asked.resource}"
        access.require(cluster.seed, caller, asked)
        cluster.timeline.advance()
        body = await request.body()
        if asked.subresource == "log" and _is_true(request, "follow"):
            return _followed(request, cluster, asked)
        return _answer(request, cluster, asked, body)

    async def _review(
        self, request: Request, cluster: Cluster, caller: Principal, path: tuple[str, ...]
    ) -> Response:
        given = bodies.review(await request.body(), request.headers.get("content-type", ""))
        found = (
            reviews.token_review(cluster.seed, caller, asked=given, directory=self._azure.directory)
            if reviews.is_token_review(path)
            else reviews.review(cluster.seed, caller, path=path, asked=given)
        )
        return JSONResponse(found, status_code=201)


def _told(request: Request, cluster: Cluster, path: tuple[str, ...]) -> Response | None:
    """What the server tells everybody: its health, its API."""
    if request.method != "GET":
        return None
    if path in _HEALTH:
        return PlainTextResponse("ok")
    if path == ("openapi", "v2") and openapi.MEDIA_TYPE in request.headers.get("accept", ""):
        return Response(openapi.document(), media_type=openapi.MEDIA_TYPE.replace("@", "."))
    told = discovery.document(path, version=cluster.seed.kubernetes_version)
    return None if told is None else JSONResponse(told)


def ask(  # noqa: PLR0913  # a request, by name
    cluster: Cluster,
    caller: Principal,
    *,
    method: str,
    target: str,
    body: bytes = b"",
    content_type: str = "",
    accept: str = "",
) -> Response:
    """Answer a request that comes from inside the cluster; refusals are objects of kind Status."""
    path, _, query = target.partition("?")
    headers = [(b"content-type", content_type.encode()), (b"accept", accept.encode())]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    request = Request({**scope, "query_string": query.encode()})
    names = tuple(part for part in path.split("/") if part)
    told = _told(request, cluster, names)
    if told is not None:
        return told
    request.state.caller = caller
    try:
        asked = asked_of(method, names)
        access.require(cluster.seed, caller, asked)
        cluster.timeline.advance()
        return _answer(request, cluster, asked, body)
    except KubernetesError as error:
        return error.response()


def asked_of(method: str, path: tuple[str, ...], *, watch: bool = False) -> Asked:
    """Read a method and path. Raises KubernetesError 404 or 501."""
    prefix = next((each for each in (_CORE, _APPS) if path[: len(each)] == each), None)
    if prefix is None:
        raise KubernetesError(404, "NotFound", "the server could not find the requested resource")
    namespace, plural, name, subresource = _names(path[len(prefix) :])
    verb = _VERBS.get(method, "")
    possible = verb in _POSSIBLE.get(f"{plural}/{subresource}" if subresource else plural, ())
    # Only what is created has no name; of what is read, all may be meant.
    if not possible or (verb != "get" and bool(name) == (verb == "create")):
        message = f"The emulator has no route {method} /{'/'.join(path)}"
        raise KubernetesError(501, "NotImplemented", message)
    if verb == "get" and not name:
        verb = "watch" if watch else "list"
    return Asked(verb=verb, plural=plural, namespace=namespace, name=name, subresource=subresource)


def _names(rest: tuple[str, ...]) -> tuple[str, str, str, str]:
    namespace = ""
    # namespaces/{name} is an object itself; namespaces/{name}/{plural} is where others are.
    if rest[:1] == ("namespaces",) and len(rest) > 2:  # noqa: PLR2004  # two of them name it
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource, *_ = (*rest, "", "", "")
    return namespace, plural, name, subresource


def _answer(request: Request, cluster: Cluster, asked: Asked, body: bytes) -> Response:
    if asked.verb == "watch":
        return StreamingResponse(_watched(request, cluster, asked), media_type="application/json")
    if asked.verb == "list":
        return _list(request, cluster, asked)
    if asked.verb == "create":
        return changes.create(request, cluster, asked, body)
    found = cluster.store.get(asked.plural, asked.namespace, asked.name)
    if asked.verb == "patch" and is_apply(request.headers.get("content-type", "")):
        return _apply(request, cluster, asked, found, body)
    if found is None:
        raise not_found(asked.plural, asked.name)
    if asked.verb == "get":
        return _get(request, cluster, asked, found)
    return changes.change(request, cluster, asked, found, body)


def _apply(
    request: Request, cluster: Cluster, asked: Asked, found: Object | None, body: bytes
) -> Response:
    if asked.subresource:
        message = f"The emulator applies nothing to {asked.resource}"
        raise KubernetesError(501, "NotImplemented", message)
    if found is None:
        # Who makes something by applying it may create, too.
        creating = Asked(verb="create", plural=asked.plural, namespace=asked.namespace)
        access.require(cluster.seed, request.state.caller, creating)
    return changes.apply(request, cluster, asked, found, body)


def _get(request: Request, cluster: Cluster, asked: Asked, found: Object) -> Response:
    if asked.subresource == "log":
        return PlainTextResponse(log_of(found, cluster.nodes, request.query_params))
    if asked.subresource == "scale":
        return JSONResponse(scale_of(found))
    return _shown(request, cluster, asked, [found]) or JSONResponse(found)


def _list(request: Request, cluster: Cluster, asked: Asked) -> Response:
    accepts = selector(request.query_params, asked.plural)
    items = [each for each in in_order(cluster.store, asked) if accepts(each)]
    shown = _shown(request, cluster, asked, items)
    if shown is not None:
        return shown
    # Items of a list do not repeat their kind.
    bare = [
        {name: value for name, value in each.items() if name not in {"kind", "apiVersion"}}
        for each in items
    ]
    kind = f"{KINDS[asked.plural]}List"
    version = "apps/v1" if asked.plural in {"deployments", "replicasets"} else "v1"
    metadata = {"resourceVersion": str(cluster.store.version)}
    return JSONResponse({"kind": kind, "apiVersion": version, "metadata": metadata, "items": bare})


def _shown(
    request: Request, cluster: Cluster, asked: Asked, items: list[Object]
) -> Response | None:
    """Return a Table, if that is what is wanted."""
    if "as=Table" not in request.headers.get("accept", ""):
        return None
    return JSONResponse(_table(request, cluster, asked, items))


def _table(
    request: Request, cluster: Cluster, asked: Asked, items: list[Object], *, headed: bool = True
) -> Object:
    return table(
        asked.plural,
        items,
        version=str(cluster.store.version),
        now=cluster.timeline.clock.now(),
        include=request.query_params.get("includeObject", "Metadata"),
        headed=headed,
    )


async def _watched(request: Request, cluster: Cluster, asked: Asked) -> AsyncIterator[bytes]:
    """Tell every change until the time is up; without a version, first what there is."""
    watch = Watch(cluster.store, asked, selector(request.query_params, asked.plural))
    as_table = "as=Table" in request.headers.get("accept", "")
    since = request.query_params.get("resourceVersion", "")
    version = int(since) if since.isdecimal() else 0
    loop = asyncio.get_running_loop()
    end = loop.time() + _watch_seconds(request)
    events = watch.begin(version, bookmark=_is_true(request, "sendInitialEvents"))
    headed = True
    while loop.time() < end:
        for kind, given in events:
            shown = given
            if as_table and kind != BOOKMARK:
                shown = _table(request, cluster, asked, [given], headed=headed)
                headed = False
            yield json.dumps({"type": kind, "object": shown}).encode() + b"\n"
        await asyncio.sleep(_LOOK_EVERY)
        cluster.timeline.advance()
        events = watch.next()


def _followed(request: Request, cluster: Cluster, asked: Asked) -> Response:
    """A log, and what is added to it until the pod ends. Raises KubernetesError."""
    pod = cluster.store.get(asked.plural, asked.namespace, asked.name)
    if pod is None:
        raise not_found(asked.plural, asked.name)
    query = request.query_params
    told = following(cluster, pod, query, first=log_of(pod, cluster.nodes, query))
    return StreamingResponse(told, media_type="text/plain")


def _watch_seconds(request: Request) -> float:
    text = request.query_params.get("timeoutSeconds", "")
    return float(text) if text.isdecimal() else WATCH_SECONDS


def _is_true(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in {"1", "true"}
