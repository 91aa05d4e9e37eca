"""Entra ID's HTTP surface: discovery documents, keys and the token endpoint.

Only the client credentials grant exists: no person signs in here. Source:
learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azure_emulator.entra import errors
from azure_emulator.entra.assertions import ASSERTION_TYPE, check_assertion, issuer
from azure_emulator.entra.directory import Application, Directory
from azure_emulator.exact_route import ExactRoute

ANY_TENANT = frozenset({"common", "organizations"})
DEFAULT_SCOPE = "/.default"
# The resources of a tenant that our clients ask tokens for; others are AADSTS500011.
RESOURCES = frozenset(
    {
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://vault.azure.net",
        "https://monitor.azure.com",
        "https://graph.microsoft.com",
        "https://graph.windows.net",
        "https://storage.azure.com",
        "https://containerregistry.azure.net",
        # The server application of AKS, the same in all tenants.
        "6dae42f8-4368-4678-94ff-3960e28e3630",
        "https://ml.azure.com",
        "https://batch.core.windows.net",
    }
)


def routes(directory: Directory) -> list[Route]:
    """Entra ID of this directory, to be mounted at the root of the host.

    Each token request leaves the object id it concerns in `request.state.principal`.
    """
    endpoints = _Endpoints(directory=directory)
    configuration = "/{tenant}/{version}/.well-known/openid-configuration"
    return [
        ExactRoute("/common/discovery/instance", endpoints.instance_discovery),
        ExactRoute("/{tenant}/.well-known/openid-configuration", endpoints.openid_configuration),
        ExactRoute(configuration, endpoints.openid_configuration),
        ExactRoute("/{tenant}/discovery/v2.0/keys", endpoints.keys),
        ExactRoute("/{tenant}/discovery/keys", endpoints.keys),
        ExactRoute("/{tenant}/oauth2/v2.0/token", endpoints.token, methods=["POST"]),
        ExactRoute("/{tenant}/oauth2/token", endpoints.token_v1, methods=["POST"]),
    ]


def own_url(request: Request) -> str:
    """Return the emulator's address as the caller knows it, without a trailing slash."""
    return str(request.base_url).rstrip("/")


