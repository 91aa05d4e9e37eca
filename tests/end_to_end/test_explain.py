"""Nobody has to guess why a machine is up or was stopped: GET /api/compute/explain."""

from datetime import UTC, datetime, timedelta
from typing import Any

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
from tests.end_to_end.observed import instances, requests_that_change
from tests.support.azurite import without
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

ADA = instance_id("mlw-churn", "ci-ada")
BERLIN = {"uptime": "Mon-Fri 07:30-20:30 Europe/Berlin"}
ESTATE = an_estate(
    a_workspace(
        "mlw-churn",
        an_instance("ci-ada"),
        an_instance("ci-off", state="Stopped"),
        {**an_instance("ci-typo"), "tags": {"uptime": "never"}},
        {"name": "cpu-cluster", "compute_type": "AmlCompute"},
        tags=BERLIN,
    ),
    a_workspace("mlw-plain", an_instance("ci-bob")),
    a_workspace("mlw-secret", an_instance("ci-cy"), forbidden=True),
)
# A Wednesday in winter: Berlin is an hour ahead of UTC.
NOON = "2027-01-13T12:00:00Z"
EVENING = "2027-01-13T21:00:00Z"


@pytest.fixture
def host(emulator: EmulatorProcess, host_process: LocalHost) -> LocalHost:
    emulator.seed(ESTATE)
    return host_process


def explained(host: LocalHost, resource_id: str, at: str = NOON) -> dict[str, Any]:
    answer = host.get(f"/api/compute/explain?id={resource_id}&at={at}")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def test_a_machine_in_its_window_is_told_which_and_until_when(host: LocalHost) -> None:
    found = explained(host, ADA)

    assert (found["id"], found["state"], found["at"]) == (ADA, "Running", NOON)
    assert (found["decision"], found["reason"]) == ("leave", "in_window")
    assert (found["source"], found["rule"]) == ("workspace_tag", f"uptime={BERLIN['uptime']}")
    assert (found["zone"], found["local_time"]) == ("Europe/Berlin", "2027-01-13T13:00:00+01:00")
    assert found["changes_at"] == "2027-01-13T19:30:00Z"
    assert found["changes_at_local"] == "2027-01-13T20:30:00+01:00"
    assert (found["decision_then"], found["reason_then"]) == ("stop", "running")


def test_after_its_window_it_is_told_when_it_may_be_up_again(host: LocalHost) -> None:
    found = explained(host, ADA, EVENING)

    assert (found["decision"], found["reason"]) == ("stop", "running")
    assert (found["changes_at"], found["decision_then"]) == ("2027-01-14T06:30:00Z", "leave")


def test_the_tick_that_acts_is_the_first_after_the_change(
    emulator: EmulatorProcess, start_host: StartHost
) -> None:
    emulator.seed(ESTATE)
    quarterly = start_host(emulator, SHUTDOWN_SCHEDULE="0 7/15 * * * *")

    found = explained(quarterly, ADA)

    assert found["next_tick_at"] == "2027-01-13T12:07:00Z"
    assert found["acts_at"] == "2027-01-13T19:37:00Z"


def test_an_explanation_and_a_plan_agree(host: LocalHost) -> None:
    for at in (NOON, EVENING):
        planned = instances(host.get(f"/api/compute/plan?at={at}").json())
        for instance in planned.values():
            found = explained(host, instance["id"], at)
            assert (found["decision"], found["reason"]) == (
                instance["decision"],
                instance["reason"],
            )
            assert found["reason_text"] == instance["reason_text"]


def test_without_tags_the_default_schedule_decides(
    emulator: EmulatorProcess, start_host: StartHost
) -> None:
    emulator.seed(ESTATE)
    app = start_host(emulator, DEFAULT_SCHEDULE="Mon-Sun 06:00-22:00 UTC")

    found = explained(app, instance_id("mlw-plain", "ci-bob"))

    assert (found["source"], found["zone"]) == ("default_schedule", "UTC")
    assert found["changes_at"] == "2027-01-13T22:00:00Z"


