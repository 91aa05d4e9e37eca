"""Entra ID and the managed identity endpoint, asked by hand."""

import base64
import time
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import jwt
import pytest

from tests.support.tenant import ARM, JWT_BEARER, Tenant, tenant_of
from tests.support.wire import Emulator, managed_identity_token


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    return tenant_of(emulator)


@pytest.mark.parametrize("name", ["tenant", "common", "organizations"])
def test_the_openid_configuration_names_endpoints_of_this_host(tenant: Tenant, name: str) -> None:
    path = tenant.tenant_id if name == "tenant" else name

    document = tenant.wire.get(f"/{path}/v2.0/.well-known/openid-configuration").json()

    assert document["token_endpoint"] == f"{tenant.wire.url}/{path}/oauth2/v2.0/token"
    assert document["issuer"].startswith(tenant.wire.url)
    assert document["jwks_uri"].startswith(tenant.wire.url)


def test_an_unknown_tenant_has_no_openid_configuration(tenant: Tenant) -> None:
    reply = tenant.wire.get(f"/{uuid4()}/v2.0/.well-known/openid-configuration")

    assert (reply.status, reply.json()["error_codes"]) == (400, [90002])


def test_instance_discovery_leads_to_the_tenant(tenant: Tenant) -> None:
    document = tenant.wire.get("/common/discovery/instance?api-version=1.1").json()

    assert tenant.wire.get(document["tenant_discovery_endpoint"]).status == 200


def test_a_secret_buys_a_token_that_the_published_keys_verify(tenant: Tenant) -> None:
    granted = tenant.request_token(client_secret=tenant.secret()).json()
    claims = verified_claims(tenant, granted["access_token"], audience=ARM)

    assert granted["token_type"] == "Bearer"
    assert claims["exp"] - claims["iat"] == granted["expires_in"]
    assert claims["appid"] == tenant.client_id
    assert claims["tid"] == tenant.tenant_id
    assert claims["idtyp"] == "app"
    assert {"iss", "nbf", "oid", "ver"} <= claims.keys()


def test_the_audience_is_the_scope_as_it_was_written(tenant: Tenant) -> None:
    reply = tenant.request_token(client_secret=tenant.secret(), scope=f"{ARM}//.default")

    assert claims_of(reply.json()["access_token"])["aud"] == f"{ARM}/"


def test_the_emulator_itself_is_a_resource(tenant: Tenant) -> None:
    scope = f"{tenant.wire.url}/.default"

    reply = tenant.request_token(client_secret=tenant.secret(), scope=scope)

    assert claims_of(reply.json()["access_token"])["aud"] == tenant.wire.url


def test_a_secret_may_come_in_a_basic_header(tenant: Tenant) -> None:
    pair = base64.b64encode(f"{tenant.client_id}:{tenant.secret()}".encode()).decode()

    reply = tenant.wire.post_form(
        tenant.token_path,
        {"grant_type": "client_credentials", "scope": f"{ARM}/.default"},
        authorization=f"Basic {pair}",
    )

    assert reply.status == 200


def test_the_older_endpoint_takes_a_resource_and_writes_numbers_as_text(tenant: Tenant) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant.client_id,
        "client_secret": tenant.secret(),
        "resource": f"{ARM}/",
    }

    granted = tenant.wire.post_form(f"/{tenant.tenant_id}/oauth2/token", form).json()

    assert claims_of(granted["access_token"])["aud"] == granted["resource"] == f"{ARM}/"
    assert int(granted["expires_on"]) > time.time()
    assert granted["expires_in"].isdigit()


@pytest.mark.parametrize(
    ("form", "status", "error", "code"),
    [
        pytest.param({"client_secret": "nope"}, 401, "invalid_client", 7000215, id="wrong secret"),
        pytest.param({"client_secret": "ñopé"}, 401, "invalid_client", 7000215, id="no ASCII"),
        pytest.param({}, 401, "invalid_client", 7000216, id="no credential"),
        pytest.param(
            {"client_secret": "x", "client_id": str(uuid4())},
            400,
            "unauthorized_client",
            700016,
            id="unknown application",
        ),
        pytest.param({"client_id": ""}, 400, "invalid_request", 900144, id="no client id"),
        pytest.param({"grant_type": ""}, 400, "invalid_request", 900144, id="no grant type"),
        pytest.param(
            {"grant_type": "password"}, 400, "unsupported_grant_type", 70003, id="other grant type"
        ),
        pytest.param(
            {"client_assertion": "x.y.z", "client_assertion_type": JWT_BEARER},
            400,
            "invalid_request",
            50027,
            id="garbage for an assertion",
        ),
    ],
)
def test_what_proves_nothing_is_refused_in_entras_words(
    tenant: Tenant, form: dict[str, str], status: int, error: str, code: int
) -> None:
    reply = tenant.request_token(**form)

    assert (reply.status, reply.json()["error"], reply.json()["error_codes"]) == (
        status,
        error,
        [code],
    )


