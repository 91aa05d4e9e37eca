"""The service principal the app acts as: what was read about it, and signing in with it.

Key Vault knows nothing of Entra ID and the reverse; shared.clients.key_vault joins the two.
"""

import asyncio
import base64
import logging
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity.aio import CertificateCredential, ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from shared.clients.redaction import redact
from shared.errors import CredentialError

logger = logging.getLogger(__name__)

SIGN_IN_SECONDS: Final = 30.0
# Some five seconds in all: the caller has a deadline.
RETRIES: Final = 3
# Entra's answers to an application it does not believe; others (429, 5xx) are its own trouble.
REFUSALS: Final = frozenset({400, 401})
# What is said when an identifier is wrong: by Entra ID (learn.microsoft.com/entra/identity-platform/
# reference-error-codes), or by azure-identity before it asks.
_ABOUT_TENANT: Final = (
    "AADSTS90002:",
    "AADSTS900021:",
    "AADSTS900023:",
    "Invalid tenant ID",
    "tenant_id should",
)
_ABOUT_CLIENT: Final = ("AADSTS700016:", "AADSTS7000112:", "client_id should")


class CredentialKind(StrEnum):
    """What the service principal proves itself with."""

    SECRET = "secret"  # noqa: S105  # the name of a kind
    CERTIFICATE = "certificate"


@dataclass(frozen=True, kw_only=True)
class SecretNames:
    """The names of the secrets in Key Vault, `{prefix}-...`."""

    prefix: str

    @property
    def tenant_id(self) -> str:
        return f"{self.prefix}-tenant-id"

    @property
    def client_id(self) -> str:
        return f"{self.prefix}-client-id"

    @property
    def every(self) -> frozenset[str]:
        """Return all of them in lower case: Key Vault ignores it."""
        credentials = (self.credential(kind) for kind in CredentialKind)
        return frozenset(each.lower() for each in (self.tenant_id, self.client_id, *credentials))

    def credential(self, kind: CredentialKind) -> str:
        return f"{self.prefix}-client-{kind}"


@dataclass(frozen=True, kw_only=True)
class ServicePrincipal:
    """A service principal as Key Vault describes it.

    `value` is the client secret, or the certificate with its private key: PEM, or base64 of a
    PKCS#12 bundle without a password. `expires_at` is aware; None where nobody said.
    """

    names: SecretNames
    tenant_id: str
    client_id: str
    kind: CredentialKind
    value: str = field(repr=False)
    expires_at: datetime | None

    @property
    def vault_secret(self) -> str:
        """Name the secret that holds the credential."""
        return self.names.credential(self.kind)


class RefusedError(CredentialError):
    """Entra ID does not accept the service principal: reading the vault again may help."""


def certificate_bytes(value: str) -> bytes:
    """Decode a certificate as Key Vault hands it out. Raises ValueError.

    Formats: learn.microsoft.com/azure/key-vault/certificates/about-certificates; told apart by
    the PEM header, since a certificate put there by hand has no content type.
    """
    if "-----BEGIN" in value:
        return value.encode()
    return base64.b64decode("".join(value.split()), validate=True)


def certificate_expiry(value: str) -> datetime:
    """Read notAfter of the certificate. Raises ValueError where there is none."""
    data = certificate_bytes(value)
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificate(data).not_valid_after_utc
    certificate = pkcs12.load_key_and_certificates(data, None)[1]
    if certificate is None:
        raise ValueError("the PKCS#12 bundle holds no certificate")
    return certificate.not_valid_after_utc


async def request_token(
    principal: ServicePrincipal,
    *,
    authority: str | None,
    scopes: tuple[str, ...],
    options: TokenRequestOptions | None,
) -> AccessTokenInfo:
    """Ask Entra ID for an access token.

    Raises RefusedError, naming the vault secret to look at, when Entra says no to this principal;
    else CredentialError, retryable. The connection, which belongs to an event loop, is closed.
    """
    try:
        async with asyncio.timeout(SIGN_IN_SECONDS), _credential(principal, authority) as entra:
            return await entra.get_token_info(*scopes, options=options or {})
    except (AzureError, TimeoutError, ValueError) as error:
        told = _told(principal, error)
    # Raised outside the handler: a chained traceback would quote an answer that holds a token.
    raise told


def _told(
    principal: ServicePrincipal, error: AzureError | TimeoutError | ValueError
) -> CredentialError:
    if isinstance(error, ValueError):
        suspect = _suspect(principal, str(error))
        return RefusedError(f"Key Vault secret {suspect!r} does not hold what it should")
    if isinstance(error, ClientAuthenticationError):
        return _answered(principal, error)
    return CredentialError(
        f"Entra ID could not be asked for a token: {type(error).__name__}", retryable=True
    )


def _answered(principal: ServicePrincipal, error: ClientAuthenticationError) -> CredentialError:
    said = redact(next(iter(str(error.message).splitlines()), type(error).__name__))
    if error.status_code not in REFUSALS:
        return CredentialError(f"Entra ID could not answer: {said}", retryable=True)
    return RefusedError(
        f"Entra ID refuses the service principal, see Key Vault secret "
        f"{_suspect(principal, said)!r}: {said}"
    )


def _credential(
    principal: ServicePrincipal, authority: str | None
) -> ClientSecretCredential | CertificateCredential:
    known: dict[str, Any] = {"retry_total": RETRIES}
    if authority:
        known["authority"] = authority
    if principal.kind is CredentialKind.CERTIFICATE:
        return CertificateCredential(
            principal.tenant_id,
            principal.client_id,
            certificate_data=certificate_bytes(principal.value),
            **known,
        )
    return ClientSecretCredential(
        principal.tenant_id, principal.client_id, principal.value, **known
    )


def _suspect(principal: ServicePrincipal, said: str) -> str:
    """Name the vault secret that an error of Entra ID or azure-identity is about."""
    if any(words in said for words in _ABOUT_TENANT):
        return principal.names.tenant_id
    if any(words in said for words in _ABOUT_CLIENT):
        return principal.names.client_id
    return principal.vault_secret
