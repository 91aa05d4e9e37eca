"""An owner keeps a machine up without asking anyone: exemptions over HTTP, and what honours them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.conftest import StartHost
from tests.end_to_end.estate import (
    OTHER_SUBSCRIPTION,
    a_workspace,
    an_estate,
    an_instance,
    instance_id,
    workspace_id,
)
from tests.end_to_end.observed import arm_requests, instances, states
from tests.support.azurite import without
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost
from tests.support.wire import Reply

ADA = instance_id("mlw-churn", "ci-ada")
ESTATE = an_estate(
    a_workspace(
        "mlw-churn",
        an_instance("ci-ada"),
        an_instance("ci-bob"),
        {"name": "cpu-cluster", "compute_type": "AmlCompute"},
    ),
    a_workspace("mlw-secret", an_instance("ci-cy"), forbidden=True),
)
CREATE = {"If-None-Match": "*"}
PATH = "/api/compute/exemptions"


@pytest.fixture
def host(emulator: EmulatorProcess, remembering_host: LocalHost) -> Iterator[LocalHost]:
    """The app over a small estate; what a test exempts is withdrawn after it."""
    emulator.seed(ESTATE)
    yield remembering_host
    for each in remembering_host.get(PATH).json()["exemptions"]:
        remembering_host.request("DELETE", f"{PATH}/{each['exemption_id']}")


@pytest.fixture
def exemption_id() -> str:
    return f"ada-{uuid4().hex}"


def tonight(hours: float = 20) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def an_order(**changed: Any) -> dict[str, Any]:
    return {"resource_id": ADA, "until": tonight(), "reason": "training runs over night", **changed}


def put(host: LocalHost, exemption_id: str, body: Any = None, **headers: str) -> Reply:
    """A PUT that creates, unless headers say otherwise."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()} or CREATE
    order = an_order() if body is None else body
    return host.request("PUT", f"{PATH}/{exemption_id}", headers=sent, body=order)


def test_an_exemption_is_created_shown_and_listed(host: LocalHost, exemption_id: str) -> None:
    until = datetime.now(UTC) + timedelta(hours=20)

    created = put(host, exemption_id, an_order(until=until.isoformat()))

    shown = host.get(f"{PATH}/{exemption_id}")
    (listed,) = host.get(PATH).json()["exemptions"]
    assert (created.status, shown.status) == (201, 200)
    assert created.headers["location"] == f"{PATH}/{exemption_id}"
    assert created.headers["etag"] == shown.headers["etag"] == listed["etag"]
    assert (listed["exemption_id"], listed["resource_id"]) == (exemption_id, ADA)
    assert datetime.fromisoformat(listed["until"]) == until
    assert listed["until"].endswith("Z")
    assert 0 < listed["seconds_left"] <= 20 * 3600
    assert (listed["reason"], listed["claimed_by"]) == ("training runs over night", None)


def test_a_shutdown_leaves_what_is_exempted_and_stops_the_rest(
    emulator: EmulatorProcess, host: LocalHost, exemption_id: str
) -> None:
    put(host, exemption_id)

    report = host.post("/api/compute/shutdown", body={"workspaces": ["mlw-churn"]}).json()

    ada = instances(report)["ci-ada"]
    assert (ada["decision"], ada["reason"], ada["outcome"]) == ("leave", "exempted", "left")
    assert "training runs over night" in ada["reason_text"]
    assert (states(emulator)["ci-ada"], states(emulator)["ci-bob"]) == ("Running", "Stopped")


def test_an_exempted_workspace_keeps_all_its_instances(host: LocalHost, exemption_id: str) -> None:
    put(host, exemption_id, an_order(resource_id=workspace_id("mlw-churn")))

    report = instances(host.get("/api/compute/plan?workspaces=mlw-churn").json())

    assert {each["reason"] for each in report.values()} == {"exempted"}


