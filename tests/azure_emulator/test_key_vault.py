"""Key Vault's secrets, asked by hand."""

import base64
import re
import time
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from tests.support.emulator import EmulatorProcess
from tests.support.wire import Emulator, Reply, Wire, managed_identity_token, wire_to

API_VERSION = "api-version=7.4"
SECRET = "aml-ops-client-secret"
CERTIFICATE = "aml-ops-client-certificate"


@dataclass(frozen=True, kw_only=True)
class Vault:
    """The vault as the app's managed identity sees it, and as an operator changes it."""

    wire: Wire
    token: str

    def get(self, path: str) -> Reply:
        joint = "&" if "?" in path else "?"
        return self.wire.get(f"{path}{joint}{API_VERSION}", token=self.token)

    def control(self, method: str, name: str, document: Any = None) -> dict[str, Any]:
        reply = self.wire.send_json(method, f"/_emulator/vault/secrets/{name}", document)
        assert reply.status in {200, 201, 204}, reply.body
        changed: dict[str, Any] = reply.json() if reply.body else {}
        return changed

    def rotate(self, **wanted: Any) -> None:
        reply = self.wire.send_json("POST", "/_emulator/service-principal/rotate", wanted)
        assert reply.status == 201


@pytest.fixture
def vault(emulator: Emulator) -> Vault:
    wire = wire_to(emulator)
    return Vault(wire=wire, token=managed_identity_token(wire))


def test_without_a_token_the_vault_says_whom_to_ask(vault: Vault) -> None:
    reply = vault.wire.get(f"/secrets/{SECRET}?{API_VERSION}")

    challenge = reply.headers["www-authenticate"]
    found = re.fullmatch(r'Bearer authorization="(.+)", resource="(.+)"', challenge)
    assert (reply.status, reply.json()["error"]["code"]) == (401, "Unauthorized")
    assert found is not None
    assert found.group(1) == f"{vault.wire.url}/{vault.wire.env['AZURE_TENANT_ID']}"
    assert found.group(2) == "https://vault.azure.net"


def test_a_token_for_another_service_is_refused_by_name(vault: Vault) -> None:
    token = managed_identity_token(vault.wire, "https://management.azure.com")

    reply = vault.wire.get(f"/secrets/{SECRET}?{API_VERSION}", token=token)

    message = reply.json()["error"]["message"]
    assert reply.status == 401
    assert message.startswith("AKV10022: Invalid audience.")
    assert "found: https://management.azure.com" in message


def test_garbage_for_a_token_is_refused_without_repeating_it(vault: Vault) -> None:
    reply = vault.wire.get(f"/secrets/{SECRET}?{API_VERSION}", token="canary.0815.garbage")

    assert reply.status == 401
    assert b"canary" not in reply.body


def test_a_token_signed_by_someone_else_is_refused(vault: Vault) -> None:
    header, payload, _ = vault.token.split(".")
    forged = f"{header}.{payload}.{base64.urlsafe_b64encode(b'x' * 256).decode().rstrip('=')}"

    assert vault.wire.get(f"/secrets/{SECRET}?{API_VERSION}", token=forged).status == 401


def test_an_expired_token_is_told_from_an_invalid_one(emulator: EmulatorProcess) -> None:
    emulator.seed({"token_lifetime_seconds": 1})
    token = emulator.arm_token("https://vault.azure.net")
    expires_at = jwt.decode(token, options={"verify_signature": False})["exp"]

    time.sleep(max(0.0, expires_at - time.time()))
    reply = emulator.wire.get(f"/secrets/{SECRET}?{API_VERSION}", token=token)

    assert reply.status == 401
    assert reply.json()["error"]["message"].startswith("[TokenExpired]")


def test_writing_is_not_emulated_and_says_so(vault: Vault) -> None:
    reply = vault.wire.send("PUT", f"/secrets/{SECRET}?{API_VERSION}", body=b"{}")

    assert reply.status == 501
    assert f"PUT /secrets/{SECRET}" in reply.json()["error"]["message"]


def test_the_api_version_is_required(vault: Vault) -> None:
    reply = vault.wire.get(f"/secrets/{SECRET}", token=vault.token)

    assert (reply.status, reply.json()["error"]["code"]) == (400, "BadParameter")


