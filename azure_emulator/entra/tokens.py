"""Access tokens: signed for a principal and an audience, and checked by the services.

The claims are those of Entra's v1.0 access tokens, which Azure Resource Manager and Key Vault
receive: learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
"""

import base64
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

REMEMBERED_TOKENS = 512
# A token that was issued in the last second before the host's clock was set back is good.
CLOCK_SKEW_SECONDS = 300
# The claim that marks a managed identity's token: the resource the identity belongs to.
MANAGED_IDENTITY_RESOURCE_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/rg-aml-ops"
    "/providers/Microsoft.Web/sites/func-aml-ops"
)


class PrincipalKind(StrEnum):
    """How Azure tells principals apart; emulated are the two that need no person."""

    SERVICE_PRINCIPAL = "service_principal"
    MANAGED_IDENTITY = "managed_identity"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who a token speaks for: `object_id` is what grants name, `app_id` the client id."""

    object_id: str
    app_id: str
    kind: PrincipalKind


class TokenErrorCode(StrEnum):
    """Why a service refuses a token."""

    MISSING = "missing"
    INVALID = "invalid"
    EXPIRED = "expired"
    WRONG_AUDIENCE = "wrong_audience"


class TokenError(Exception):
    """A token that proves nothing here. The message never quotes the token.

    `audience` is set for WRONG_AUDIENCE: services name the one they found.
    """

    def __init__(self, code: TokenErrorCode, message: str, *, audience: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.audience = audience


@dataclass(frozen=True, kw_only=True)
class _Checked:
    principal: Principal
    audience: str
    expires_at: float


@dataclass(kw_only=True)
class TokenSigner:
    """Signs and checks one tenant's tokens with an RSA key made at start."""

    tenant_id: str
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        repr=False,
    )
    key_id: str = field(default_factory=lambda: uuid4().hex)
    _checked: OrderedDict[str, _Checked] = field(default_factory=OrderedDict, repr=False)

    @property
    def issuer(self) -> str:
        return f"https://sts.windows.net/{self.tenant_id}/"

    def issue(
        self, principal: Principal, *, audience: str, now: datetime, lifetime: timedelta
    ) -> str:
        issued_at = int(now.timestamp())
        claims = {
            "aud": audience,
            "iss": self.issuer,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + int(lifetime.total_seconds()),
            "appid": principal.app_id,
            "idp": self.issuer,
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": self.tenant_id,
            "uti": uuid4().hex,
            "ver": "1.0",
        }
        if principal.kind is PrincipalKind.MANAGED_IDENTITY:
            claims["xms_mirid"] = MANAGED_IDENTITY_RESOURCE_ID
        headers = {"kid": self.key_id, "x5t": self.key_id}
        return jwt.encode(claims, self.key, algorithm="RS256", headers=headers)

    def verify(self, token: str, *, audiences: frozenset[str], now: datetime) -> Principal:
        """Tell whom a token for one of `audiences` speaks for (a trailing slash is ignored).

        Raises TokenError.
        """
        checked = self._checked.get(token) or self._check_signature(token)
        if checked.expires_at <= now.timestamp():
            raise TokenError(TokenErrorCode.EXPIRED, "The access token expired.")
        if checked.audience.rstrip("/") not in {known.rstrip("/") for known in audiences}:
            raise TokenError(
                TokenErrorCode.WRONG_AUDIENCE,
                "The access token is for another audience.",
                audience=checked.audience,
            )
        return checked.principal

    def jwks(self) -> dict[str, Any]:
        """Publish the key as the tenant's jwks_uri answers."""
        numbers = self.key.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "kid": self.key_id,
                    "x5t": self.key_id,
                    "n": _base64url_number(numbers.n),
                    "e": _base64url_number(numbers.e),
                    "issuer": self.issuer,
                }
            ]
        }

    def _check_signature(self, token: str) -> _Checked:
        if not token:
            raise TokenError(TokenErrorCode.MISSING, "The access token is missing.")
        try:
            claims = jwt.decode(
                token,
                self.key.public_key(),
                algorithms=["RS256"],
                issuer=self.issuer,
                leeway=CLOCK_SKEW_SECONDS,
                options={"verify_aud": False, "verify_exp": False, "require": ["exp", "aud"]},
            )
        except jwt.InvalidTokenError:
            # `from None`: the library's message may quote parts of the token.
            raise TokenError(TokenErrorCode.INVALID, "The access token is invalid.") from None
        checked = _Checked(
            principal=_principal(claims),
            audience=claims["aud"],
            expires_at=float(claims["exp"]),
        )
        self._remember(token, checked)
        return checked

    def _remember(self, token: str, checked: _Checked) -> None:
        # A fleet sends one token thousands of times; RSA for each would be most of our CPU.
        self._checked[token] = checked
        if len(self._checked) > REMEMBERED_TOKENS:
            self._checked.popitem(last=False)


def _principal(claims: dict[str, Any]) -> Principal:
    managed = "xms_mirid" in claims
    return Principal(
        object_id=claims["oid"],
        app_id=claims["appid"],
        kind=PrincipalKind.MANAGED_IDENTITY if managed else PrincipalKind.SERVICE_PRINCIPAL,
    )


def _base64url_number(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
