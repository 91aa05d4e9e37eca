"""What leads requests to the pods of a Deployment, in turn; 503 while none is ready."""

from itertools import count

import aiohttp
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from azure_emulator.exact_route import ExactRoute
from azure_emulator.kubernetes.api import Azure
from azure_emulator.kubernetes.backends import Backend
from azure_emulator.kubernetes.cluster import INGRESS_PREFIX, Cluster
from azure_emulator.kubernetes.pod_status import is_ready
from azure_emulator.kubernetes.store import controller_of
from azure_emulator.scoring.container import Containers

TIMEOUT_SECONDS = 60.0
# What belongs to one connection alone (RFC 9110, 7.6.1), and what is made anew.
_OF_THE_CONNECTION = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "host", "content-length", "server", "date"}
)


def routes(azure: Azure) -> list[Route]:
    """Make the route of all Deployments, for the root of the host."""
    path = f"{INGRESS_PREFIX}/{{guid}}/{{namespace}}/{{name}}/{{path:path}}"
    return [ExactRoute(path, _Ingress(azure).answer, methods=["GET", "POST"])]


class _Ingress:
    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._containers = Containers()
        self._turns = count()

    async def answer(self, request: Request) -> Response:
        """GET or POST anything below a Deployment's root."""
        names = request.path_params
        cluster = self._azure.estate.managed_cluster(names["guid"])
        if cluster is None:
            return PlainTextResponse("there is no cluster here", status_code=404)
        backend = self._choose(cluster, names["namespace"], names["name"])
        if backend is None:
            return PlainTextResponse("no healthy upstream", status_code=503)
        if backend.url:
            return await _forwarded(request, backend)
        path, scale = f"/{names['path']}", cluster.timeline.clock.scale
        return await self._containers.answer(request, backend.seed, path=path, scale=scale)

    def _choose(self, cluster: Cluster, namespace: str, name: str) -> Backend | None:
        cluster.timeline.advance()
        deployment = cluster.store.get("deployments", namespace, name)
        if deployment is None:
            return None
        owned = cluster.store.owned("replicasets", deployment)
        ready = [
            each
            for replica_set in owned
            for each in cluster.store.owned("pods", replica_set)
            if is_ready(each)
        ]
        if not ready:
            return None
        return cluster.nodes.backends.get(controller_of(ready[next(self._turns) % len(ready)]))


async def _forwarded(request: Request, backend: Backend) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{backend.url}/{request.path_params['path']}{query}"
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in _OF_THE_CONNECTION
    }
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
            session.request(
                request.method, url, headers=headers, data=await request.body()
            ) as answer,
        ):
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name.lower() not in _OF_THE_CONNECTION
            }
            return Response(await answer.read(), status_code=answer.status, headers=kept)
    except (aiohttp.ClientError, TimeoutError):
        return PlainTextResponse("upstream connect error", status_code=502)