def test_what_is_withdrawn_counts_no_more(host: LocalHost, exemption_id: str) -> None:
    put(host, exemption_id)

    withdrawn = host.request("DELETE", f"{PATH}/{exemption_id}")

    plan = instances(host.get("/api/compute/plan?instances=ci-ada").json())
    again = host.request("DELETE", f"{PATH}/{exemption_id}")
    assert (withdrawn.status, withdrawn.body, again.status) == (204, b"", 204)
    assert plan["ci-ada"]["reason"] != "exempted"
    assert host.get(f"{PATH}/{exemption_id}").status == 404


def test_it_is_replaced_only_in_the_version_that_was_seen(
    host: LocalHost, exemption_id: str
) -> None:
    first = put(host, exemption_id).headers["etag"]

    renewed = put(host, exemption_id, an_order(reason="one more night"), If_Match=first)
    stale = put(host, exemption_id, an_order(reason="mine"), If_Match=first)

    shown = host.get(f"{PATH}/{exemption_id}")
    assert (renewed.status, stale.status) == (200, 412)
    assert stale.json()["field"] == "If-Match"
    assert shown.json()["reason"] == "one more night"
    assert renewed.headers["etag"] == shown.headers["etag"] != first


def test_an_id_that_is_taken_is_not_created_again(host: LocalHost, exemption_id: str) -> None:
    put(host, exemption_id)

    again = put(host, exemption_id)

    assert (again.status, again.json()["field"]) == (412, "If-None-Match")


def test_without_a_condition_nothing_is_written(host: LocalHost, exemption_id: str) -> None:
    answer = put(host, exemption_id, x_other="1")

    assert (answer.status, answer.json()["field"]) == (428, "If-Match")
    assert host.get(f"{PATH}/{exemption_id}").status == 404


def test_a_stale_version_is_not_withdrawn(host: LocalHost, exemption_id: str) -> None:
    etag = put(host, exemption_id).headers["etag"]
    path = f"{PATH}/{exemption_id}"

    stale = host.request("DELETE", path, headers={"If-Match": 'W/"stale"'})
    seen = host.request("DELETE", path, headers={"If-Match": etag})

    assert (stale.status, seen.status) == (412, 204)


BAD_ORDERS: dict[str, tuple[Any, int, str]] = {
    "no body": (b"", 400, "body"),
    "no JSON": ("{", 400, "body"),
    "a list": ("[]", 400, "body"),
    "an unknown field": ({"claimed_by": "ada"}, 400, "claimed_by"),
    "a number for a time": ({"until": 5}, 400, "until"),
    "a time without a zone": ({"until": "2030-01-01T22:00:00"}, 400, "until"),
    "no time": ({"until": "tonight"}, 400, "until"),
    "a time that is past": ({"until": "2020-01-01T22:00:00Z"}, 400, "until"),
    "eight days": ({"until": tonight(8 * 24)}, 400, "until"),
    "a name": ({"resource_id": "ci-ada"}, 400, "resource_id"),
    "a subscription": ({"resource_id": f"/subscriptions/{OTHER_SUBSCRIPTION}"}, 400, "resource_id"),
    "a cluster": ({"resource_id": instance_id("mlw-churn", "cpu-cluster")}, 400, "resource_id"),
    "no reason": ({"reason": " "}, 400, "reason"),
    "a reason of 501 characters": ({"reason": "x" * 501}, 400, "reason"),
    "an instance not there": (
        {"resource_id": instance_id("mlw-churn", "ci-gone")},
        404,
        "resource_id",
    ),
    "a workspace not there": ({"resource_id": workspace_id("mlw-gone")}, 404, "resource_id"),
    "a subscription not seen": (
        {"resource_id": workspace_id("mlw-churn", subscription=OTHER_SUBSCRIPTION)},
        404,
        "resource_id",
    ),
    "more than 64 KiB": ("x" * 65_537, 413, "body"),
}


