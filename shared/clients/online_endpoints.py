"""AML v2 online endpoints over ARM REST: list, read, keys and tokens.

Shapes as in api-version 2025-12-01; every inner property can be null or missing. An endpoint with
`authMode` AADToken has neither keys nor tokens of its own: its callers show Entra ID's.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shared.clients.arm import Arm
from shared.clients.lenient_json import as_object, as_time, count, tags, text, texts, unix_time
from shared.errors import AzureRequestError, CredentialError, OpsError
from shared.scoring.azure import FoundService, ServiceKey, SignIn, WorkspaceServices
from shared.scoring.service import Kind

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

logger = logging.getLogger(__name__)

# The audience of the endpoints themselves in Azure's public cloud (how-to-authenticate-online-endpoint).
ENTRA_SCOPE: Final = "https://ml.azure.com/.default"
_ID: Final = re.compile(
    r"(?P<workspace>/subscriptions/[^/]+/resourceGroups/[^/]+"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/[^/]+)/onlineEndpoints/[^/]+",
    re.IGNORECASE,
)
_SIGN_IN: Final[Mapping[str, SignIn]] = {
    "key": SignIn.KEY,
    "amltoken": SignIn.AML_TOKEN,
    "aadtoken": SignIn.ENTRA_TOKEN,
}


class OnlineEndpointsClient:
    """Provides `shared.scoring.azure.ScoringAzure` for online endpoints."""

    def __init__(
        self,
        arm: Arm,
        *,
        credential: AsyncTokenCredential,
        now: Callable[[], datetime],
        entra_scope: str = ENTRA_SCOPE,
    ) -> None:
        self._arm = arm
        self._credential = credential
        self._now = now
        self._entra_scope = entra_scope

    async def list_services(self, workspace_id: str, *, deadline: datetime) -> WorkspaceServices:
        """GET .../onlineEndpoints, all pages."""
        try:
            items = await self._arm.list(f"{workspace_id}/onlineEndpoints", deadline=deadline)
        except OpsError as error:
            return WorkspaceServices(workspace_id=workspace_id, problem=str(error))
        found = [_endpoint(item) for item in items if _has_identity(item)]
        return WorkspaceServices(workspace_id=workspace_id, services=found)

    async def get_service(self, service_id: str, *, deadline: datetime) -> FoundService:
        """GET .../onlineEndpoints/{name}."""
        body = (await self._arm.get(_checked(service_id), deadline=deadline)).body
        if not _has_identity(body):
            raise AzureRequestError(f"GET {service_id}: the answer is no endpoint", status=None)
        return _endpoint(body)

    async def get_key(self, service_id: str, *, deadline: datetime) -> ServiceKey:
        """POST .../listKeys, and take the primary one."""
        body = await self._post(service_id, "listKeys", deadline=deadline)
        return ServiceKey(value=_secret(body, "primaryKey", of=service_id))

    async def get_token(self, service_id: str, *, deadline: datetime) -> ServiceKey:
        """POST .../token, or ask Entra ID where the endpoint wants its token."""
        service = await self.get_service(service_id, deadline=deadline)
        if service.sign_in is SignIn.ENTRA_TOKEN:
            return await self._entra_token(deadline)
        body = await self._post(service_id, "token", deadline=deadline)
        return ServiceKey(
            value=_secret(body, "accessToken", of=service_id),
            refresh_after=unix_time(body.get("refreshAfterTimeUtc")),
            expires_at=unix_time(body.get("expiryTimeUtc")),
        )

    async def _entra_token(self, deadline: datetime) -> ServiceKey:
        try:
            async with asyncio.timeout(max((deadline - self._now()).total_seconds(), 0)):
                token = await self._credential.get_token(self._entra_scope)
        except TimeoutError:
            raise CredentialError(
                "Entra ID gave no token by the deadline", retryable=True
            ) from None
        return ServiceKey(value=token.token, expires_at=unix_time(token.expires_on))

    async def _post(self, service_id: str, action: str, *, deadline: datetime) -> Mapping[str, Any]:
        answer = await self._arm.post(f"{_checked(service_id)}/{action}", deadline=deadline)
        if not answer.succeeded:
            raise answer.as_error()
        return answer.body


def _checked(service_id: str) -> str:
    """Return the id. Raises AzureRequestError for one that is no endpoint's: it becomes a path."""
    if _ID.fullmatch(service_id):
        return service_id
    raise AzureRequestError(f"{service_id} is not the id of an online endpoint", status=None)


def _has_identity(item: Mapping[str, Any]) -> bool:
    # Ids become paths of requests.
    if _ID.fullmatch(text(item, "id")):
        return True
    logger.warning("passed over an endpoint without an id, of type %s", item.get("type"))
    return False


def _endpoint(item: Mapping[str, Any]) -> FoundService:
    resource_id, inner = text(item, "id"), as_object(item.get("properties"))
    found = _ID.fullmatch(resource_id)
    return FoundService(
        id=resource_id,
        name=text(item, "name") or resource_id.rpartition("/")[2],
        workspace_id=found["workspace"] if found else "",
        kind=Kind.AML_ONLINE,
        runs_on="Kubernetes" if text(inner, "compute") else "Managed",
        scoring_uri=text(inner, "scoringUri"),
        # As an endpoint has it that was made without a word about it.
        sign_in=_SIGN_IN.get(text(inner, "authMode").lower(), SignIn.KEY),
        state=text(inner, "provisioningState"),
        gets_traffic=_gets_traffic(inner),
        tags=tags(item),
        properties=texts(inner.get("properties")),
        created_at=as_time(text(as_object(item.get("systemData")), "createdAt")),
    )


def _gets_traffic(inner: Mapping[str, Any]) -> bool | None:
    traffic = inner.get("traffic")
    if not isinstance(traffic, dict):
        return None
    return any(count(traffic, name) for name in traffic)


def _secret(body: Mapping[str, Any], name: str, *, of: str) -> str:
    value = text(body, name)
    if not value:
        raise AzureRequestError(f"POST {of}: the answer has no {name}", status=None)
    return value
