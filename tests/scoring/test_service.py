"""What may be declared of a service, and what is refused with which advice."""

import pytest
from pydantic import ValidationError

from shared.scoring.address import origin_of
from shared.scoring.service import Golden, Kind, Route
from tests.support.declared import WORKSPACE, declared, refusal

ENDPOINT = f"{WORKSPACE}/onlineEndpoints/weight"


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
