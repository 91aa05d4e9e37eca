"""Signing in with a certificate: the assertions that Entra ID takes, and why it refuses others."""

import base64
import hashlib
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.tenant import JWT_BEARER, Tenant, tenant_of
from tests.support.wire import Emulator, Reply, vault_secret


class Signer:
    """The application's certificate as the vault holds it, to sign assertions with."""

    def __init__(self, tenant: Tenant) -> None:
        tenant.rotate(credential="certificate_pem")
        pem = vault_secret(tenant.wire, "aml-ops-client-certificate").encode()
        self.key: Any = serialization.load_pem_private_key(pem, None)
        self.certificate = x509.load_pem_x509_certificate(pem)
        self.tenant = tenant

    def thumbprint(self, algorithm: str) -> str:
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        digest = hashlib.new(algorithm, der).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def sign(self, *, header: dict[str, str] | None = None, key: Any = None, **claims: Any) -> str:
        now = int(time.time())
        whole = {
            "aud": f"{self.tenant.wire.url}{self.tenant.token_path}",
            "iss": self.tenant.client_id,
            "sub": self.tenant.client_id,
            "jti": str(uuid4()),
            "nbf": now,
            "exp": now + 300,
        }
        return jwt.encode(
            whole | claims,
            key or self.key,
            algorithm="RS256",
            headers=header or {"x5t#S256": self.thumbprint("sha256")},
        )

    def offer(self, assertion: str) -> Reply:
        return self.tenant.request_token(
            client_assertion=assertion, client_assertion_type=JWT_BEARER
        )


@pytest.fixture
def signer(emulator: Emulator) -> Signer:
    return Signer(tenant_of(emulator))


@pytest.mark.parametrize(("name", "algorithm"), [("x5t", "sha1"), ("x5t#S256", "sha256")])
def test_an_assertion_names_its_certificate_by_either_thumbprint(
    signer: Signer, name: str, algorithm: str
) -> None:
    assertion = signer.sign(header={name: signer.thumbprint(algorithm)})

    assert signer.offer(assertion).status == 200


def test_an_assertion_by_another_key_is_refused(signer: Signer) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    body = signer.offer(signer.sign(key=stranger)).json()

    assert (body["error"], body["error_codes"]) == ("invalid_client", [700027])
    assert "signature value" in body["error_description"]


def test_an_assertion_by_an_unregistered_certificate_is_refused(signer: Signer) -> None:
    body = signer.offer(signer.sign(header={"x5t": signer.thumbprint("md5")})).json()

    assert (body["error"], body["error_codes"]) == ("invalid_client", [700027])
    assert "The key was not found." in body["error_description"]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        pytest.param({"exp": 1}, 700024, id="expired"),
        pytest.param({"nbf": 2**32}, 700024, id="not yet valid"),
        pytest.param({"exp": "soon"}, 50027, id="no time"),
        pytest.param({"aud": "https://login.microsoftonline.com/x"}, 700023, id="other audience"),
        pytest.param({"sub": "someone-else"}, 50027, id="other subject"),
    ],
)
def test_an_assertion_must_be_recent_and_meant_for_us(
    signer: Signer, claims: dict[str, Any], code: int
) -> None:
    reply = signer.offer(signer.sign(**claims))

    assert reply.json()["error_codes"] == [code]


def test_an_expired_certificate_signs_in_vain(signer: Signer) -> None:
    signer.tenant.rotate(credential="certificate_pem", condition="expired")
    pem = vault_secret(signer.tenant.wire, "aml-ops-client-certificate").encode()
    signer.key = serialization.load_pem_private_key(pem, None)
    signer.certificate = x509.load_pem_x509_certificate(pem)

    body = signer.offer(signer.sign()).json()

    assert body["error_codes"] == [700027]
    assert "expired" in body["error_description"]
