"""The directory: applications with their credentials, and managed identities.

State and rules, no HTTP. Loading a seed keeps the signing key, so a token issued before a reset
stays valid until it expires, as a token does in Azure.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from azure_emulator.entra.credentials import (
    Certificate,
    CertificateSeed,
    ClientSecret,
    ClientSecretSeed,
    new_certificate,
    new_client_secret,
)
from azure_emulator.entra.tokens import Principal, PrincipalKind, TokenSigner

TENANT_ID = "7ab1f9c2-5d0e-4c3b-9f64-2e8d10a7c5b3"
SERVICE_PRINCIPAL_CLIENT_ID = "c0a6d3f1-91b7-4e52-8a3d-64f0b2e7d915"
SERVICE_PRINCIPAL_OBJECT_ID = "5e2f80b4-7c19-4d6a-b3e5-1f9a6c82d047"
MANAGED_IDENTITY_CLIENT_ID = "d41c7e90-2b6f-4a85-9e13-8c5f70b2a6d4"
MANAGED_IDENTITY_OBJECT_ID = "93b5a0d7-e48c-4f21-a67b-0d2e9f51c8b6"


@dataclass(frozen=True, kw_only=True)
class ApplicationSeed:
    """An app registration with its service principal (`object_id` is the latter's)."""

    client_id: str = SERVICE_PRINCIPAL_CLIENT_ID
    object_id: str = SERVICE_PRINCIPAL_OBJECT_ID
    name: str = "aml-ops"
    secrets: tuple[ClientSecretSeed, ...] = ()
    certificates: tuple[CertificateSeed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ManagedIdentitySeed:
    """The identity the platform gives the app; `system_assigned` answers without a client id."""

    client_id: str = MANAGED_IDENTITY_CLIENT_ID
    object_id: str = MANAGED_IDENTITY_OBJECT_ID
    system_assigned: bool = True


@dataclass(frozen=True, kw_only=True)
class DirectorySeed:
    """What a tenant holds at start; token lifetimes in seconds, Entra's own by default."""

    tenant_id: str = TENANT_ID
    applications: tuple[ApplicationSeed, ...] = (ApplicationSeed(),)
    managed_identities: tuple[ManagedIdentitySeed, ...] = (ManagedIdentitySeed(),)
    token_lifetime_seconds: int = 3599
    managed_identity_token_lifetime_seconds: int = 86399


@dataclass(kw_only=True)
class Application:
    """An application as it is now: credentials come and go."""

    client_id: str
    object_id: str
    name: str
    secrets: list[ClientSecret] = field(default_factory=list, repr=False)
    certificates: list[Certificate] = field(default_factory=list, repr=False)

    @property
    def principal(self) -> Principal:
        return Principal(
            object_id=self.object_id,
            app_id=self.client_id,
            kind=PrincipalKind.SERVICE_PRINCIPAL,
        )

    def find_secret(self, value: str) -> ClientSecret | None:
        matches = (s for s in self.secrets if hmac.compare_digest(s.value.encode(), value.encode()))
        return next(matches, None)

    def find_certificate(self, thumbprints: frozenset[str]) -> Certificate | None:
        matches = (c for c in self.certificates if c.thumbprints & thumbprints)
        return next(matches, None)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Directory:
    """One tenant. `now` is real time unless told otherwise: SDKs judge expiry by their own clock.

    Tokens: `issue` and `verify`. Credentials: `add_secret`, `add_certificate`, `revoke`.
    """

    def __init__(
        self, seed: DirectorySeed | None = None, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        seed = seed or DirectorySeed()
        self.now = now
        self.signer = TokenSigner(tenant_id=seed.tenant_id)
        self.load(seed)

    @property
    def tenant_id(self) -> str:
        return self.signer.tenant_id

    def load(self, seed: DirectorySeed) -> None:
        """Become what the seed says; secrets are made anew, the signing key stays."""
        self.token_lifetimes = {
            PrincipalKind.SERVICE_PRINCIPAL: timedelta(seconds=seed.token_lifetime_seconds),
            PrincipalKind.MANAGED_IDENTITY: timedelta(
                seconds=seed.managed_identity_token_lifetime_seconds
            ),
        }
        if self.tenant_id != seed.tenant_id:
            self.signer = TokenSigner(tenant_id=seed.tenant_id)
        self.managed_identities = seed.managed_identities
        self.applications: dict[str, Application] = {}
        for application in seed.applications:
            self._register(application)

    def application(self, client_id: str) -> Application | None:
        return self.applications.get(client_id.lower())

    def managed_identity(self, client_id: str | None) -> ManagedIdentitySeed | None:
        """Find the identity with this client id, or the system-assigned one for None."""
        for identity in self.managed_identities:
            if client_id is None and identity.system_assigned:
                return identity
            if client_id is not None and identity.client_id == client_id.lower():
                return identity
        return None

    def add_secret(self, client_id: str, seed: ClientSecretSeed | None = None) -> ClientSecret:
        """Add a client secret beside the present ones. Raises KeyError for no such application."""
        secret = new_client_secret(seed or ClientSecretSeed(), now=self.now())
        self.applications[client_id.lower()].secrets.append(secret)
        return secret

    def add_certificate(self, client_id: str, seed: CertificateSeed | None = None) -> Certificate:
        """Add a certificate beside the present ones. Raises KeyError for no such application."""
        application = self.applications[client_id.lower()]
        certificate = new_certificate(
            seed or CertificateSeed(), name=application.name, now=self.now()
        )
        application.certificates.append(certificate)
        return certificate

    def revoke(self, client_id: str) -> None:
        """Forget every credential. Raises KeyError for no such application."""
        application = self.applications[client_id.lower()]
        application.secrets.clear()
        application.certificates.clear()

    def issue(self, principal: Principal, *, audience: str) -> str:
        lifetime = self.token_lifetimes[principal.kind]
        return self.signer.issue(principal, audience=audience, now=self.now(), lifetime=lifetime)

    def verify(self, token: str, *, audiences: frozenset[str]) -> Principal:
        """Who a bearer token speaks for. Raises TokenError."""
        return self.signer.verify(token, audiences=audiences, now=self.now())

    def describe(self) -> dict[str, Any]:
        """Tell the control plane what is here, without any secret value."""
        return {
            "tenant_id": self.tenant_id,
            "applications": [
                {
                    "client_id": application.client_id,
                    "object_id": application.object_id,
                    "name": application.name,
                    "secrets": [
                        {"key_id": s.key_id, "expires_at": s.expires_at.isoformat()}
                        for s in application.secrets
                    ],
                    "certificates": [
                        {"thumbprint": c.thumbprint, "expires_at": c.expires_at.isoformat()}
                        for c in application.certificates
                    ],
                }
                for application in self.applications.values()
            ],
        }

    def _register(self, seed: ApplicationSeed) -> None:
        self.applications[seed.client_id.lower()] = Application(
            client_id=seed.client_id.lower(), object_id=seed.object_id, name=seed.name
        )
        for secret in seed.secrets:
            self.add_secret(seed.client_id, secret)
        for certificate in seed.certificates:
            self.add_certificate(seed.client_id, certificate)
