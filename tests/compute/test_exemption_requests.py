"""Requests about exemptions on a clock of their own: conditions, ends, and an Azure that is away."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.compute.exemption_requests import ExemptionRequests
from shared.errors import AzureRequestError, CredentialError, InvalidRequestError
from shared.replies import Reply
from tests.support.builders import NIGHT
from tests.support.fake_azure import FakeAzure
from tests.support.fake_storage import FakeExemptionStore
from tests.support.night import a_machine, an_estate

HOUR = timedelta(hours=1)
CREATE = {"If-None-Match": "*"}
ID = "one-more-night"


@dataclass
class Desk:
    """The requests, at a time that a test sets."""

    now: datetime = NIGHT
    store: FakeExemptionStore = field(default_factory=FakeExemptionStore)
    trusts_sign_in: bool = False

    def __post_init__(self) -> None:
        self.azure = FakeAzure(an_estate(a_machine("ci-ada")), now=lambda: self.now)
        self.ada = self.azure.machine("ci-ada").compute
        self.requests = ExemptionRequests(
            store=self.store,
            azure=self.azure,
            now=lambda: self.now,
            longest=timedelta(days=7),
            trusts_sign_in=self.trusts_sign_in,
        )

    async def put(self, *, headers: dict[str, str] | None = None, **changed: Any) -> Reply:
        order = {
            "resource_id": self.ada.id,
            "until": (self.now + 8 * HOUR).isoformat(),
            "reason": "training",
            **changed,
        }
        sent = CREATE if headers is None else headers
        return await self.requests.put(ID, sent, json.dumps(order).encode())

    async def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((await self.requests.list({})).body)["exemptions"]
        return found


async def refused(work: Any) -> tuple[int, str]:
    with pytest.raises(InvalidRequestError) as raised:
        await work
    return raised.value.status, raised.value.field


async def test_the_time_left_runs_down() -> None:
    desk = Desk()
    await desk.put()

    desk.now += 3 * HOUR

    (left,) = await desk.listed()
    assert left["seconds_left"] == 5 * 3600


async def test_one_that_has_ended_is_gone_and_its_id_free() -> None:
    desk = Desk()
    first = await desk.put()

    desk.now += 8 * HOUR

    assert await desk.listed() == []
    assert await refused(desk.requests.get(ID)) == (404, "exemption_id")
    assert await refused(desk.put(headers={"If-Match": first.headers["ETag"]})) == (412, "If-Match")
    assert (await desk.requests.delete(ID, {"If-Match": "W/any"})).status == 204
    assert (await desk.put()).status == 201


async def test_a_star_replaces_whatever_version_there_is() -> None:
    desk = Desk()

    absent = await refused(desk.put(headers={"if-match": "*"}))
    await desk.put()
    present = await desk.put(headers={"if-match": "*"}, reason="two more")

    assert absent == (412, "If-Match")
    assert (present.status, json.loads(present.body)["reason"]) == (200, "two more")


async def test_one_of_several_versions_is_enough() -> None:
    desk = Desk()
    etag = (await desk.put()).headers["ETag"]

    assert (await desk.put(headers={"If-Match": f'W/"other", {etag}'})).status == 200


async def test_replacing_keeps_when_it_was_created() -> None:
    desk = Desk()
    etag = (await desk.put()).headers["ETag"]
    desk.now += HOUR

    renewed = json.loads((await desk.put(headers={"If-Match": etag})).body)

    assert datetime.fromisoformat(renewed["created_at"]) == NIGHT
    assert datetime.fromisoformat(renewed["until"]) == NIGHT + 9 * HOUR


@pytest.mark.parametrize(
    ("headers", "status", "named"),
    [
        ({}, 428, "If-Match"),
        ({"If-None-Match": 'W/"1"'}, 400, "If-None-Match"),
        ({"If-None-Match": "*", "If-Match": "*"}, 400, "If-None-Match"),
        ({"If-Match": ""}, 412, "If-Match"),
        ({"If-Match": "nonsense"}, 412, "If-Match"),
    ],
)
async def test_a_condition_that_does_not_hold_changes_nothing(
    headers: dict[str, str], status: int, named: str
) -> None:
    desk = Desk()
    before = await desk.put()

    answer = await refused(desk.put(headers=headers, reason="mine"))

    assert answer == (status, named)
    assert (await desk.requests.get(ID)).headers["ETag"] == before.headers["ETag"]


async def test_any_version_may_be_withdrawn_unless_one_is_named() -> None:
    desk = Desk()
    await desk.put()

    stale = await refused(desk.requests.delete(ID, {"If-Match": 'W/"stale"'}))
    star = await desk.requests.delete(ID, {"If-Match": "*"})

    assert (stale, star.status) == ((412, "If-Match"), 204)
    assert await desk.listed() == []


@pytest.mark.parametrize(
    ("hours", "taken"), [(0, False), (0.001, True), (168, True), (168.001, False)]
)
async def test_it_ends_after_now_and_within_seven_days(hours: float, *, taken: bool) -> None:
    desk = Desk()
    until = (NIGHT + hours * HOUR).isoformat()

    answer = desk.put(until=until)

    if taken:
        assert (await answer).status == 201
    else:
        assert await refused(answer) == (400, "until")


@pytest.mark.parametrize(
    "error",
    [
        AzureRequestError("503 ServerBusy", status=503, retryable=True),
        AzureRequestError("403 AuthorizationFailed", status=403),
        CredentialError("the vault is away", retryable=True),
    ],
    ids=["busy", "forbidden", "not signed in"],
)
@pytest.mark.parametrize("asked", ["subscriptions", "workspaces", "computes"])
async def test_an_azure_that_cannot_be_read_costs_nobody_a_night(
    error: Exception, asked: str
) -> None:
    desk = Desk()
    home = desk.ada.workspace
    scopes = {
        "subscriptions": "/subscriptions",
        "workspaces": f"/subscriptions/{home.subscription_id}",
        "computes": home.id,
    }
    desk.azure.failures[scopes[asked].lower()] = error

    taken = await desk.put(resource_id=f"{home.id}/computes/ci-nobody-saw")

    assert taken.status == 201


async def test_who_signed_in_is_believed_only_where_azure_checks_it() -> None:
    headers = {**CREATE, "x-ms-client-principal-name": " ada@contoso.example "}

    unchecked = json.loads((await Desk().put(headers=headers)).body)
    checked = json.loads((await Desk(trusts_sign_in=True).put(headers=headers)).body)

    assert unchecked["claimed_by"] is None
    assert checked["claimed_by"] == "ada@contoso.example"


async def test_who_has_no_name_is_known_by_id() -> None:
    headers = {**CREATE, "X-MS-CLIENT-PRINCIPAL-ID": "6f1d", "X-MS-CLIENT-PRINCIPAL-NAME": ""}

    claimed = json.loads((await Desk(trusts_sign_in=True).put(headers=headers)).body)

    assert claimed["claimed_by"] == "6f1d"
