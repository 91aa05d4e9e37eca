"""The service principal of the app under test: registered in Entra ID, its credential in the vault.

The seed says of which kind the credential is and what is wrong with it. The control routes let a
test rotate it the way an operator would; they alone ever answer with a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azure_emulator.entra.credentials import CertificateSeed, ClientSecretSeed
from azure_emulator.entra.directory import SERVICE_PRINCIPAL_CLIENT_ID, Directory
from azure_emulator.key_vault.vault import PEM, PKCS12, SecretSeed, SecretVersion, Vault

CONTROL = "/_emulator"
LASTING_DAYS = 730.0


class CredentialKind(StrEnum):
    """What the vault holds: a client secret, or a certificate in one of two encodings."""

    SECRET = "secret"  # noqa: S105  # the name of a kind
    CERTIFICATE_PEM = "certificate_pem"
    CERTIFICATE_PKCS12 = "certificate_pkcs12"


class Condition(StrEnum):
    """What is the matter: with the credential in Entra ID, or with its copy in the vault."""

    VALID = "valid"
    EXPIRED = "expired"
    WRONG = "wrong"
    DISABLED = "disabled"
    ABSENT = "absent"


@dataclass(frozen=True, kw_only=True)
class ServicePrincipalSeed:
    """How the service principal stands at start.

    `expires_in_days` is the expiry of the credential and of the vault's copy (`exp`); None lets it
    last, without an `exp` in the vault.
    """

    client_id: str = SERVICE_PRINCIPAL_CLIENT_ID
    prefix: str = "aml-ops"
    credential: CredentialKind = CredentialKind.SECRET
    condition: Condition = Condition.VALID
    expires_in_days: float | None = 180.0

    @property
    def secret_name(self) -> str:
        """Name the vault's secret that holds the credential."""
        holds_secret = self.credential is CredentialKind.SECRET
        return f"{self.prefix}-client-{'secret' if holds_secret else 'certificate'}"


def install(seed: ServicePrincipalSeed, *, directory: Directory, vault: Vault) -> None:
    """Register a credential and put it into the vault, beside the tenant and client ids.

    The directory must hold the application; Directory.load and Vault.load come first.
    """
    named = {"tenant-id": directory.tenant_id, "client-id": seed.client_id}
    for name, value in named.items():
        vault.set_secret(SecretSeed(name=f"{seed.prefix}-{name}", value=value))
    issue_credential(seed, directory=directory, vault=vault)


def issue_credential(
    seed: ServicePrincipalSeed, *, directory: Directory, vault: Vault
) -> SecretVersion:
    """Make a new credential in Entra ID and store it as the vault's latest version."""
    if seed.credential is CredentialKind.SECRET:
        copy = _secret(seed, directory=directory)
    else:
        copy = _certificate(seed, directory=directory)
    if seed.condition is Condition.WRONG:
        directory.revoke(seed.client_id)
    version = vault.set_secret(replace(copy, enabled=seed.condition is not Condition.DISABLED))
    if seed.condition is Condition.ABSENT:
        vault.delete(seed.secret_name)
    return version


def control_routes(directory: Directory, vault: Vault) -> list[Route]:
    """Make the control plane's routes about credentials and secrets."""
    control = _Control(directory=directory, vault=vault)
    application = f"{CONTROL}/entra/applications/{{client_id}}/secrets"
    secret = f"{CONTROL}/vault/secrets/{{name}}"
    return [
        Route(f"{CONTROL}/service-principal/rotate", control.rotate, methods=["POST"]),
        Route(f"{CONTROL}/entra", control.directory_state, methods=["GET"]),
        Route(application, control.add_application_secret, methods=["POST"]),
        Route(application, control.revoke_application_secrets, methods=["DELETE"]),
        Route(secret, control.set_secret, methods=["POST"]),
        Route(secret, control.update_secret, methods=["PATCH"]),
        Route(secret, control.delete_secret, methods=["DELETE"]),
    ]


def _secret(seed: ServicePrincipalSeed, *, directory: Directory) -> SecretSeed:
    made = directory.add_secret(seed.client_id, ClientSecretSeed(expires_in_days=_days(seed)))
    return SecretSeed(
        name=seed.secret_name,
        value=made.value,
        expires_at=None if seed.expires_in_days is None else made.expires_at,
    )


