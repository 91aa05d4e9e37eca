"""What leads requests to the pods of a Deployment, in turn; 503 while none is ready."""

from itertools import count

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from azure_emulator.exact_route import ExactRoute
from azure_emulator.kubernetes.api import Azure
from azure_emulator.kubernetes.backends import Backend
from azure_emulator.kubernetes.cluster import INGRESS_PREFIX, Cluster
from azure_emulator.kubernetes.pod_status import is_ready
from azure_emulator.kubernetes.store import controller_of
from azure_emulator.scoring import backend as forwarding
from azure_emulator.scoring.container import Containers


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
        path, scale = f"/{names['path']}", cluster.timeline.clock.scale
        if backend.url:
            body = await request.body()
            return await forwarding.answer(request, backend.url, path=path, body=body)
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