def test_a_machine_that_is_off_stays_off(host: LocalHost) -> None:
    found = explained(host, instance_id("mlw-churn", "ci-off"))

    assert (found["decision"], found["reason"], found["changes_at"]) == ("leave", "off", None)


def test_a_tag_that_cannot_be_understood_is_told_with_what_would_be_right(host: LocalHost) -> None:
    found = explained(host, instance_id("mlw-churn", "ci-typo"), EVENING)

    (tag,) = found["misconfigured_tags"]
    assert (found["decision"], found["reason"]) == ("leave", "tag_misconfigured")
    assert (tag["tag"], tag["value"]) == ("uptime", "never")
    assert "uptime=none" in tag["suggestion"]


def test_an_exemption_is_named_with_its_reason_and_its_end(
    emulator: EmulatorProcess, remembering_host: LocalHost
) -> None:
    emulator.seed(ESTATE)
    path = "/api/compute/exemptions/explained"
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    order = {"resource_id": ADA, "until": until.isoformat(), "reason": "training"}
    remembering_host.request("PUT", path, headers={"If-None-Match": "*"}, body=order)

    found = explained(remembering_host, ADA, at=_utc(until - timedelta(seconds=1)))
    ended = explained(remembering_host, ADA, at=_utc(until))

    remembering_host.request("DELETE", path)
    assert (found["source"], found["rule"], found["reason"]) == (
        "exemption",
        "explained",
        "exempted",
    )
    assert found["exemption"] == {
        "exemption_id": "explained",
        "until": _utc(until),
        "reason": "training",
        "claimed_by": None,
    }
    assert (found["zone"], found["exemptions_known"]) == ("Europe/Berlin", True)
    assert (ended["source"], ended["exemption"]) == ("workspace_tag", None)


def test_while_storage_is_away_the_answer_says_that_exemptions_are_not_known(
    emulator: EmulatorProcess, azurite: Azurite, start_host: StartHost
) -> None:
    emulator.seed(ESTATE)
    cut_off = start_host(emulator, AzureWebJobsStorage=without(azurite, "Table"))

    found = explained(cut_off, ADA)

    assert (found["reason"], found["exemptions_known"]) == ("in_window", False)


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_asking_changes_nothing(emulator: EmulatorProcess, host: LocalHost) -> None:
    explained(host, ADA, EVENING)

    assert requests_that_change(emulator) == []


def test_an_id_in_any_case_is_answered_in_azures_own(host: LocalHost) -> None:
    assert explained(host, ADA.upper())["id"] == ADA


BAD: dict[str, tuple[str, int, str]] = {
    "no id": ("", 400, "id"),
    "a name": ("id=ci-ada", 400, "id"),
    "a workspace": (f"id={workspace_id('mlw-churn')}", 400, "id"),
    "a cluster": (f"id={instance_id('mlw-churn', 'cpu-cluster')}", 400, "id"),
    "an unknown parameter": (f"id={ADA}&when={NOON}", 400, "when"),
    "a time without a zone": (f"id={ADA}&at=2027-01-13T12:00:00", 400, "at"),
    "no time": (f"id={ADA}&at=tonight", 400, "at"),
    "an instance not there": (f"id={instance_id('mlw-churn', 'ci-gone')}", 404, "id"),
    "a workspace not there": (f"id={instance_id('mlw-gone', 'ci-ada')}", 404, "id"),
    "a subscription not seen": (
        f"id={workspace_id('mlw-churn', subscription=OTHER_SUBSCRIPTION)}/computes/ci-ada",
        404,
        "id",
    ),
}


@pytest.mark.parametrize(("query", "status", "field"), BAD.values(), ids=BAD.keys())
def test_an_explanation_is_refused_for(
    host: LocalHost, query: str, status: int, field: str
) -> None:
    answer = host.get(f"/api/compute/explain?{query}")

    assert (answer.status, answer.json()["field"]) == (status, field)
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_azure_does_not_let_us_read_is_no_answer(host: LocalHost) -> None:
    answer = host.get(f"/api/compute/explain?id={instance_id('mlw-secret', 'ci-cy')}")

    assert answer.status == 502
    assert "AuthorizationFailed" in answer.json()["detail"]