@pytest.mark.parametrize(("body", "status", "field"), BAD_ORDERS.values(), ids=BAD_ORDERS.keys())
def test_an_exemption_is_refused_for(
    host: LocalHost, exemption_id: str, body: Any, status: int, field: str
) -> None:
    order = an_order(**body) if isinstance(body, dict) else body

    answer = put(host, exemption_id, order)

    assert (answer.status, answer.json()["field"]) == (status, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert host.get(f"{PATH}/{exemption_id}").status == 404


@pytest.mark.parametrize("missing", ["resource_id", "until", "reason"])
def test_a_field_that_is_missing_is_named(host: LocalHost, exemption_id: str, missing: str) -> None:
    order = {name: value for name, value in an_order().items() if name != missing}

    answer = put(host, exemption_id, order)

    assert (answer.status, answer.json()["field"]) == (400, missing)


@pytest.mark.parametrize("bad_id", ["Ada", "ada_1", "x" * 65, "ada%20b", "%C3%A4da"])
def test_an_id_is_of_small_letters_digits_and_dashes(host: LocalHost, bad_id: str) -> None:
    put_status = put(host, bad_id)
    got = host.get(f"{PATH}/{bad_id}")
    deleted = host.request("DELETE", f"{PATH}/{bad_id}")

    assert [each.status for each in (put_status, got, deleted)] == [400, 400, 400]
    assert put_status.json()["field"] == "exemption_id"


def test_the_report_has_azures_own_spelling(host: LocalHost, exemption_id: str) -> None:
    created = put(host, exemption_id, an_order(resource_id=ADA.upper() + "/"))

    assert created.json()["resource_id"] == ADA


def test_what_cannot_be_read_now_is_exempted_all_the_same(
    host: LocalHost, exemption_id: str
) -> None:
    hidden = instance_id("mlw-secret", "ci-cy")

    created = put(host, exemption_id, an_order(resource_id=hidden))

    assert (created.status, created.json()["resource_id"]) == (201, hidden)


def test_an_identity_that_nobody_checked_is_not_believed(
    host: LocalHost, exemption_id: str
) -> None:
    headers = {**CREATE, "X-MS-CLIENT-PRINCIPAL-NAME": "mallory@contoso.example"}

    created = put(host, exemption_id, None, **headers)

    assert (created.status, created.json()["claimed_by"]) == (201, None)


def test_app_service_authentication_says_who_claims(
    emulator: EmulatorProcess, azurite: Azurite, start_host: StartHost, exemption_id: str
) -> None:
    emulator.seed(ESTATE)
    signed_in = start_host(
        emulator,
        AzureWebJobsStorage=azurite.connection_string,
        WEBSITE_AUTH_ENABLED="True",
    )
    headers = {**CREATE, "X-MS-CLIENT-PRINCIPAL-NAME": "ada.lindqvist@contoso.example"}

    created = put(signed_in, exemption_id, None, **headers)

    signed_in.request("DELETE", f"{PATH}/{exemption_id}")
    assert created.json()["claimed_by"] == "ada.lindqvist@contoso.example"


def test_without_a_storage_account_the_app_says_so(
    emulator: EmulatorProcess, start_host: StartHost, exemption_id: str
) -> None:
    bare = start_host(emulator)

    answers = [put(bare, exemption_id), bare.get(PATH), bare.get("/api/compute/runs")]

    assert [answer.status for answer in answers] == [503, 503, 503]
    assert all("AzureWebJobsStorage" in answer.json()["detail"] for answer in answers)


def test_without_its_storage_the_app_says_so(
    emulator: EmulatorProcess, azurite: Azurite, start_host: StartHost, exemption_id: str
) -> None:
    emulator.seed(ESTATE)
    cut_off = start_host(emulator, AzureWebJobsStorage=without(azurite, "Table"))

    answers = [put(cut_off, exemption_id), cut_off.get(PATH), cut_off.get("/api/compute/runs")]

    assert [answer.status for answer in answers] == [503, 503, 503]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert "AccountKey" not in json.dumps([answer.json() for answer in answers])


def test_without_a_key_nobody_is_let_in(
    emulator: EmulatorProcess, host: LocalHost, exemption_id: str
) -> None:
    path = f"{PATH}/{exemption_id}"

    answers = [
        host.request("PUT", path, key=None, headers=CREATE, body=an_order()),
        host.get(path, key=None),
        host.get(PATH, key="wrong"),
        host.request("DELETE", path, key=None),
    ]

    assert [answer.status for answer in answers] == [401, 401, 401, 401]
    assert arm_requests(emulator) == []
