"""A container registry on the emulator's own host: what tags lead to, and Azure's sign-in to it.

Its images are those of the seed whose reference begins with the emulator's host and port. Sources:
github.com/opencontainers/distribution-spec; github.com/Azure/acr/blob/main/docs/AAD-OAuth.md. Of blobs,
configs are here and layers are not.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from azure_emulator.entra.tokens import Principal, PrincipalKind, TokenError
from azure_emulator.exact_route import ExactRoute
from azure_emulator.storage import ranges
from azure_emulator.storage.errors import StorageError

if TYPE_CHECKING:
    from azure_emulator.emulator import Emulator

PULL = "Microsoft.ContainerRegistry/registries/pull/read"
# Azure takes tokens for Resource Manager, too, unless a registry's policy forbids it.
AUDIENCES = frozenset({"https://containerregistry.azure.net", "https://management.azure.com"})
DATA = "/registry-data"
_REFRESH = "registry:refresh"
_ANYBODY = Principal(
    object_id="anonymous", app_id="anonymous", kind=PrincipalKind.SERVICE_PRINCIPAL
)


def routes(emulator: Emulator) -> list[Route]:
    """Make the registry's routes, for the root of the host."""
    registry = _Registry(emulator=emulator)
    return [
        ExactRoute(
            "/v2/{name:path}/manifests/{reference}", registry.manifest, methods=["GET", "HEAD"]
        ),
        ExactRoute("/v2/{name:path}/blobs/{digest}", registry.blob, methods=["GET"]),
        ExactRoute(f"{DATA}/{{name:path}}/{{digest}}", registry.data, methods=["GET"]),
        ExactRoute("/oauth2/exchange", registry.exchange, methods=["POST"]),
        ExactRoute("/oauth2/token", registry.token, methods=["POST"]),
        ExactRoute("/oauth2/token", registry.token_for_anybody, methods=["GET"]),
    ]


@dataclass(frozen=True, kw_only=True)
class _Registry:
    emulator: Emulator
    signature: str = field(default_factory=secrets.token_urlsafe, repr=False)

    async def manifest(self, request: Request) -> Response:
        """GET or HEAD /v2/{name}/manifests/{tag or digest}: its digest is in a header."""
        name, reference = request.path_params["name"], request.path_params["reference"]
        if not self._may_pull(request):
            return _challenge(request, _scope(name))
        mark = "@" if reference.startswith("sha256:") else ":"
        wanted = f"{request.url.netloc}/{name}{mark}{reference}"
        found = self.emulator.estate.images.manifest(wanted)
        if found is None:
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        digest, media_type, content = found
        headers = {"Docker-Content-Digest": digest, "Content-Type": media_type}
        return Response(content, headers=headers)

    async def blob(self, request: Request) -> Response:
        """GET /v2/{name}/blobs/{digest}: 307 to where the data is, under a signature, as in Azure."""
        name, digest = request.path_params["name"], request.path_params["digest"]
        if not self._may_pull(request):
            return _challenge(request, _scope(name))
        if self._config(request) is None:
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        host = request.url.netloc
        return RedirectResponse(f"https://{host}{DATA}/{name}/{digest}?sig={self.signature}", 307)

    async def data(self, request: Request) -> Response:
        """GET by signature: storage takes that or a token, and refuses both at once."""
        given = request.query_params.get("sig", "")
        if not hmac.compare_digest(given.encode(), self.signature.encode()):
            return Response(status_code=403)
        if "authorization" in request.headers:
            return Response(status_code=400)
        headers = {"Accept-Ranges": "bytes", "x-ms-request-id": str(uuid4())}
        try:
            return self._part(request, headers)
        except StorageError as error:
            return error.response(headers)

    def _part(self, request: Request, headers: dict[str, str]) -> Response:
        content = self._config(request)
        if content is None:
            raise StorageError("BlobNotFound")
        return ranges.answer(content, request.headers, headers)

    def _may_pull(self, request: Request) -> bool:
        request.state.action = PULL
        audience = _scope(request.path_params["name"])
        try:
            principal = self._verify(_bearer(request), audience=audience)
        except TokenError:
            return False
        request.state.principal = principal.object_id
        return True

    def _config(self, request: Request) -> bytes | None:
        repository = f"{request.url.netloc}/{request.path_params['name']}"
        return self.emulator.estate.images.config(repository, request.path_params["digest"])

    async def exchange(self, request: Request) -> Response:
        """POST grant_type=access_token&service=...&access_token=...: a refresh token."""
        form = await _form(request)
        try:
            principal = self.emulator.directory.verify(
                form.get("access_token", ""), audiences=AUDIENCES
            )
        except TokenError:
            return _error(401, "UNAUTHORIZED", "authentication required")
        if form.get("grant_type") != "access_token" or form.get("service") != request.url.netloc:
            return _error(400, "INVALID_REQUEST", "grant_type or service is wrong")
        request.state.principal = principal.object_id
        return JSONResponse({"refresh_token": self._issue(principal, audience=_REFRESH)})

    async def token(self, request: Request) -> Response:
        """POST grant_type=refresh_token&service=...&scope=...: a token that may do what is granted."""
        form = await _form(request)
        try:
            principal = self._verify(form.get("refresh_token", ""), audience=_REFRESH)
        except TokenError:
            return _error(401, "UNAUTHORIZED", "authentication required")
        if form.get("grant_type") != "refresh_token" or form.get("service") != request.url.netloc:
            return _error(400, "INVALID_REQUEST", "grant_type or service is wrong")
        request.state.principal = principal.object_id
        may_pull = self.emulator.grants.allow(principal, action=PULL, scope="/")
        # Azure issues a token in any case; without the right it opens nothing.
        audience = form.get("scope", "") if may_pull else ""
        return JSONResponse({"access_token": self._issue(principal, audience=audience)})

    async def token_for_anybody(self, request: Request) -> Response:
        """GET ?service=...&scope=...: only where everybody may pull."""
        if not self.emulator.anonymous_pull:
            return _error(401, "UNAUTHORIZED", "authentication required")
        audience = request.query_params.get("scope", "")
        return JSONResponse({"access_token": self._issue(_ANYBODY, audience=audience)})

    def _issue(self, principal: Principal, *, audience: str) -> str:
        return self.emulator.directory.issue(principal, audience=audience)

    def _verify(self, token: str, *, audience: str) -> Principal:
        return self.emulator.directory.verify(token, audiences=frozenset({audience}))


def _scope(name: str) -> str:
    return f"repository:{name}:pull"


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


def _challenge(request: Request, scope: str) -> Response:
    host = request.url.netloc
    challenge = f'Bearer realm="https://{host}/oauth2/token",service="{host}",scope="{scope}"' + (
        ',error="invalid_token"' if _bearer(request) else ""
    )
    return _error(401, "UNAUTHORIZED", "authentication required", challenge=challenge)


def _error(status: int, code: str, message: str, *, challenge: str = "") -> Response:
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    body = {"errors": [{"code": code, "message": message, "detail": None}]}
    return JSONResponse(body, status_code=status, headers=headers)