@dataclass(frozen=True, kw_only=True)
class _Endpoints:
    directory: Directory

    async def instance_discovery(self, request: Request) -> Response:
        """Which hosts are the same authority; MSAL asks before it trusts an unknown one."""
        tenant = self.directory.tenant_id
        host = request.url.netloc
        return JSONResponse(
            {
                "tenant_discovery_endpoint": f"{own_url(request)}/{tenant}/v2.0"
                "/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": [
                    {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
                ],
            }
        )

    async def openid_configuration(self, request: Request) -> Response:
        tenant = request.path_params["tenant"]
        version = request.path_params.get("version", "")
        if not self._is_known(tenant) or version not in {"", "v2.0"}:
            return self._refusal(request, errors.unknown_tenant(tenant))
        return JSONResponse(
            _openid_configuration(
                own_url(request), tenant=tenant, version=version, issuer=self._issuer(request)
            )
        )

    async def keys(self, _request: Request) -> Response:
        return JSONResponse(self.directory.signer.jwks())

    async def token(self, request: Request) -> Response:
        """POST /{tenant}/oauth2/v2.0/token, form `scope={resource}/.default`."""
        form = await _form(request)
        try:
            application = self._authenticate(request, form)
            audience = self._audience(request, _text(form, "scope"))
        except errors.EntraError as error:
            return self._refusal(request, error)
        return JSONResponse(
            self._grant(application, audience=audience), headers=dict(errors.NO_STORE)
        )

    async def token_v1(self, request: Request) -> Response:
        """POST /{tenant}/oauth2/token, form `resource=...`: ADAL and its descendants."""
        form = await _form(request)
        try:
            application = self._authenticate(request, form)
            audience = _text(form, "resource")
            self._check_resource(request, audience)
        except errors.EntraError as error:
            return self._refusal(request, error)
        granted = self._grant(application, audience=audience)
        now = int(self.directory.now().timestamp())
        numbers = {
            "expires_in": granted["expires_in"],
            "ext_expires_in": granted["ext_expires_in"],
            "expires_on": now + granted["expires_in"],
            "not_before": now,
        }
        # The v1 endpoint writes its numbers as text.
        v1 = granted | {name: str(number) for name, number in numbers.items()}
        return JSONResponse(v1 | {"resource": audience}, headers=dict(errors.NO_STORE))

    def _authenticate(self, request: Request, form: Mapping[str, str]) -> Application:
        tenant = request.path_params["tenant"]
        if not self._is_known(tenant):
            raise errors.unknown_tenant(tenant)
        grant_type = _text(form, "grant_type")
        if grant_type != "client_credentials":
            raise errors.unsupported_grant(grant_type)
        offered = _offered_credential(request, form)
        application = self.directory.application(offered.client_id)
        if application is None:
            raise errors.unknown_application(offered.client_id, tenant=tenant)
        request.state.principal = application.object_id
        self._prove(application, offered=offered, request=request)
        return application

    def _prove(self, application: Application, *, offered: "_Offered", request: Request) -> None:
        if offered.assertion is not None:
            check_assertion(
                offered.assertion,
                application=application,
                audiences=self._assertion_audiences(request),
                now=self.directory.now(),
            )
        elif offered.secret is not None:
            self._check_secret(application, offered.secret)
        else:
            raise errors.missing_credential()

    def _check_secret(self, application: Application, value: str) -> None:
        secret = application.find_secret(value)
        if secret is None:
            raise errors.wrong_secret(application.client_id)
        if secret.expires_at <= self.directory.now():
            raise errors.expired_secret(application.client_id)

    def _audience(self, request: Request, scope: str) -> str:
        scopes = scope.split()
        if len(scopes) != 1:
            raise errors.invalid_scope(scope)
        if not scope.endswith(DEFAULT_SCOPE):
            raise errors.scope_without_default(scope)
        audience = scope.removesuffix(DEFAULT_SCOPE)
        self._check_resource(request, audience)
        return audience

    def _check_resource(self, request: Request, resource: str) -> None:
        known = RESOURCES | {own_url(request)}
        if resource.rstrip("/") not in known:
            raise errors.unknown_resource(resource, tenant=self.directory.tenant_id)

    def _grant(self, application: Application, *, audience: str) -> dict[str, Any]:
        principal = application.principal
        lifetime = int(self.directory.token_lifetimes[principal.kind].total_seconds())
        return {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self.directory.issue(principal, audience=audience),
        }

    def _assertion_audiences(self, request: Request) -> frozenset[str]:
        tenants = {self.directory.tenant_id, request.path_params["tenant"]}
        endings = ("", "/", "/v2.0", "/oauth2/token", "/oauth2/v2.0/token")
        return frozenset(
            f"{own_url(request)}/{tenant}{ending}" for tenant in tenants for ending in endings
        )

    def _is_known(self, tenant: str) -> bool:
        return tenant.lower() in ANY_TENANT | {self.directory.tenant_id}

    def _issuer(self, request: Request) -> str:
        if request.path_params.get("version"):
            return f"{own_url(request)}/{self.directory.tenant_id}/v2.0"
        return self.directory.signer.issuer

    def _refusal(self, request: Request, error: errors.EntraError) -> Response:
        return error.response(
            authority=own_url(request),
            now=self.directory.now(),
            correlation_id=request.headers.get("client-request-id"),
        )


@dataclass(frozen=True, kw_only=True)
class _Offered:
    """What a client offers as its identity: a secret or a signed assertion."""

    client_id: str
    secret: str | None = None
    assertion: str | None = None


async def _form(request: Request) -> Mapping[str, str]:
    # Starlette's own form parser wants a multipart library that nothing else here needs.
    body = (await request.body()).decode(errors="replace")
    return dict(parse_qsl(body, keep_blank_values=True))


def _offered_credential(request: Request, form: Mapping[str, str]) -> _Offered:
    if "client_assertion" in form:
        assertion = _text(form, "client_assertion")
        if _text(form, "client_assertion_type") != ASSERTION_TYPE:
            raise errors.malformed_assertion()
        client_id = form.get("client_id") or issuer(assertion) or ""
        return _Offered(client_id=client_id, assertion=assertion)
    basic = _basic_credential(request.headers)
    if basic is not None:
        return basic
    return _Offered(client_id=_text(form, "client_id"), secret=form.get("client_secret"))


def _basic_credential(headers: Mapping[str, str]) -> _Offered | None:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return None
    return _Offered(client_id=unquote_plus(user), secret=unquote_plus(password))


def _text(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        raise errors.missing_parameter(name)
    return value


def _openid_configuration(url: str, *, tenant: str, version: str, issuer: str) -> dict[str, Any]:
    authority = f"{url}/{tenant}"
    oauth2 = f"{authority}/oauth2/{version}".rstrip("/")
    keys = f"{authority}/discovery/{version}".rstrip("/")
    return {
        "token_endpoint": f"{oauth2}/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{keys}/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "authorization_endpoint": f"{oauth2}/authorize",
        "device_authorization_endpoint": f"{oauth2}/devicecode",
        "tenant_region_scope": None,
        "cloud_instance_name": "emulator",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    }