@pytest.mark.parametrize("version", ["6.9", "2019-01-01", "latest", "7.4x"])
def test_an_api_version_that_never_was_is_not_recognised(vault: Vault, version: str) -> None:
    reply = vault.wire.get(f"/secrets/{SECRET}?api-version={version}", token=vault.token)

    error = reply.json()["error"]
    assert (reply.status, error["code"]) == (400, "BadParameter")
    assert error["message"].startswith(f"The specified version ({version}) is not recognized.")


@pytest.mark.parametrize("version", ["2016-10-01", "7.0", "7.6", "7.6-preview.2", "2026-04-01"])
def test_every_api_version_of_the_sdks_is_answered(vault: Vault, version: str) -> None:
    reply = vault.wire.get(f"/secrets/{SECRET}?api-version={version}", token=vault.token)

    assert reply.status == 200


def test_a_secret_comes_with_its_attributes(vault: Vault) -> None:
    body = vault.get(f"/secrets/{SECRET}").json()

    attributes = body["attributes"]
    assert body["value"]
    assert re.fullmatch(rf"{vault.wire.url}/secrets/{SECRET}/[0-9a-f]{{32}}", body["id"])
    assert attributes["enabled"] is True
    assert attributes["created"] <= attributes["updated"] <= time.time() < attributes["exp"]
    assert attributes["recoveryLevel"]


def test_a_rotation_adds_a_version_and_leaves_the_old_one(vault: Vault) -> None:
    first = vault.control("POST", "greeting", {"value": "hello"})["version"]
    second = vault.control("POST", "greeting", {"value": "good evening"})["version"]

    assert vault.get("/secrets/greeting").json()["value"] == "good evening"
    assert vault.get("/secrets/greeting/").json()["id"].endswith(second)
    assert vault.get(f"/secrets/greeting/{first}").json()["value"] == "hello"
    listed = [item["id"] for item in vault.get("/secrets/greeting/versions").json()["value"]]
    assert [item.rpartition("/")[2] for item in listed] == [first, second]


def test_names_ignore_case(vault: Vault) -> None:
    assert vault.get(f"/secrets/{SECRET.upper()}").status == 200


def test_the_list_is_paged_and_shows_no_value(vault: Vault) -> None:
    items: list[dict[str, Any]] = []
    following: str | None = f"{vault.wire.url}/secrets?{API_VERSION}&maxresults=2"
    pages = 0
    while following:
        page = vault.wire.get(following, token=vault.token).json()
        items += page["value"]
        following = page["nextLink"]
        pages += 1

    names = [item["id"].rpartition("/")[2] for item in items]
    assert names == ["aml-ops-client-id", SECRET, "aml-ops-tenant-id"]
    assert pages == 2
    assert not any("value" in item for item in items)


@pytest.mark.parametrize("query", ["maxresults=0", "maxresults=26", "maxresults=x"])
def test_a_page_size_out_of_range_is_a_bad_parameter(vault: Vault, query: str) -> None:
    reply = vault.get(f"/secrets?{query}")

    assert (reply.status, reply.json()["error"]["code"]) == (400, "BadParameter")


@pytest.mark.parametrize(
    "path", ["/secrets/nope", "/secrets/nope/versions", f"/secrets/{SECRET}/0"]
)
def test_what_is_not_there_is_not_found(vault: Vault, path: str) -> None:
    reply = vault.get(path)

    assert (reply.status, reply.json()["error"]["code"]) == (404, "SecretNotFound")


@pytest.mark.parametrize("path", ["/secrets/no_pe", "/secrets/no_pe/versions"])
def test_a_name_that_cannot_be_is_a_bad_parameter(vault: Vault, path: str) -> None:
    reply = vault.get(path)

    assert (reply.status, reply.json()["error"]["code"]) == (400, "BadParameter")


def test_a_disabled_secret_is_forbidden_and_can_be_enabled_again(vault: Vault) -> None:
    vault.control("PATCH", SECRET, {"enabled": False})

    refused = vault.get(f"/secrets/{SECRET}")
    vault.control("PATCH", SECRET, {"enabled": True})

    error = refused.json()["error"]
    assert (refused.status, error["code"]) == (403, "Forbidden")
    assert error["innererror"]["code"] == "SecretDisabled"
    assert vault.get(f"/secrets/{SECRET}").status == 200


def test_an_expired_secret_can_still_be_read(vault: Vault) -> None:
    vault.control("PATCH", SECRET, {"expires_at": "2020-01-01T00:00:00+00:00"})

    body = vault.get(f"/secrets/{SECRET}").json()

    assert body["value"]
    assert body["attributes"]["exp"] == 1577836800


