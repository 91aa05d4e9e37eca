"""A Kubernetes API server over HTTPS, believed by its cluster's own authority alone.

Our own few requests on aiohttp, which is here anyway: docs/decisions/0030-kubernetes-by-hand.md.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from shared.clients.arm_answer import parse_object
from shared.clients.arm_pipeline import USER_AGENT, proxies
from shared.clients.kubernetes_api import FIELD_MANAGER, Log, Question, Resource
from shared.clients.lenient_json import as_objects
from shared.errors import AzureRequestError

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_SECONDS: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class ApiServer:
    """Where a cluster's API is; `authority` (PEM) is what signs it, empty: a public one does."""

    url: str
    authority: str = field(default="", repr=False)


@asynccontextmanager
async def open_kubernetes(
    server: ApiServer, *, token: str, cluster: str
) -> AsyncIterator[KubernetesOverHttp]:
    """Open a session; `cluster` is what errors call it."""
    import aiohttp

    try:
        trust = ssl.create_default_context(cadata=server.authority or None)
    except (ssl.SSLError, ValueError):
        problem = f"{cluster}: its kubeconfig has no certificate authority that can be read"
        raise AzureRequestError(problem, status=None) from None
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trust),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        headers={"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT},
    ) as session:
        yield KubernetesOverHttp(session, url=server.url, cluster=cluster)


class KubernetesOverHttp:
    """Provides `KubernetesApi`."""

    def __init__(self, session: aiohttp.ClientSession, *, url: str, cluster: str) -> None:
        self._session = session
        self._url = url
        self._cluster = cluster
        self._proxy = proxies(url).get("https")

    async def get(self, resource: Resource, namespace: str, name: str) -> Mapping[str, Any]:
        """GET one object."""
        asked = self._question("get", resource, namespace, name)
        return await self._read(resource.path(namespace, name), {}, asked)

    async def list(
        self, resource: Resource, namespace: str, *, selector: str
    ) -> Sequence[Mapping[str, Any]]:
        """GET a list, all of it at once."""
        asked = self._question("list", resource, namespace)
        path = resource.path(namespace)
        return as_objects((await self._read(path, {"labelSelector": selector}, asked)).get("items"))

    async def read_log(self, namespace: str, log: Log) -> str:
        """GET the log of a container."""
        asked = self._question("get", "pods/log", namespace, log.pod)
        query = {
            "container": log.container,
            "tailLines": str(log.lines),
            "previous": str(log.previous).lower(),
        }
        path = f"{Resource.PODS.path(namespace, log.pod)}/log"
        return (await self._exchange("GET", path, query, asked)).decode("utf-8", "replace")

    async def patch_deployment(
        self, namespace: str, name: str, patch: Sequence[Mapping[str, Any]]
    ) -> None:
        """PATCH a Deployment, as the manager FIELD_MANAGER."""
        asked = self._question("patch", Resource.DEPLOYMENTS, namespace, name)
        path = Resource.DEPLOYMENTS.path(namespace, name)
        headers = {"Content-Type": "application/json-patch+json"}
        query = {"fieldManager": FIELD_MANAGER}
        await self._exchange("PATCH", path, query, asked, data=json.dumps(patch), headers=headers)

    def _question(self, verb: str, resource: str, namespace: str, name: str = "") -> Question:
        return Question(
            verb=verb, resource=resource, namespace=namespace, name=name, cluster=self._cluster
        )

    async def _read(
        self, path: str, query: Mapping[str, str], asked: Question
    ) -> Mapping[str, Any]:
        body, problem = parse_object(await self._exchange("GET", path, query, asked))
        if problem or not body:
            said = problem or "the answer is empty"
            raise AzureRequestError(f"{asked}: {said}", status=None, retryable=True)
        return body

    async def _exchange(
        self, method: str, path: str, query: Mapping[str, str], asked: Question, **sent: Any
    ) -> bytes:
        import aiohttp

        try:
            async with self._session.request(
                method,
                f"{self._url}{path}",
                params=query,
                proxy=self._proxy,
                # Our token goes to no other place.
                allow_redirects=False,
                **sent,
            ) as response:
                content, status = await response.read(), response.status
        except TimeoutError:
            problem = f"{asked}: no answer within {TIMEOUT_SECONDS:g} s"
            raise AzureRequestError(problem, status=None, retryable=True) from None
        except aiohttp.ClientError as error:
            problem = f"{asked}: not reached ({type(error).__name__})"
            raise AzureRequestError(problem, status=None, retryable=True) from None
        if status // 100 != 2:  # noqa: PLR2004  # 2xx
            raise asked.failure(status, parse_object(content)[0])
        return content
