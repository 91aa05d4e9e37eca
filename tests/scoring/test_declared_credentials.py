"""What may be declared of how a check signs in: names of keys, never keys."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.scoring.address import is_sealed
from shared.scoring.service import Credential, Golden
from tests.support.declared import declared, refusal
from tests.support.scoring_builders import GOLDEN


@pytest.mark.parametrize(
    "key",
    [
        "Zx8kQ2mP9vR4tY7wB3nH6jL1",  # letters and digits, as AML v1 makes them
        "0123456789abcdef0123456789abcdef",
        "6f9619ff-8b86-d011-b42d-00c04fc964ff",
        "aGVsbG8gd29ybGQgdGhpcyBpcw==",
        "eyJhbGciOi.eyJzdWIi.c2ln",
        "canary value",
        "canary_value",
        "",
        "a" * 128,
    ],
)
def test_a_key_in_place_of_its_name_is_refused_and_not_repeated(key: str) -> None:
    said = refusal(credential={"secret": key})

    assert "put the key into Key Vault and write the secret's name here" in said
    assert not key or key not in said


@pytest.mark.parametrize(
    "name", ["weight-key", "plumberWeightKey2026Production", "r-services-svm-2-primary-key", "K1"]
)
def test_names_of_secrets_are_taken(name: str) -> None:
    service = declared(credential={"secret": name})

    assert service.credential is not None
    assert service.credential.secret == name


@pytest.mark.parametrize(
    "sources", [{}, {"secret": "a", "from_azure": "key"}, {"secret": "a", "entra_audience": "x"}]
)
def test_a_credential_has_exactly_one_source(sources: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Credential.model_validate(sources)


def test_only_what_azure_knows_gets_its_key_from_azure() -> None:
    said = refusal(credential={"from_azure": "key"})

    assert "from_azure needs kind aml-v1 or aml-online, and resource_id" in said


@pytest.mark.parametrize(
    "audience",
    [
        "https://management.azure.com",
        "https://management.core.windows.net/",
        "https://vault.azure.net",
        "https://graph.microsoft.com",
        "https://storage.azure.com",
        "https://management.usgovcloudapi.net",
    ],
)
def test_no_service_is_sent_a_token_for_azure_itself(audience: str) -> None:
    assert "is a service of Azure itself" in refusal(credential={"entra_audience": audience})


@pytest.mark.parametrize("prefix", ["", "api://"])
def test_no_service_is_sent_a_token_for_aks_itself(prefix: str) -> None:
    audience = f"{prefix}6DAE42F8-4368-4678-94ff-3960e28e3630"

    assert "is AKS itself" in refusal(credential={"entra_audience": audience})


@pytest.mark.parametrize(
    "audience", ["https://ml.azure.com", "api://weight", "6f9619ff-8b86-d011-b42d-00c04fc964ff"]
)
def test_a_service_may_ask_for_a_token_of_its_own_audience(audience: str) -> None:
    assert declared(credential={"entra_audience": audience}).credential is not None


@pytest.mark.parametrize("header", ["Host", "content-length", "Transfer-Encoding", "a b", "x\r\ny"])
def test_a_key_never_travels_in_a_header_of_https_own(header: str) -> None:
    with pytest.raises(ValidationError):
        Credential(secret="weight-key", header=header)


@pytest.mark.parametrize(
    "url", ["http://r.example", "http://10.0.0.4", "http://127.0.0.1.evil.example"]
)
def test_a_credential_over_plain_http_needs_permission(url: str) -> None:
    said = refusal(url=url, credential={"secret": "weight-key"})

    assert "allow_plain_http" in said
    allowed = {"secret": "weight-key", "allow_plain_http": True}
    assert declared(url=url, credential=allowed).url == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:80"])
def test_loopback_needs_no_permission(url: str) -> None:
    assert declared(url=url, credential={"secret": "weight-key"}).url == url
    assert is_sealed(url)


FUNCTION_KEY = "aZ9_kX2vQ4mZ7pL1tR8wB0nC6yH3jD5sF_gA=="


@pytest.mark.parametrize("name", ["code", "Key", "api_key", "subscription-key", "sig", "token"])
def test_a_key_in_a_query_is_refused_with_advice(name: str) -> None:
    golden = GOLDEN | {"query": {"height": 138, name: FUNCTION_KEY}}

    with pytest.raises(ValidationError) as refused:
        Golden.model_validate(golden)

    (told,) = refused.value.errors(include_input=False, include_context=False)
    assert "looks like a key" in told["msg"]
    assert "credential" in told["msg"]
    assert FUNCTION_KEY not in told["msg"]


@pytest.mark.parametrize(
    "query",
    [
        {"code": "DE-138"},
        {"key": "height"},
        {"token": 138},
        {"customer": "9f8e7d6c-5b4a-3928-1706-f5e4d3c2b1a0"},
    ],
)
def test_what_is_no_key_may_stand_in_a_query(query: dict[str, Any]) -> None:
    assert Golden.model_validate(GOLDEN | {"query": query}).query == query
