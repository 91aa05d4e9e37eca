"""The service principal of the app under test: registered in Entra ID, its credential in the vault.

The seed says of which kind the credential is and what is wrong with it. The control routes let a
test rotate it the way an operator would; they alone ever answer with a value.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azure_emulator.entra.credentials import CertificateSeed, ClientSecretSeed, Days
from azure_emulator.entra.directory import SERVICE_PRINCIPAL_CLIENT_ID, Directory
from azure_emulator.exact_route import ExactRoute
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

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    client_id: str = SERVICE_PRINCIPAL_CLIENT_ID
    prefix: str = "aml-ops"
    credential: CredentialKind = CredentialKind.SECRET
    condition: Condition = Condition.VALID
    expires_in_days: Days | None = 180.0

    @property
    def secret_name(self) -> str:
        """Name the vault's secret that holds the credential."""
        holds_secret = self.credential is CredentialKind.SECRET
        return f"{self.prefix}-client-{'secret' if holds_secret else 'certificate'}"


@dataclass(frozen=True, kw_only=True)
class Rotation(ServicePrincipalSeed):
    """A new credential; `revoke` takes the old ones from the application first."""

    revoke: bool = True


class SecretAttributes(BaseModel):
    """What may be changed of a secret without a new version; times carry their zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    content_type: str | None = None
    enabled: bool = True
    not_before: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    tags: dict[str, str] = {}


class NewSecretVersion(SecretAttributes):
    """A version to be added to a secret of the vault."""

    value: str


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
    """Make the control plane's routes about credentials and secrets.

    A body that makes no sense raises pydantic's ValidationError, which the control plane answers.
    """
    control = _Control(directory=directory, vault=vault)
    application = f"{CONTROL}/entra/applications/{{client_id}}/secrets"
    secret = f"{CONTROL}/vault/secrets/{{name}}"
    return [
        ExactRoute(f"{CONTROL}/service-principal/rotate", control.rotate, methods=["POST"]),
        ExactRoute(f"{CONTROL}/entra", control.directory_state, methods=["GET"]),
        ExactRoute(application, control.add_application_secret, methods=["POST"]),
        ExactRoute(application, control.revoke_application_secrets, methods=["DELETE"]),
        ExactRoute(secret, control.set_secret, methods=["POST"]),
        ExactRoute(secret, control.update_secret, methods=["PATCH"]),
        ExactRoute(secret, control.delete_secret, methods=["DELETE"]),
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
        """POST {credential?, condition?, expires_in_days?, revoke?} -> {secret, version}."""
        rotation = TypeAdapter(Rotation).validate_json(await _body(request))
        if self.directory.application(rotation.client_id) is None:
            return _not_found(f"application {rotation.client_id}")
        if rotation.revoke:
            self.directory.revoke(rotation.client_id)
        version = issue_credential(rotation, directory=self.directory, vault=self.vault)
        return _version(version, status=201)

    async def directory_state(self, _request: Request) -> Response:
        """GET -> the tenant and its applications, without secret values."""
        return JSONResponse(self.directory.describe())

    async def add_application_secret(self, request: Request) -> Response:
        """POST {value?, expires_in_days?} -> {key_id, value, expires_at}."""
        client_id = request.path_params["client_id"]
        seed = TypeAdapter(ClientSecretSeed).validate_json(await _body(request))
        if self.directory.application(client_id) is None:
            return _not_found(f"application {client_id}")
        secret = self.directory.add_secret(client_id, seed)
        expires_at = secret.expires_at.isoformat()
        document = {"key_id": secret.key_id, "value": secret.value, "expires_at": expires_at}
        return JSONResponse(document, status_code=201)

    async def revoke_application_secrets(self, request: Request) -> Response:
        """DELETE: the application keeps no credential at all."""
        client_id = request.path_params["client_id"]
        if self.directory.application(client_id) is None:
            return _not_found(f"application {client_id}")
        self.directory.revoke(client_id)
        return Response(status_code=204)

    async def set_secret(self, request: Request) -> Response:
        """POST {value, content_type?, enabled?, not_before?, expires_at?, tags?} -> {version}."""
        wanted = NewSecretVersion.model_validate_json(await _body(request))
        secret = SecretSeed(name=request.path_params["name"], **wanted.model_dump())
        return _version(self.vault.set_secret(secret), status=201)

    async def update_secret(self, request: Request) -> Response:
        """PATCH {enabled?, expires_at?, ...}: change the latest version's attributes."""
        name = request.path_params["name"]
        wanted = SecretAttributes.model_validate_json(await _body(request))
        if self.vault.find(name) is None:
            return _not_found(f"secret {name}")
        return _version(self.vault.update(name, **wanted.model_dump(exclude_unset=True)))

    async def delete_secret(self, request: Request) -> Response:
        """DELETE: the secret with all its versions."""
        name = request.path_params["name"]
        if self.vault.find(name) is None:
            return _not_found(f"secret {name}")
        self.vault.delete(name)
        return Response(status_code=204)


async def _body(request: Request) -> bytes:
    return await request.body() or b"{}"


def _version(version: SecretVersion, *, status: int = 200) -> Response:
    document: dict[str, Any] = {"secret": version.secret.name, "version": version.version}
    return JSONResponse(document, status_code=status)


def _not_found(what: str) -> Response:
    error = {"code": "NotFound", "message": f"There is no {what}."}
    return JSONResponse({"error": error}, status_code=404)
