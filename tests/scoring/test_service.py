"""What may be declared of a service, and what is refused with which advice."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.scoring.address import is_sealed, origin_of
from shared.scoring.service import Aks, Credential, Golden, Kind, Route, Service
from tests.support.scoring_builders import GOLDEN

WORKSPACE = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-r/providers"
    "/Microsoft.MachineLearningServices/workspaces/ws-r"
)
ENDPOINT = f"{WORKSPACE}/onlineEndpoints/weight"
WEB_SERVICE = {"kind": "aml-v1", "resource_id": f"{WORKSPACE}/services/weight"}
_PROVIDERS = WORKSPACE.partition("/Microsoft.")[0]
GROUP = f"{_PROVIDERS}/Microsoft.ContainerInstance/containerGroups/weight-jesUTi_FHUyv"
CLUSTER = f"{_PROVIDERS}/Microsoft.ContainerService/managedClusters/aks-r"
DEPLOYMENT = {"namespace": "azureml-ws-r", "deployment": "weight"}


def declared(**fields: Any) -> Service:
    """A plumber service, and what a test says of it."""
    return Service.model_validate(
        {"name": "weight", "kind": "http", "url": "https://r.example", "preset": "plumber"} | fields
    )


def refusal(**fields: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        declared(**fields)
    return str(refused.value.errors(include_input=False)[0]["msg"])


@pytest.mark.parametrize(
    "url",
    [
        "https://user:canary@r.example",
        "https://canary@r.example/",
        "https://r.example/?code=canary",
        "https://r.example?",
        "https://r.example/#canary",
        "https://r.example/a/../canary",
        "https://r.example/a/%2e%2e/canary",
        "https://r.example/a/%252e%252e/canary",
        "https://r.example\\@canary",
        "https://r.example/a b",
        "https://r.example:0/",
        "https://r.example:port/",
        "https:///canary",
        "https://",
        "ftp://r.example",
        "//r.example",
        "file:///etc/passwd",
        "http://169.254.169.254/metadata",
        "http://169.254.169.254./metadata",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://r.example.0xa9/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:0.0.0.0]/",
        "http://0.0.0.0/",
        "http://[fe80::1]/",
        "https://-canary.example",
        "https://r.example\r\nX: canary",
        "",
    ],
)
def test_a_url_that_could_reach_elsewhere_or_holds_a_secret_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        declared(url=url)

    told = refused.value.errors(include_input=False, include_context=False)
    assert told[0]["loc"] == ("url",)
    assert "canary" not in told[0]["msg"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "https://r.example/api/v1/service/weight/",
        "http://localhost",
        "http://[::1]:80",
        "https://r_1.internal.",
        "http://10.0.0.4:8080",
        "http://[::ffff:10.0.0.4]",
        "http://4.r.example",
    ],
)
def test_a_base_url_is_kept_without_its_last_slash(url: str) -> None:
    assert declared(url=url).url == url.rstrip("/")


@pytest.mark.parametrize(
    "path", ["weight", "//evil.example/x", "/a/../b", "/a?x=1", "/a#b", "/%2e%2e", "/a\\b", "/a b"]
)
def test_a_path_that_leads_out_of_the_service_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        Route(path=path)


@pytest.mark.parametrize("kind", ["http", "aks", "aci"])
def test_a_kind_whose_address_azure_does_not_tell_needs_a_url(kind: str) -> None:
    assert f"kind {kind} needs url" in refusal(kind=kind, url=None)


@pytest.mark.parametrize("kind", ["aml-v1", "aml-online"])
def test_an_aml_kind_needs_a_url_or_a_resource(kind: str) -> None:
    assert f"kind {kind} needs url or resource_id" in refusal(kind=kind, url=None)


def test_an_online_endpoint_is_found_by_its_resource_id_alone() -> None:
    service = declared(kind="aml-online", url=None, preset=None, resource_id=ENDPOINT.upper())

    assert service.url is None
    assert service.kind is Kind.AML_ONLINE


def test_a_resource_id_must_be_of_the_kind() -> None:
    said = refusal(kind="aks", resource_id=ENDPOINT)

    assert "must look like /subscriptions/*/resourceGroups/*/providers/" in said
    assert "Microsoft.ContainerService/managedClusters/*" in said


def test_a_resource_id_that_nothing_would_read_is_refused() -> None:
    assert "means nothing for kind http" in refusal(resource_id=ENDPOINT)


def test_a_service_without_any_check_is_refused() -> None:
    assert "nothing would be checked" in refusal(preset=None)


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
    "service",
    [{"kind": "http"}, {"kind": "aks"}, {"kind": "aml-v1"}],
    ids=lambda service: service["kind"],
)
def test_a_deployment_belongs_to_a_cluster_that_is_named(service: dict[str, Any]) -> None:
    said = refusal(**service, aks={"deployment": "weight"})

    assert "aks needs kind aks, and resource_id" in said


@pytest.mark.parametrize("service", [{"kind": "http"}, {"kind": "aci"}, {"kind": "aml-v1"}])
def test_only_a_container_group_has_a_container(service: dict[str, Any]) -> None:
    said = refusal(**service, aci={"container": "weight"})

    assert "aci needs kind aci, and resource_id" in said


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ({"kind": "aci", "runs_on": GROUP}, "runs_on needs kind aml-v1, and resource_id"),
        ({"kind": "aml-v1", "runs_on": GROUP}, "runs_on needs kind aml-v1, and resource_id"),
        ({**WEB_SERVICE, "runs_on": WEB_SERVICE["resource_id"]}, "runs_on must be the ARM id of"),
        ({**WEB_SERVICE, "runs_on": CLUSTER}, "runs_on is a cluster: name the Deployment in aks"),
        ({**WEB_SERVICE, "runs_on": GROUP, "aks": DEPLOYMENT}, "aks needs kind aks"),
        ({**WEB_SERVICE, "runs_on": CLUSTER, "aks": DEPLOYMENT, "aci": {}}, "aci needs kind aci"),
    ],
    ids=[
        "another kind",
        "no web service",
        "no platform",
        "no Deployment",
        "no cluster",
        "no group",
    ],
)
def test_what_a_web_service_runs_on_is_named_as_a_whole(service: dict[str, Any], says: str) -> None:
    assert says in refusal(**service)


def test_a_web_service_may_name_what_it_runs_on() -> None:
    on_group = declared(**WEB_SERVICE, runs_on=GROUP, aci={"container": "weight"})
    on_cluster = declared(**WEB_SERVICE, runs_on=CLUSTER.lower(), aks=DEPLOYMENT)

    assert (on_group.runs_on, on_cluster.runs_on) == (GROUP, CLUSTER.lower())


@pytest.mark.parametrize(
    "secrets",
    [
        {"API_KEY": "weight-api-key"},
        {"containers/weight/environmentVariables/API_KEY": "a key, not its name"},
        {"extensions/vk/protectedSettings": "weight-vk"},
    ],
    ids=["no field", "no name", "cannot be supplied"],
)
def test_a_secure_value_is_named_by_its_field_and_its_secret(secrets: dict[str, str]) -> None:
    group = "/subscriptions/{}/resourceGroups/g/providers/Microsoft.ContainerInstance/{}"
    resource_id = group.format("1" * 8 + "-1111-4111-8111-" + "1" * 12, "containerGroups/weight")

    refusal(kind="aci", resource_id=resource_id, aci={"secrets": secrets})

    good = {"imageRegistryCredentials/contoso.azurecr.io/password": "acr-password"}
    aci = declared(kind="aci", resource_id=resource_id, aci={"secrets": good}).aci
    assert aci is not None
    assert aci.secrets == good


@pytest.mark.parametrize("name", ["Weight", "a/../b", "-a", "a b", ""])
def test_the_name_of_a_deployment_is_one_of_kubernetes(name: str) -> None:
    with pytest.raises(ValidationError):
        Aks(deployment=name)


@pytest.mark.parametrize(
    "audience",
    ["https://ml.azure.com", "api://weight", "6f9619ff-8b86-d011-b42d-00c04fc964ff"],
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


def test_an_origin_knows_default_ports_and_ignores_case() -> None:
    assert origin_of("https://R.example/a") == origin_of("https://r.example:443")
    assert origin_of("https://r.example") != origin_of("http://r.example")
    assert origin_of("http://r.example") != origin_of("http://r.example:8000")


@pytest.mark.parametrize("at", ["response[0]", "$.a b", "$[", "$[?@.a ==]", "", "$.a & $.b"])
def test_a_jsonpath_is_checked_when_it_is_read(at: str) -> None:
    with pytest.raises(ValidationError):
        Golden.model_validate({"name": "g", "path": "/", "expect": [{"at": at, "equals": 1}]})


def test_a_get_sends_no_body() -> None:
    golden = {"name": "g", "path": "/", "body": {}, "expect": [{"equals": 1}]}

    with pytest.raises(ValidationError, match="a GET sends no body"):
        Golden.model_validate(golden)


def test_two_golden_requests_have_two_names() -> None:
    golden = {"name": "g", "path": "/", "expect": [{"equals": 1}]}

    assert "have the same name" in refusal(checks={"golden": [golden, golden]})


def test_a_window_must_hold_the_failures_it_counts() -> None:
    assert "could never happen" in refusal(thresholds={"failed_rounds": 3, "of_last_rounds": 2})


@pytest.mark.parametrize(("status", "good"), [(200, True), (404, True), (499, True), (502, False)])
def test_a_route_without_a_status_takes_any_answer_of_somebody(status: int, *, good: bool) -> None:
    assert Route(path="/", status=None).accepts(status) is good


def test_a_route_takes_its_status_alone() -> None:
    assert Route(path="/").accepts(200)
    assert not Route(path="/").accepts(204)


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


@pytest.mark.parametrize("version", ["4", "R 4.3.1", "4.3.1-patched", "devel", "4.3.1.2", ""])
def test_a_version_of_r_that_is_none_is_refused_by_the_name_of_its_field(version: str) -> None:
    with pytest.raises(ValidationError) as refused:
        declared(r_version=version)

    (problem,) = refused.value.errors(include_input=False)
    assert problem["loc"] == ("r_version",)
    assert "such as 4.5.1" in problem["msg"]


@pytest.mark.parametrize("version", ["4.3.1", "4.3", "10.0.0", None])
def test_a_version_of_r_may_be_declared(version: str | None) -> None:
    assert declared(r_version=version).r_version == version