def _certificate(seed: ServicePrincipalSeed, *, directory: Directory) -> SecretSeed:
    made = directory.add_certificate(seed.client_id, CertificateSeed(expires_in_days=_days(seed)))
    as_pem = seed.credential is CredentialKind.CERTIFICATE_PEM
    return SecretSeed(
        name=seed.secret_name,
        value=made.pem if as_pem else made.pkcs12,
        content_type=PEM if as_pem else PKCS12,
        expires_at=None if seed.expires_in_days is None else made.expires_at,
    )


def _days(seed: ServicePrincipalSeed) -> float:
    if seed.condition is Condition.EXPIRED:
        return -1.0
    return LASTING_DAYS if seed.expires_in_days is None else seed.expires_in_days


@dataclass(frozen=True, kw_only=True)
class _Control:
    directory: Directory
    vault: Vault

    async def rotate(self, request: Request) -> Response:
        """POST {credential?, condition?, expires_in_days?, revoke?} -> {secret, version}.

        `revoke` (default true) takes the old credentials from the application first.
        """
        try:
            wanted = await _document(request)
            revoke = wanted.pop("revoke", True)
            seed = _service_principal_seed(wanted)
            self._revoke(seed, revoke=revoke)
        except (TypeError, ValueError, KeyError) as error:
            return _bad_request(error)
        version = issue_credential(seed, directory=self.directory, vault=self.vault)
        return JSONResponse(
            {"secret": version.secret.name, "version": version.version}, status_code=201
        )

    async def directory_state(self, _request: Request) -> Response:
        """GET -> the tenant and its applications, without secret values."""
        return JSONResponse(self.directory.describe())

    async def add_application_secret(self, request: Request) -> Response:
        """POST {value?, expires_in_days?} -> {key_id, value, expires_at}."""
        client_id = request.path_params["client_id"]
        try:
            seed = ClientSecretSeed(**await _document(request))
            secret = self.directory.add_secret(client_id, seed)
        except (TypeError, ValueError, KeyError) as error:
            return _bad_request(error)
        return JSONResponse(
            {
                "key_id": secret.key_id,
                "value": secret.value,
                "expires_at": secret.expires_at.isoformat(),
            },
            status_code=201,
        )

    async def revoke_application_secrets(self, request: Request) -> Response:
        """DELETE: the application keeps no credential at all."""
        try:
            self.directory.revoke(request.path_params["client_id"])
        except KeyError as error:
            return _bad_request(error)
        return Response(status_code=204)

    async def set_secret(self, request: Request) -> Response:
        """POST {value, content_type?, enabled?, not_before?, expires_at?, tags?} -> {version}."""
        name = request.path_params["name"]
        try:
            attributes = dict(_with_times(await _document(request)))
            version = self.vault.set_secret(SecretSeed(name=name, **attributes))
        except (TypeError, ValueError) as error:
            return _bad_request(error)
        return JSONResponse({"secret": name, "version": version.version}, status_code=201)

    async def update_secret(self, request: Request) -> Response:
        """PATCH {enabled?, expires_at?, ...}: change the latest version's attributes."""
        name = request.path_params["name"]
        try:
            attributes = dict(_with_times(await _document(request)))
            version = self.vault.update(name, **attributes)
        except (TypeError, ValueError, KeyError) as error:
            return _bad_request(error)
        return JSONResponse({"secret": name, "version": version.version})

    async def delete_secret(self, request: Request) -> Response:
        """DELETE: the secret with all its versions."""
        try:
            self.vault.delete(request.path_params["name"])
        except KeyError as error:
            return _bad_request(error)
        return Response(status_code=204)

    def _revoke(self, seed: ServicePrincipalSeed, *, revoke: bool) -> None:
        if seed.client_id.lower() not in self.directory.applications:
            raise KeyError(seed.client_id)
        if revoke:
            self.directory.revoke(seed.client_id)


async def _document(request: Request) -> dict[str, Any]:
    body = await request.body()
    document = await request.json() if body else {}
    if not isinstance(document, dict):
        raise TypeError("the body must be a JSON object")
    return document


def _service_principal_seed(document: dict[str, Any]) -> ServicePrincipalSeed:
    kinds = {"credential": CredentialKind, "condition": Condition}
    parsed = {name: kind(document[name]) for name, kind in kinds.items() if name in document}
    return ServicePrincipalSeed(**(document | parsed))


def _with_times(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        is_time = name in {"not_before", "expires_at"} and value is not None
        yield name, datetime.fromisoformat(value) if is_time else value


def _bad_request(error: Exception) -> Response:
    # The class and the offending name only: a message could quote a value.
    message = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
    return JSONResponse({"error": {"code": "BadRequest", "message": message}}, status_code=400)
