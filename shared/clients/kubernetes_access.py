"""The way into an AKS cluster: its kubeconfig from Azure, a token of Entra ID, no plugin.

Source: learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials (2026-08-01) and
Azure/kubelogin, docs/book/src/concepts/aks.md (the audience).
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from shared.clients.arm import Arm
from shared.clients.kubernetes_api import KubernetesApi
from shared.clients.kubernetes_command import KubernetesByCommand
from shared.clients.kubernetes_http import ApiServer, open_kubernetes
from shared.clients.lenient_json import as_object, as_objects, text
from shared.errors import AzureRequestError, CredentialError, MissingRightError
from shared.scoring.service import RESOURCE_IDS, Kind, Service

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

API_VERSION: Final = "2026-08-01"
# The server application of AKS, the same in all tenants and clouds.
SERVER_SCOPE: Final = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
LIST_CREDENTIAL: Final = (
    "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"
)
SIGN_IN_SECONDS: Final = 20.0


class KubernetesAccess:
    """Opens the clusters of services of kind `aks`; where each is, is asked once."""

    def __init__(
        self, arm: Arm, *, credential: AsyncTokenCredential, now: Callable[[], datetime]
    ) -> None:
        self._arm = arm
        self._credential = credential
        self._now = now
        self._servers: dict[str, ApiServer] = {}

    @asynccontextmanager
    async def open(self, service: Service) -> AsyncIterator[KubernetesApi]:
        """Open a session with the API of a service's cluster.

        Raises AzureRequestError, CredentialError or MissingRightError.
        """
        cluster_id = _cluster_id(service)
        if service.aks and service.aks.run_command:
            token = await self.token()
            yield KubernetesByCommand(
                arm=self._arm, cluster_id=cluster_id, token=token, now=self._now
            )
            return
        server = self._servers.get(cluster_id) or await self._ask(cluster_id)
        self._servers[cluster_id] = server
        token = await self.token()
        async with open_kubernetes(server, token=token, cluster=cluster_id) as api:
            yield api

    async def token(self) -> str:
        """Return a token of the service principal for AKS. Raises CredentialError."""
        try:
            async with asyncio.timeout(SIGN_IN_SECONDS):
                return (await self._credential.get_token(SERVER_SCOPE)).token
        except TimeoutError:
            problem = "Key Vault or Entra ID gave no token for AKS in time"
            raise CredentialError(problem, retryable=True) from None

    async def _ask(self, cluster_id: str) -> ApiServer:
        answer = await self._arm.post(
            f"{cluster_id}/listClusterUserCredential",
            deadline=self._now() + timedelta(seconds=SIGN_IN_SECONDS),
            api_version=API_VERSION,
        )
        if answer.status == HTTPStatus.FORBIDDEN:
            raise MissingRightError(LIST_CREDENTIAL, on=cluster_id)
        if not answer.succeeded:
            raise answer.as_error()
        return parse_credential(answer.body, cluster_id=cluster_id)


def _cluster_id(service: Service) -> str:
    """Return the id; it becomes a path. Raises AzureRequestError."""
    given = service.resource_id or ""
    if re.fullmatch(RESOURCE_IDS[Kind.AKS], given, re.IGNORECASE):
        return given
    raise AzureRequestError(f"{service.name}: its resource_id is no cluster's", status=None)


def parse_credential(body: Mapping[str, Any], *, cluster_id: str) -> ApiServer:
    """Return what the first kubeconfig says of the API. Raises AzureRequestError, quoting nothing."""
    import yaml

    first = next(iter(as_objects(body.get("kubeconfigs"))), {})
    try:
        config = as_object(yaml.safe_load(base64.b64decode(text(first, "value"))))
        named = next(iter(as_objects(config.get("clusters"))), {})
        cluster = as_object(named.get("cluster"))
        authority = base64.b64decode(text(cluster, "certificate-authority-data")).decode("ascii")
    except (ValueError, yaml.YAMLError, RecursionError):
        raise AzureRequestError(
            f"{cluster_id}: its kubeconfig cannot be read", status=None
        ) from None
    url = text(cluster, "server").rstrip("/")
    if not _is_https(url):
        raise AzureRequestError(f"{cluster_id}: its kubeconfig names no https server", status=None)
    return ApiServer(url=url, authority=authority)


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
