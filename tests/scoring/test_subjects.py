"""Who is examined: the file's services first, then what Azure knows besides."""

import re
import time
from typing import Any

import pytest

from shared.scoring.azure import FoundService
from shared.scoring.azure_word import AzureWord
from shared.scoring.discovery import Estate, Unread
from shared.scoring.presets import ANYBODY
from shared.scoring.service import Kind, Service
from shared.scoring.subjects import Joined, base_url, join
from tests.support.found_services import OTHER, WORKSPACE, found
from tests.support.scoring import NOON

GOLDEN = {"name": "g", "method": "POST", "path": "/score", "expect": [{"equals": 1}]}


def declared(name: str = "by-file", **fields: Any) -> Service:
    plain = {"name": name, "kind": "aml-online", "checks": {"golden": [GOLDEN]}}
    return Service.model_validate(plain | fields)


def joined(*services: FoundService, file: tuple[Service, ...] = ()) -> Joined:
    return join(file, Estate(found=services))


def names(result: Joined) -> list[str]:
    return [each.service.name for each in result.subjects]


def test_of_what_nobody_declared_only_liveness_is_asked() -> None:
    (subject,) = joined(found(tags={"Owner": "Ada"})).subjects

    assert subject.service.name == "weight-ws-r"
    assert subject.service.group == "ws-r"
    assert subject.service.owner == "Ada"
    assert subject.service.kind is Kind.AML_ONLINE
    assert subject.url == "https://weight.westeurope.inference.ml.azure.com"
    assert subject.service.url == subject.url
    assert subject.rules.live == ANYBODY
    assert subject.rules.golden == ()
    assert subject.service.credential is None


@pytest.mark.parametrize(
    "fields",
    [
        {"resource_id": found().id.upper().replace("/SUBSCRIPTIONS", "/subscriptions")},
        {"name": "weight", "url": "https://elsewhere.example"},
        {"name": "weight-ws-r", "url": "https://elsewhere.example"},
        {"kind": "http", "url": "https://weight.westeurope.inference.ml.azure.com/"},
    ],
    ids=["by id", "by name", "by the name it would get", "by address"],
)
def test_the_file_wins(fields: dict[str, Any]) -> None:
    service = declared(**fields)

    result = joined(found(), file=(service,))

    assert names(result) == [service.name]
    assert result.passed_over[0].reason == f"the file declares it as {service.name}"


def test_a_declared_service_gets_its_address_from_azure() -> None:
    (subject,) = joined(found(), file=(declared(resource_id=found().id),)).subjects

    assert subject.url == "https://weight.westeurope.inference.ml.azure.com"
    assert subject.service.url == subject.url
    assert subject.problem == ""
    assert subject.rules.golden


@pytest.mark.parametrize(
    "fields",
    [{}, {"resource_id": found().id}, {"resource_id": found().id, "url": "https://here.example"}],
    ids=["found", "declared by id", "declared by id and address"],
)
def test_what_azure_says_comes_along_with_its_time(fields: dict[str, Any]) -> None:
    listed = found(state="Failed")
    file = (declared(**fields),) if fields else ()

    (subject,) = join(file, Estate(found=[listed], seen_at={listed.key: NOON})).subjects

    assert subject.azure == AzureWord(found=listed, seen_at=NOON)


def test_what_the_file_alone_knows_azure_says_nothing_of() -> None:
    (subject,) = joined(file=(declared(url="https://here.example"),)).subjects

    assert subject.azure is None


def test_a_declared_address_is_not_azures_to_change() -> None:
    service = declared(resource_id=found().id, url="https://private.example")

    (subject,) = joined(found(), file=(service,)).subjects

    assert subject.url == "https://private.example"


def test_a_declared_service_that_azure_does_not_list_has_a_problem() -> None:
    (subject,) = joined(file=(declared(resource_id=found().id),)).subjects

    assert subject.problem == (
        "its address is not known: no list that SCORING_DISCOVERY lets Azure be asked for has its "
        "resource_id"
    )
    assert not subject.unavailable


