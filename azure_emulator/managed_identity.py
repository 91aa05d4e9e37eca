"""The token endpoint that App Service gives an app with a managed identity.

Protocol 2019-08-01: learn.microsoft.com/azure/app-service/overview-managed-identity, "REST
endpoint reference". The shared header keeps other processes of the machine from asking.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azure_emulator.entra.directory import Directory, ManagedIdentitySeed
from azure_emulator.entra.endpoints import RESOURCES, own_url
from azure_emulator.entra.tokens import Principal, PrincipalKind
from azure_emulator.exact_route import ExactRoute

PATH = "/msi/token"
API_VERSION = "2019-08-01"


def routes(directory: Directory, *, header: str) -> list[Route]:
    """`IDENTITY_ENDPOINT` is this host + PATH, `IDENTITY_HEADER` is `header`."""
    endpoint = _Endpoint(directory=directory, header=header)
    return [ExactRoute(PATH, endpoint.token, methods=["GET"])]


@dataclass(frozen=True, kw_only=True)
class _Endpoint:
    directory: Directory
    header: str = field(repr=False)

    async def token(self, request: Request) -> Response:
        """GET ?api-version=2019-08-01&resource=...[&client_id=...|&principal_id=...]."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        identity = self._identity(request.query_params)
        if identity is None:
            return _error(
                400,
                "No User Assigned or Delegated Managed Identity found for specified "
                "ClientId/ResourceId/PrincipalId.",
            )
        request.state.principal = identity.object_id
        return self._grant(identity, resource=request.query_params["resource"])

    def _identity(self, query: Mapping[str, str]) -> ManagedIdentitySeed | None:
        # An identity here is no resource of its own that an id could name.
        if "mi_res_id" in query:
            return None
        identity = self.directory.managed_identity(query.get("client_id"))
        named = query.get("principal_id")
        known = identity is not None and named in {None, identity.object_id}
        return identity if known else None

    def _refusal(self, request: Request) -> Response | None:
        query = request.query_params
        presented = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(presented.encode(), self.header.encode()):
            return _error(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        if query.get("api-version") != API_VERSION:
            return _error(400, f"The api-version must be {API_VERSION}.")
        resource = query.get("resource", "")
        if not resource:
            return _error(400, "The resource parameter is missing.")
        if resource.rstrip("/") not in RESOURCES | {own_url(request)}:
            return _error(
                500,
                f"AADSTS500011: The resource principal named {resource} was not found in the "
                f"tenant named {self.directory.tenant_id}.",
            )
        return None

    def _grant(self, identity: ManagedIdentitySeed, *, resource: str) -> Response:
        principal = Principal(
            object_id=identity.object_id,
            app_id=identity.client_id,
            kind=PrincipalKind.MANAGED_IDENTITY,
        )
        now = int(self.directory.now().timestamp())
        lifetime = int(self.directory.token_lifetimes[principal.kind].total_seconds())
        return JSONResponse(
            {
                "access_token": self.directory.issue(principal, audience=resource),
                "client_id": identity.client_id,
                "expires_on": str(now + lifetime),
                "not_before": str(now),
                "resource": resource,
                "token_type": "Bearer",
            }
        )


def _error(status: int, message: str) -> Response:
    return JSONResponse(
        {"statusCode": status, "message": message, "correlationId": str(uuid4())},
        status_code=status,
    )
