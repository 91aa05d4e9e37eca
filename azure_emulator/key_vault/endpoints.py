"""Key Vault's data plane over HTTP: read and list secrets.

Source: learn.microsoft.com/rest/api/keyvault/secrets. Every api-version in the form of those that
there are or will be is answered alike; writing is the control plane's, so that a test cannot pass for the app's doing.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azure_emulator.entra.directory import Directory
from azure_emulator.entra.endpoints import own_url
from azure_emulator.entra.tokens import TokenError
from azure_emulator.exact_route import ExactRoute
from azure_emulator.key_vault import errors
from azure_emulator.key_vault.vault import PEM, PKCS12, SecretVersion, Vault

GET_SECRET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"  # noqa: S105  # an Azure action
LIST_SECRETS = "Microsoft.KeyVault/vaults/secrets/readMetadata/action"
MAX_RESULTS = 25
# 7.0 and what follows it, and dates: of the first two versions, and from 2025 on.
_VERSION = re.compile(
    r"7\.\d(-preview(\.\d)?)?|(2015-06-01|2016-10-01|202[5-9]-\d\d-\d\d)(-preview)?"
)
_NAME = re.compile("[0-9a-zA-Z-]{1,127}")

Handler = Callable[[Request], Awaitable[Response]]


def routes(vault: Vault, directory: Directory) -> list[Route]:
    """Make the vault's routes, for the root of the host.

    Each leaves the caller's object id in `request.state.principal` and the Azure action in
    `request.state.action`.
    """
    endpoints = _Endpoints(vault=vault, directory=directory)
    get, versions, names = endpoints.get_secret, endpoints.list_versions, endpoints.list_secrets
    return [
        ExactRoute("/secrets", _answering(names), methods=["GET"]),
        ExactRoute("/secrets/{name}/versions", _answering(versions), methods=["GET"]),
        ExactRoute("/secrets/{name}", _answering(get), methods=["GET"]),
        ExactRoute("/secrets/{name}/{version:path}", _answering(get), methods=["GET"]),
    ]


def _answering(handler: Handler) -> Handler:
    """Turn refusals into responses, and add the headers every answer of Key Vault carries."""

    async def answer(request: Request) -> Response:
        headers = _headers(request)
        try:
            response = await handler(request)
        except errors.VaultError as error:
            return error.response(headers)
        response.headers.update(headers)
        return response

    return answer


@dataclass(frozen=True, kw_only=True)
class _Endpoints:
    vault: Vault
    directory: Directory

    async def get_secret(self, request: Request) -> Response:
        """GET /secrets/{name}[/{version}]: the value with its attributes."""
        name = request.path_params["name"]
        self._authorize(request, action=GET_SECRET, name=name)
        found = self.vault.find(name, request.path_params.get("version", "").strip("/"))
        if found is None:
            raise errors.not_found(name)
        if not found.secret.enabled:
            raise errors.disabled()
        return JSONResponse(
            {"value": found.secret.value} | _item(own_url(request), found, with_version=True)
        )

    async def list_secrets(self, request: Request) -> Response:
        """GET /secrets: the latest version of each, without values."""
        self._authorize(request, action=LIST_SECRETS)
        latest = [self.vault.versions(name)[-1] for name in self.vault.names()]
        return JSONResponse(_page(request, latest, with_version=False))

    async def list_versions(self, request: Request) -> Response:
        """GET /secrets/{name}/versions: every version, without values."""
        name = request.path_params["name"]
        self._authorize(request, action=LIST_SECRETS, name=name)
        versions = self.vault.versions(name)
        if not versions:
            raise errors.not_found(name)
        return JSONResponse(_page(request, versions, with_version=True))

    def _authorize(self, request: Request, *, action: str, name: str | None = None) -> None:
        request.state.action = action
        try:
            principal = self.directory.verify(
                _bearer_token(request), audiences=frozenset({errors.RESOURCE})
            )
        except TokenError as error:
            authority = f"{own_url(request)}/{self.directory.tenant_id}"
            raise errors.unauthorized(error, authority=authority) from None
        request.state.principal = principal.object_id
        _require_version(request.query_params.get("api-version", ""))
        if name is not None and not _NAME.fullmatch(name):
            raise errors.invalid_name(name)
        if not self.vault.may_read(principal.object_id, name):
            issuer = self.directory.signer.issuer
            raise errors.forbidden(
                self.vault, principal=principal, action=action, name=name, issuer=issuer
            )


def _require_version(version: str) -> None:
    """Raise VaultError 400 without a version, or for one that can never have been."""
    if not version:
        raise errors.missing_api_version()
    if not _VERSION.fullmatch(version):
        raise errors.unknown_api_version(version)


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _item(url: str, version: SecretVersion, *, with_version: bool) -> dict[str, Any]:
    secret = version.secret
    path = f"{secret.name}/{version.version}" if with_version else secret.name
    item: dict[str, Any] = {
        "id": f"{url}/secrets/{path}",
        "attributes": version.attributes(),
        "tags": dict(secret.tags),
    }
    if secret.content_type is not None:
        item["contentType"] = secret.content_type
    if secret.content_type in {PEM, PKCS12}:
        # A certificate's secret is managed by the certificate and names its key.
        item |= {"managed": True, "kid": f"{url}/keys/{secret.name}/{version.version}"}
    return item


def _page(
    request: Request, versions: Sequence[SecretVersion], *, with_version: bool
) -> dict[str, Any]:
    size = _number(request, "maxresults", default=MAX_RESULTS)
    start = _number(request, "$skiptoken", default=0)
    if not 1 <= size <= MAX_RESULTS or start < 0:
        raise errors.bad_parameter(f"maxresults must be between 1 and {MAX_RESULTS}")
    end = start + size
    url = own_url(request)
    following = None
    if end < len(versions):
        query = request.url.include_query_params(**{"$skiptoken": end, "maxresults": size}).query
        following = f"{url}{request.url.path}?{query}"
    return {
        "value": [
            _item(url, version, with_version=with_version) for version in versions[start:end]
        ],
        "nextLink": following,
    }


def _number(request: Request, name: str, *, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise errors.bad_parameter(f"{name} must be a number") from None


def _headers(request: Request) -> dict[str, str]:
    return {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "x-ms-keyvault-region": "westeurope",
        "x-ms-keyvault-service-version": "emulator",
        "x-ms-client-request-id": request.headers.get("x-ms-client-request-id", str(uuid4())),
        "x-ms-request-id": str(uuid4()),
    }
