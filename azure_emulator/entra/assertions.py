"""Client assertions: a JWT an application signs with its certificate's key.

Claims and headers: learn.microsoft.com/entra/identity-platform/certificate-credentials.
"""

import base64
import binascii
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from azure_emulator.entra import errors
from azure_emulator.entra.credentials import Certificate
from azure_emulator.entra.directory import Application

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ["RS256", "PS256"]
CLOCK_SKEW_SECONDS = 300


def check_assertion(
    assertion: str, *, application: Application, audiences: frozenset[str], now: datetime
) -> None:
    """Raise EntraError unless the application itself signed this, for us, and recently."""
    certificate = _signing_certificate(assertion, application=application)
    claims = _verified_claims(assertion, certificate=certificate, application=application)
    _check_times(claims, now=now)
    if certificate.expires_at <= now:
        raise errors.unknown_certificate(
            application.client_id,
            thumbprint=certificate.thumbprint,
            reason="The key used is expired.",
        )
    if claims.get("aud") not in audiences:
        raise errors.wrong_assertion_audience()
    if not claims.get("iss") == claims.get("sub") == application.client_id:
        raise errors.malformed_assertion()


def issuer(assertion: str) -> str | None:
    """Read the client id an assertion claims, unproven; None when there is none to read."""
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return None
    claimed = claims.get("iss")
    return claimed if isinstance(claimed, str) else None


def _signing_certificate(assertion: str, *, application: Application) -> Certificate:
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError:
        raise errors.malformed_assertion() from None
    named = [str(header[name]).rstrip("=") for name in ("x5t#S256", "x5t") if name in header]
    certificate = application.find_certificate(frozenset(named))
    if certificate is None:
        raise errors.unknown_certificate(
            application.client_id,
            thumbprint=_hexadecimal(named[0]) if named else "",
            reason="The key was not found.",
        )
    return certificate


def _verified_claims(
    assertion: str, *, certificate: Certificate, application: Application
) -> dict[str, Any]:
    key = certificate.certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("certificates are made with RSA keys")
    try:
        return jwt.decode(
            assertion,
            key,
            algorithms=ALGORITHMS,
            # Times and audience are checked here, for Entra has an own code for each.
            options={
                "verify_aud": False,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidTokenError:
        raise errors.unknown_certificate(
            application.client_id,
            thumbprint=certificate.thumbprint,
            reason="The provided signature value did not match the expected signature value.",
        ) from None


def _check_times(claims: dict[str, Any], *, now: datetime) -> None:
    current = now.timestamp()
    expires, not_before = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or not isinstance(not_before, int | float):
        raise errors.malformed_assertion()
    if expires <= current or not_before > current + CLOCK_SKEW_SECONDS:
        raise errors.assertion_outside_time(
            f"Current time: {now:%Y-%m-%dT%H:%M:%SZ}, assertion valid from {not_before}, "
            f"expiry time of assertion {expires}."
        )


def _hexadecimal(thumbprint: str) -> str:
    try:
        return base64.urlsafe_b64decode(thumbprint + "=" * (-len(thumbprint) % 4)).hex().upper()
    except (ValueError, binascii.Error):
        return ""
