"""What is left of SDK v1, and what each becomes: all of it, or a word about what was not seen."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from shared.scoring.azure import FoundService, SignIn
from shared.scoring.discovery import Estate, Unread
from shared.scoring.service import Kind
from shared.scoring.sunset import SunsetReport, SunsetService, report_of
from tests.support.builders import a_workspace

WORKSPACE = a_workspace().id
OTHER = WORKSPACE.replace("mlw-churn", "mlw-locked")


def a_service(name: str = "weight", *, kind: Kind = Kind.AML_V1, **more: Any) -> FoundService:
    part = "services" if kind is Kind.AML_V1 else "onlineEndpoints"
    given = {
        "id": f"{WORKSPACE}/{part}/{name}",
        "name": name,
        "workspace_id": WORKSPACE,
        "kind": kind,
        "runs_on": "ACI",
        "scoring_uri": "http://weight.test/score",
        "sign_in": SignIn.KEY,
        "state": "Healthy",
    }
    return FoundService(**(given | more))


def report(*found: FoundService, unread: Sequence[Unread] = ()) -> SunsetReport:
    return report_of(Estate(found=found, unread=unread))


def only(*found: FoundService, unread: Sequence[Unread] = ()) -> SunsetService:
    (service,) = report(*found, unread=unread).services
    return service


def test_services_of_v1_are_listed_by_id_and_endpoints_are_not() -> None:
    endpoint = a_service("modern", kind=Kind.AML_ONLINE)

    listed = report(a_service("zeta"), endpoint, a_service("alpha"))

    assert [each.name for each in listed.services] == ["alpha", "zeta"]
    assert json.loads(listed.model_dump_json())["support_ended"] == "2026-06-30"


@pytest.mark.parametrize(
    ("runs_on", "sign_in", "kind", "mode"),
    [
        ("ACI", SignIn.KEY, "managed online endpoint", "Key"),
        ("ACI", SignIn.NONE, "managed online endpoint", "Key"),
        ("AKS", SignIn.KEY, "Kubernetes online endpoint", "Key"),
        ("AKS", SignIn.AML_TOKEN, "Kubernetes online endpoint", "AMLToken"),
    ],
)
def test_each_has_the_endpoint_that_would_take_its_place(
    runs_on: str, sign_in: SignIn, kind: str, mode: str
) -> None:
    successor = only(a_service(runs_on=runs_on, sign_in=sign_in)).successor

    assert (successor.kind, successor.auth_mode) == (kind, mode)
    assert successor.resource_id == f"{WORKSPACE}/onlineEndpoints/weight"


def test_who_asked_for_no_key_is_told_that_one_will_be_needed() -> None:
    open_one, keyed = (only(a_service(sign_in=each)) for each in (SignIn.NONE, SignIn.KEY))

    assert any("always does" in each for each in open_one.successor.changes)
    assert not any("always does" in each for each in keyed.successor.changes)


def test_an_endpoint_of_the_same_name_is_known_whatever_its_spelling() -> None:
    endpoint = a_service("WEIGHT", kind=Kind.AML_ONLINE)

    assert only(a_service(), endpoint).successor.is_there is True
    assert only(a_service()).successor.is_there is False


def test_where_endpoints_could_not_be_listed_nobody_knows_and_nothing_of_v1_is_missing() -> None:
    unread = [Unread(scope=WORKSPACE, problem="403", kind=Kind.AML_ONLINE)]

    listed = report(a_service(), unread=unread)

    assert listed.services[0].successor.is_there is None
    assert listed.unread == []


def test_a_workspace_that_could_not_be_listed_is_named() -> None:
    unread = [Unread(scope=OTHER, problem="403 AuthorizationFailed", kind=Kind.AML_V1)]

    listed = report(a_service(), unread=unread)

    assert [each.scope for each in listed.unread] == [OTHER]
    assert listed.services[0].successor.is_there is False
