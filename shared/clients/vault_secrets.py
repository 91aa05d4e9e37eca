"""Read secrets from Key Vault with the app's managed identity: the service principal's, and keys of services."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, Self

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
)
from azure.identity import CredentialUnavailableError
from azure.identity.aio import ManagedIdentityCredential
from azure.keyvault.secrets import KeyVaultSecret
from azure.keyvault.secrets.aio import SecretClient

from shared.clients.service_principal import (
    REFUSALS,
    RETRIES,
    CredentialKind,
    SecretNames,
    ServicePrincipal,
    certificate_expiry,
)
from shared.errors import CredentialError

READ_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class CredentialSource:
    """Where the service principal is described, and where it signs in.

    `identity_client_id` chooses a user-assigned managed identity; None is the system-assigned.
    `authority` is the Entra ID host of the cloud, None that of the public one.
    `vault_in_cloud_suffix` is false only where the vault is outside the cloud's DNS suffix: the
    SDK then does not compare the challenge's resource with the vault's host.
    """

    vault_url: str
    prefix: str = "aml-ops"
    identity_client_id: str | None = None
    authority: str | None = None
    vault_in_cloud_suffix: bool = True


async def read_service_principal(source: CredentialSource) -> ServicePrincipal:
    """Read the service principal's secrets from Key Vault with the managed identity.

    Where both a certificate and a secret are there, the certificate wins. Raises CredentialError
    that names the secret which could not be read; a retry helps when the vault was not reached.
    Source: Key Vault REST API, GET /secrets/{name}.
    """
    try:
        async with (
            asyncio.timeout(READ_SECONDS),
            ManagedIdentityCredential(client_id=source.identity_client_id) as identity,
            SecretClient(
                source.vault_url,
                identity,
                verify_challenge_resource=source.vault_in_cloud_suffix,
                retry_total=RETRIES,
            ) as vault,
        ):
            return await _read(vault, SecretNames(prefix=source.prefix))
    except TimeoutError as error:
        raise CredentialError(
            f"Key Vault did not answer within {READ_SECONDS:.0f} s", retryable=True
        ) from error


class ServiceSecrets:
    """The keys of services in the same vault, by name. Opened per invocation, at the first key."""

    def __init__(self, source: CredentialSource) -> None:
        self._source = source
        self._stack = AsyncExitStack()
        self._vault: SecretClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def get(self, name: str) -> str:
        """Return a secret's value. Raises CredentialError that names it."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                return _text(await _get(await self._opened(), name))
        except TimeoutError as error:
            raise CredentialError(
                f"Key Vault did not answer within {READ_SECONDS:.0f} s", retryable=True
            ) from error

    async def _opened(self) -> SecretClient:
        if self._vault is None:
            enter = self._stack.enter_async_context
            identity = ManagedIdentityCredential(client_id=self._source.identity_client_id)
            # Before anything is awaited: many services ask at once, and one vault is opened.
            self._vault = SecretClient(
                self._source.vault_url,
                identity,
                verify_challenge_resource=self._source.vault_in_cloud_suffix,
                retry_total=RETRIES,
            )
            await enter(identity)
            await enter(self._vault)
        return self._vault


async def _read(vault: SecretClient, names: SecretNames) -> ServicePrincipal:
    tenant_id = await _get(vault, names.tenant_id)
    client_id = await _get(vault, names.client_id)
    kind, secret = await _get_credential(vault, names)
    return ServicePrincipal(
        names=names,
        tenant_id=_text(tenant_id),
        client_id=_text(client_id),
        kind=kind,
        value=_text(secret),
        expires_at=_expiry(names.credential(kind), kind, secret),
    )


def _text(secret: KeyVaultSecret) -> str:
    """Return the value without the line break that files stored as secrets end with."""
    return (secret.value or "").strip()


async def _get_credential(
    vault: SecretClient, names: SecretNames
) -> tuple[CredentialKind, KeyVaultSecret]:
    """Read the certificate, or where there is none (or it is disabled) the secret."""
    try:
        certificate = await _get(vault, names.credential(CredentialKind.CERTIFICATE))
    except _AbsentError as absent:
        try:
            secret = await _get(vault, names.credential(CredentialKind.SECRET))
        except _AbsentError as error:
            raise CredentialError(f"{error}; {absent}") from error
        return CredentialKind.SECRET, secret
    return CredentialKind.CERTIFICATE, certificate


async def _get(vault: SecretClient, name: str) -> KeyVaultSecret:
    try:
        return await vault.get_secret(name)
    except (AzureError, ValueError) as error:
        told = _told(f"Key Vault secret {name!r}", error)
    # Raised outside the handler: a chained traceback would quote an answer that holds the secret.
    raise told


class _AbsentError(CredentialError):
    """The secret is not there, or disabled, which an operator means to be the same."""


def _told(secret: str, error: AzureError | ValueError) -> CredentialError:
    """Translate the SDK's error about one secret."""
    if isinstance(error, CredentialUnavailableError):
        return CredentialError(f"{secret}: there is no managed identity to read it with")
    if isinstance(error, ClientAuthenticationError):
        return CredentialError(
            f"{secret}: the managed identity got no token for it",
            retryable=error.status_code not in REFUSALS,
        )
    if isinstance(error, HttpResponseError) and not isinstance(error, DecodeError):
        return _answered(secret, error)
    if isinstance(error, AzureError):
        return CredentialError(
            f"{secret}: Key Vault could not be reached, {type(error).__name__}", retryable=True
        )
    return CredentialError(f"{secret}: what answers is not a vault of this cloud")


def _answered(secret: str, error: HttpResponseError) -> CredentialError:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _AbsentError(f"{secret} does not exist")
    if _inner_code(error) == "SecretDisabled":
        return _AbsentError(f"{secret} is disabled")
    if error.status_code == HTTPStatus.FORBIDDEN:
        return CredentialError(f"{secret}: the managed identity may not read it")
    return CredentialError(f"{secret}: Key Vault answered {error.status_code}", retryable=True)


def _inner_code(error: HttpResponseError) -> str:
    """Return the specific code of Key Vault's error envelope, for example SecretDisabled."""
    inner = getattr(error.error, "innererror", None) or {}
    return str(inner.get("code", ""))


def _expiry(name: str, kind: CredentialKind, secret: KeyVaultSecret) -> datetime | None:
    if kind is CredentialKind.SECRET:
        return secret.properties.expires_on
    try:
        return certificate_expiry(_text(secret))
    except ValueError as error:
        raise CredentialError(
            f"Key Vault secret {name!r} holds no certificate: neither PEM nor PKCS#12"
        ) from error