def test_a_deleted_secret_is_gone(vault: Vault) -> None:
    vault.control("DELETE", SECRET)

    assert vault.get(f"/secrets/{SECRET}").status == 404


def test_a_principal_without_the_right_is_told_which_action_it_lacks(vault: Vault) -> None:
    env = vault.wire.env
    form = {
        "grant_type": "client_credentials",
        "client_id": vault.get("/secrets/aml-ops-client-id").json()["value"],
        "client_secret": vault.get(f"/secrets/{SECRET}").json()["value"],
        "scope": "https://vault.azure.net/.default",
    }
    granted = vault.wire.post_form(f"/{env['AZURE_TENANT_ID']}/oauth2/v2.0/token", form).json()

    reply = vault.wire.get(f"/secrets/{SECRET}?{API_VERSION}", token=granted["access_token"])

    error = reply.json()["error"]
    assert (reply.status, error["code"]) == (403, "Forbidden")
    assert error["innererror"]["code"] == "ForbiddenByRbac"
    assert "Microsoft.KeyVault/vaults/secrets/getSecret/action" in error["message"]
    assert form["client_id"] in error["message"]


def test_a_pem_certificate_is_read_as_a_secret(vault: Vault) -> None:
    vault.rotate(credential="certificate_pem")

    body = vault.get(f"/secrets/{CERTIFICATE}").json()

    pem = body["value"].encode()
    certificate = x509.load_pem_x509_certificate(pem)
    key = load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.public_key() == certificate.public_key()
    assert body["contentType"] == "application/x-pem-file"
    assert body["attributes"]["exp"] == int(certificate.not_valid_after_utc.timestamp())
    assert body["kid"].startswith(f"{vault.wire.url}/keys/{CERTIFICATE}/")


def test_a_pkcs12_certificate_is_base64_without_a_password(vault: Vault) -> None:
    vault.rotate(credential="certificate_pkcs12")

    body = vault.get(f"/secrets/{CERTIFICATE}").json()

    key, certificate, _ = pkcs12.load_key_and_certificates(base64.b64decode(body["value"]), None)
    assert body["contentType"] == "application/x-pkcs12"
    assert isinstance(key, rsa.RSAPrivateKey)
    assert certificate is not None
    assert key.public_key() == certificate.public_key()


@pytest.mark.parametrize(
    ("condition", "status"), [("disabled", 403), ("absent", 404), ("wrong", 200), ("expired", 200)]
)
def test_a_rotation_can_go_wrong_on_purpose(vault: Vault, condition: str, status: int) -> None:
    vault.rotate(condition=condition)

    assert vault.get(f"/secrets/{SECRET}").status == status


def test_no_expiry_means_no_exp_attribute(vault: Vault) -> None:
    vault.rotate(expires_in_days=None)

    assert "exp" not in vault.get(f"/secrets/{SECRET}").json()["attributes"]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"credential": "password"}, id="unknown kind"),
        pytest.param({"condition": "odd"}, id="unknown condition"),
        pytest.param({"expires_in_days": "soon"}, id="no number"),
        pytest.param({"expires_in_days": 1e9}, id="beyond the calendar"),
        pytest.param({"colour": "red"}, id="unknown field"),
        pytest.param([1], id="no object"),
    ],
)
def test_a_rotation_that_makes_no_sense_is_a_bad_request(vault: Vault, document: Any) -> None:
    reply = vault.wire.send_json("POST", "/_emulator/service-principal/rotate", document)

    assert (reply.status, reply.json()["error"]["code"]) == (400, "BadRequest")
    assert vault.get(f"/secrets/{SECRET}").status == 200


def test_a_bad_secret_is_refused_without_repeating_its_value(vault: Vault) -> None:
    document = {"value": "canary-0815", "expires_at": "2026-01-01T00:00:00"}

    reply = vault.wire.send_json("POST", "/_emulator/vault/secrets/x", document)

    assert reply.status == 400
    assert b"canary-0815" not in reply.body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "vault/secrets/nope"),
        ("DELETE", "vault/secrets/nope"),
        ("POST", "entra/applications/nope/secrets"),
        ("DELETE", "entra/applications/nope/secrets"),
    ],
)
def test_what_is_not_there_cannot_be_changed(vault: Vault, method: str, path: str) -> None:
    assert vault.wire.send_json(method, f"/_emulator/{path}", {}).status == 404