@pytest.mark.parametrize(
    ("scope", "error", "code"),
    [
        pytest.param(f"{ARM}/user_impersonation", "invalid_scope", 1002012, id="without default"),
        pytest.param(f"{ARM}/.default openid", "invalid_scope", 70011, id="two scopes"),
        pytest.param("https://x.invalid/.default", "invalid_resource", 500011, id="unknown"),
    ],
)
def test_a_scope_that_names_no_resource_is_refused(
    tenant: Tenant, scope: str, error: str, code: int
) -> None:
    reply = tenant.request_token(client_secret=tenant.secret(), scope=scope)

    body = reply.json()
    assert (reply.status, body["error"], body["error_codes"]) == (400, error, [code])


def test_an_unknown_tenant_gives_no_token(tenant: Tenant) -> None:
    reply = tenant.request_token(tenant=str(uuid4()), client_secret="x")

    assert (reply.status, reply.json()["error_codes"]) == (400, [90002])


def test_a_refusal_can_be_traced_and_does_not_repeat_the_secret(tenant: Tenant) -> None:
    correlation_id = str(uuid4())
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant.client_id,
        "client_secret": "canary-4711",
        "scope": f"{ARM}/.default",
    }

    reply = tenant.wire.post_form(tenant.token_path, form, client_request_id=correlation_id)

    body = reply.json()
    assert body["correlation_id"] == correlation_id
    assert body["trace_id"] in body["error_description"]
    assert body["timestamp"] in body["error_description"]
    assert body["error_uri"].endswith("/error?code=7000215")
    assert b"canary-4711" not in reply.body


def test_an_expired_secret_is_told_from_a_wrong_one(tenant: Tenant) -> None:
    tenant.rotate(condition="expired")

    body = tenant.request_token(client_secret=tenant.secret()).json()

    assert (body["error"], body["error_codes"]) == ("invalid_client", [7000222])


def test_a_revoked_secret_is_refused_and_its_successor_accepted(tenant: Tenant) -> None:
    before = tenant.secret()

    tenant.rotate()

    assert tenant.request_token(client_secret=before).json()["error_codes"] == [7000215]
    assert tenant.request_token(client_secret=tenant.secret()).status == 200


def test_two_secrets_may_overlap(tenant: Tenant) -> None:
    before = tenant.secret()

    tenant.rotate(revoke=False)

    assert tenant.request_token(client_secret=before).status == 200
    assert tenant.request_token(client_secret=tenant.secret()).status == 200


def test_the_managed_identity_gets_a_token_for_the_vault(tenant: Tenant) -> None:
    token = managed_identity_token(tenant.wire)

    claims = verified_claims(tenant, token, audience="https://vault.azure.net")
    assert claims["appid"] != tenant.client_id
    assert claims["tid"] == tenant.tenant_id


def test_the_managed_identity_may_be_named_by_its_client_id(tenant: Tenant) -> None:
    env = tenant.wire.env
    client_id = claims_of(managed_identity_token(tenant.wire))["appid"]
    query = {"api-version": "2019-08-01", "resource": ARM, "client_id": client_id}

    granted = tenant.wire.get(
        f"{env['IDENTITY_ENDPOINT']}?{urlencode(query)}", x_identity_header=env["IDENTITY_HEADER"]
    ).json()

    assert (granted["client_id"], granted["resource"]) == (client_id, ARM)
    assert granted["token_type"] == "Bearer"
    assert int(granted["expires_on"]) > time.time()


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        pytest.param({}, "wrong", 401, id="wrong header"),
        pytest.param({"api-version": "2017-09-01"}, None, 400, id="older protocol"),
        pytest.param({"resource": ""}, None, 400, id="no resource"),
        pytest.param({"resource": "https://x.invalid"}, None, 500, id="unknown resource"),
        pytest.param({"client_id": str(uuid4())}, None, 400, id="unknown identity"),
        pytest.param({"principal_id": str(uuid4())}, None, 400, id="unknown principal"),
        pytest.param({"mi_res_id": "/subscriptions/x"}, None, 400, id="unknown resource id"),
    ],
)
def test_the_identity_endpoint_refuses(
    tenant: Tenant, query: dict[str, str], header: str | None, status: int
) -> None:
    env = tenant.wire.env
    whole = {"api-version": "2019-08-01", "resource": "https://vault.azure.net"} | query

    reply = tenant.wire.get(
        f"{env['IDENTITY_ENDPOINT']}?{urlencode(whole)}",
        x_identity_header=header or env["IDENTITY_HEADER"],
    )

    assert (reply.status, reply.json()["statusCode"]) == (status, status)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def verified_claims(tenant: Tenant, token: str, *, audience: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(
        tenant.wire.get(f"/{tenant.tenant_id}/discovery/v2.0/keys").json()
    )
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=audience)
    return claims
