"""The Kubernetes API of a cluster, below a path of its own: reads, watches, changes of Deployments.

Source: kubernetes.io/docs/reference/using-api/api-concepts, 1.32. Answers are JSON alone.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from azure_emulator.entra import Directory, Principal
from azure_emulator.estate.estate import Estate
from azure_emulator.kubernetes import access, discovery
from azure_emulator.kubernetes.access import Asked
from azure_emulator.kubernetes.cluster import API_PREFIX, Cluster
from azure_emulator.kubernetes.errors import KubernetesError, bad_request, not_found
from azure_emulator.kubernetes.patches import patched
from azure_emulator.kubernetes.selectors import selector
from azure_emulator.kubernetes.store import KINDS, Object
from azure_emulator.kubernetes.tables import table

WATCH_SECONDS = 300.0
_LOOK_EVERY = 0.03
_METHODS = ["GET", "PATCH", "PUT", "POST", "DELETE"]
_VERBS = {"GET": "get", "PATCH": "patch", "PUT": "update"}
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
        path = tuple(part for part in request.path_params["path"].split("/") if part)
        told = discovery.document(path, version=cluster.seed.kubernetes_version)
        if told is not None and request.method == "GET":
            return JSONResponse(told)
        asked = asked_of(request.method, path, watch=_is_true(request, "watch"))
        request.state.action = f"{asked.verb} {asked.resource}"
        access.require(cluster.seed, caller, asked)
        cluster.timeline.advance()
        body = await request.body()
        return _answer(request, cluster, asked, body)


def ask(  # noqa: PLR0913  # a request, by name
    cluster: Cluster,
    caller: Principal,
    *,
    method: str,
    target: str,
    body: bytes = b"",
    content_type: str = "",
) -> Response:
    """Answer a request that comes from inside the cluster; refusals are objects of kind Status."""
    path, _, query = target.partition("?")
    headers = [(b"content-type", content_type.encode())]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    request = Request({**scope, "query_string": query.encode()})
    try:
        asked = asked_of(method, tuple(part for part in path.split("/") if part))
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
    known = plural in KINDS and (subresource, verb) in {("", verb), ("log", "get")}
    if not known or not verb or (verb != "get" and (plural != "deployments" or not name)):
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
    found = cluster.store.get(asked.plural, asked.namespace, asked.name)
    if found is None:
        raise not_found(asked.plural, asked.name)
    if asked.subresource == "log":
        return PlainTextResponse(cluster.nodes.log(found))
    if asked.verb == "get":
        return _shown(request, cluster, asked, [found]) or JSONResponse(found)
    wanted = _parsed(body)
    if asked.verb == "patch":
        kind = request.headers.get("content-type", "")
        wanted = patched(found, wanted, content_type=kind)
    return JSONResponse(
        cluster.update(
            found, wanted, manager=_manager(request), dry_run="dryRun" in request.query_params
        )
    )


def _manager(request: Request) -> str:
    agent = request.headers.get("user-agent", "unknown").partition("/")[0]
    return request.query_params.get("fieldManager", agent)


def _list(request: Request, cluster: Cluster, asked: Asked) -> Response:
    accepts = selector(request.query_params)
    items = [each for each in cluster.store.all_of(asked.plural, asked.namespace) if accepts(each)]
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
    now = cluster.timeline.clock.now()
    return JSONResponse(table(asked.plural, items, version=str(cluster.store.version), now=now))


async def _watched(request: Request, cluster: Cluster, asked: Asked) -> AsyncIterator[bytes]:
    """Tell every change until the time is up; without a version, first what there is."""
    accepts = selector(request.query_params)
    since = request.query_params.get("resourceVersion", "")
    version = int(since) if since.isdecimal() else 0
    loop = asyncio.get_running_loop()
    end = loop.time() + _watch_seconds(request)
    if not version:
        version = cluster.store.version
        for each in cluster.store.all_of(asked.plural, asked.namespace):
            if accepts(each):
                yield _line("ADDED", each)
    while loop.time() < end:
        cluster.timeline.advance()
        for change in cluster.store.changes(asked.plural, after=version):
            version = change.version
            inside = asked.namespace in {"", change.object["metadata"].get("namespace", "")}
            if inside and accepts(change.object):
                yield _line(change.type, change.object)
        await asyncio.sleep(_LOOK_EVERY)


def _watch_seconds(request: Request) -> float:
    text = request.query_params.get("timeoutSeconds", "")
    return float(text) if text.isdecimal() else WATCH_SECONDS


def _line(kind: str, given: Object) -> bytes:
    return json.dumps({"type": kind, "object": given}).encode() + b"\n"


def _is_true(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in {"1", "true"}


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise bad_request("the body of the request is no JSON") from None