def test_a_declared_service_in_a_workspace_that_cannot_be_listed_says_why() -> None:
    unread = Unread(scope=WORKSPACE.upper(), problem="403 AuthorizationFailed")

    (subject,) = join([declared(resource_id=found().id)], Estate(unread=[unread])).subjects

    assert subject.problem == "its address is not known: 403 AuthorizationFailed"
    assert subject.unavailable


@pytest.mark.parametrize("tags", [{"health": "off"}, {"Health": "OFF"}, {" HEALTH ": " Off "}])
def test_a_tag_opts_out(tags: dict[str, str]) -> None:
    result = joined(found(tags=tags))

    assert names(result) == []
    assert result.passed_over[0].reason == "its tag health is off"


@pytest.mark.parametrize("tags", [{"health": "on"}, {"health": ""}, {"healthy": "off"}])
def test_another_tag_does_not(tags: dict[str, str]) -> None:
    assert names(joined(found(tags=tags))) == ["weight-ws-r"]


def test_the_tag_does_not_bind_the_file() -> None:
    service = declared(resource_id=found().id)

    assert names(joined(found(tags={"health": "off"}), file=(service,))) == ["by-file"]


@pytest.mark.parametrize("state", ["Creating", "Deleting", "Transitioning"])
def test_what_is_on_its_way_has_no_address_and_no_blame(state: str) -> None:
    result = joined(found(scoring_uri="", state=state))

    assert names(result) == []
    assert state in result.passed_over[0].reason


def test_what_failed_before_it_had_an_address_is_told() -> None:
    (subject,) = joined(found(scoring_uri="", state="Failed")).subjects

    assert subject.problem == "Azure gives it no address; its state is Failed"


def test_names_are_valid_and_unique_whatever_azure_calls_things() -> None:
    many = [
        found("Weight_Model!"),
        found("weight model"),
        found("weight", workspace=OTHER),
        found("weight"),
        found(
            "weight", kind=Kind.AML_V1, scoring_uri="http://10.0.0.4/api/v1/service/weight/score"
        ),
        found("x" * 80),
        found("x" * 81),
        found("---", scoring_uri="https://dashes.example/score"),
    ]
    many = [
        each
        if " " not in each.scoring_uri and "!" not in each.scoring_uri
        else FoundService(**(vars(each) | {"scoring_uri": "https://any.example/score"}))
        for each in many
    ]

    given = names(joined(*many))

    assert len(set(given)) == len(many) == len(given)
    assert all(re.fullmatch(r"[a-z0-9](-?[a-z0-9])*", each) and len(each) <= 63 for each in given)


def test_a_name_does_not_change_when_others_come() -> None:
    alone = names(joined(found()))

    together = names(joined(found(), found(workspace=OTHER), found("svm")))

    assert alone[0] in together


@pytest.mark.parametrize(
    ("uri", "base"),
    [
        ("https://w.example/score", "https://w.example"),
        (
            "http://10.0.0.4:80/api/v1/service/weight/score",
            "http://10.0.0.4:80/api/v1/service/weight",
        ),
        ("https://w.example/", "https://w.example"),
        ("https://w.example", "https://w.example"),
    ],
)
def test_a_base_url_is_the_scoring_uri_without_its_last_part(uri: str, base: str) -> None:
    assert base_url(found(scoring_uri=uri)) == base


def test_an_address_that_is_none_is_a_problem_of_that_service_alone() -> None:
    first, second = joined(
        found(scoring_uri="https://u:canary@w.example/score"), found("svm")
    ).subjects

    assert first.problem.startswith("the address that Azure gives holds a user or a password")
    assert "canary" not in first.problem
    assert second.problem == ""


def test_an_id_that_is_none_is_passed_over() -> None:
    odd = FoundService(**(vars(found()) | {"id": "/subscriptions/x/odd"}))

    assert names(joined(odd)) == []
    assert joined(odd).passed_over


def test_thousands_are_joined_at_once() -> None:
    file = tuple(declared(f"s{number}", url=f"https://r{number}.example") for number in range(2000))
    begun = time.process_time()

    result = join(file, Estate(found=[found(f"f{number}") for number in range(2000)]))

    assert len(result.subjects) == 4000
    assert time.process_time() - begun < 20
