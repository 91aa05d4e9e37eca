"""What an application proves itself with: client secrets and certificates.

Values are made here at run time; a seed only says of which kind and how long they last.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, ClassVar
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from pydantic import ConfigDict, Field

KEY_SIZE = 2048
# Certificates cannot be dated before 1950.
Days = Annotated[float, Field(ge=-3650, le=36500)]


@dataclass(frozen=True, kw_only=True)
class ClientSecretSeed:
    """A client secret; `value` None means generated; a negative lifetime means already expired."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    value: str | None = field(default=None, repr=False)
    expires_in_days: Days = 180.0


@dataclass(frozen=True, kw_only=True)
class CertificateSeed:
    """A self-signed certificate that the application holds the key of."""

    expires_in_days: Days = 365.0


@dataclass(frozen=True, kw_only=True)
class ClientSecret:
    """A secret of an application, as Microsoft Graph's passwordCredential; times are UTC."""

    key_id: str
    value: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate with its private key, in the two encodings Key Vault hands out.

    `pem` is the unencrypted PKCS#8 key followed by the certificate; `pkcs12` is base64 without
    a password. Source: learn.microsoft.com/azure/key-vault/certificates/about-certificates.
    """

    certificate: x509.Certificate = field(repr=False)
    pem: str = field(repr=False)
    pkcs12: str = field(repr=False)

    @property
    def expires_at(self) -> datetime:
        return self.certificate.not_valid_after_utc

    @property
    def thumbprint(self) -> str:
        """SHA-1 in upper-case hex, the name Azure calls a certificate by."""
        return self._digest("sha1").hex().upper()

    @property
    def thumbprints(self) -> frozenset[str]:
        """What a JWT header may hold in x5t or x5t#S256: unpadded base64url digests."""
        return frozenset(_base64url(self._digest(name)) for name in ("sha1", "sha256"))

    def _digest(self, name: str) -> bytes:
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return hashlib.new(name, der, usedforsecurity=False).digest()


def new_client_secret(seed: ClientSecretSeed, *, now: datetime) -> ClientSecret:
    # Entra's own secrets are 40 characters with a `~` in them; `Q~` makes leaks easy to search.
    return ClientSecret(
        key_id=str(uuid4()),
        value=seed.value or f"emu8Q~{secrets.token_urlsafe(26)[:34]}",
        expires_at=now + timedelta(days=seed.expires_in_days),
    )


def new_certificate(seed: CertificateSeed, *, name: str, now: datetime) -> Certificate:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_SIZE)
    certificate = _self_signed(key, name=name, not_after=now + timedelta(days=seed.expires_in_days))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    bundle = pkcs12.serialize_key_and_certificates(
        name.encode(), key, certificate, None, serialization.NoEncryption()
    )
    return Certificate(
        certificate=certificate,
        pem=(private + public).decode(),
        pkcs12=base64.b64encode(bundle).decode(),
    )


def _self_signed(key: rsa.RSAPrivateKey, *, name: str, not_after: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_after - timedelta(days=730))
        .not_valid_after(not_after)
        .sign(key, hashes.SHA256())
    )


def _base64url(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
