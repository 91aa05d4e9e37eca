"""Scoring services over HTTP: checked by a timer and on demand, in maintenance, on a badge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.conftest import StartHost
from tests.end_to_end.scoring_file import BLOB, a_file, put_file
from tests.support.azurite import without
from tests.support.builders import SUBSCRIPTION
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.local_host import LocalHost
from tests.support.story import of_type
from tests.support.weight_server import WRONG, WeightServer, weight_server

SERVICES = "/api/scoring/services"


@pytest.fixture
def weight() -> Iterator[WeightServer]:
    with weight_server() as served:
        yield served


@pytest.fixture
def name() -> str:
    """A service that no other test has: what is remembered goes by names."""
    return f"weight-{uuid4().hex[:8]}"


@pytest.fixture
def path(name: str) -> str:
    return f"{SERVICES}/{name}"


@pytest.fixture(scope="module")
def checking_host(
    emulator_process: EmulatorProcess, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalHost]:
    own = tmp_path_factory.mktemp("checking") / "own.env"
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "SCORING_SERVICES": put_file(azurite, a_file("http://127.0.0.1:1")),
        "SCORING_DISCOVERY": "none",
        "REGION_NAME": "westeurope",
    }
    write_env_file(own, settings)
    with LocalHost(env_files=[emulator_process.env_file, own]) as running:
        yield running


@pytest.fixture
def host(
    emulator: EmulatorProcess,
    checking_host: LocalHost,
    azurite: Azurite,
    weight: WeightServer,
    name: str,
) -> LocalHost:
    """The app with one service in its file; nothing is looked for in Azure."""
    assert emulator.env_file in checking_host.env_files
    put_file(azurite, a_file(weight.url, name))
    return checking_host


def shown(host: LocalHost, path: str) -> Any:
    answer = host.get(path)
    assert answer.status == 200, answer.body
    return answer.json()


def test_a_tick_judges_every_service_and_the_answers_say_how_they_are(
    host: LocalHost, path: str, weight: WeightServer
) -> None:
    before = shown(host, path)

    fired = host.fire_timer("scoring_timer")

    after = shown(host, path)
    assert (before["state"], before["verdict"], before["uptime"]["24h"]["percent"]) == (
        "unknown",
        None,
        None,
    )
    assert fired["status"] == "succeeded", fired["error"]
    assert (after["state"], after["verdict"], after["evidence"]) == (
        "healthy",
        "healthy",
        "golden_right",
    )
    assert (after["owner"], after["group"], after["golden"]) == ("ada", "demo", ["height 138"])
    assert [each["verdict"] for each in after["checks"]] == ["healthy"]
    assert after["latency"]["slowest_seconds"] is not None
    assert after["stale"] is before["stale"] is False
    assert weight.requests == ["/live", "/weight?height=138"]


def test_a_wrong_answer_is_unhealthy_and_no_failure_of_the_tick(
    host: LocalHost, path: str, name: str, weight: WeightServer, emulator: EmulatorProcess
) -> None:
    weight.body = WRONG

    fired = host.fire_timer("scoring_timer")

    after = shown(host, path)
    assert fired["status"] == "succeeded"
    assert (after["state"], after["verdict"], after["evidence"]) == (
        "unhealthy",
        "wrong",
        "golden_differs",
    )
    assert "161.8533" in after["text"]
    assert "161.1" in after["text"]
    told = emulator.telemetry()
    (result,) = [each["data"]["baseData"] for each in of_type("AvailabilityData", told)]
    assert (result["name"], result["success"], result["runLocation"]) == (
        name,
        False,
        "westeurope",
    )
    events = [each["data"]["baseData"]["name"] for each in of_type("EventData", told)]
    assert sorted(events) == ["scoring.round.finished", "scoring.service.changed"]
    assert {each["tags"]["ai.operation.name"] for each in told} == {"scoring_timer"}


def test_the_list_is_filtered_by_group_and_state(host: LocalHost, name: str) -> None:
    host.fire_timer("scoring_timer")

    found = {
        query: [each["name"] for each in shown(host, f"{SERVICES}?{query}")["services"]]
        for query in ("group=demo", "group=other", "state=healthy", "state=unhealthy")
    }

    assert found == {
        "group=demo": [name],
        "group=other": [],
        "state=healthy": [name],
        "state=unhealthy": [],
    }
    assert shown(host, SERVICES)["problems"] == []


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        (f"GET {SERVICES}?state=purple", 400, "state"),
        (f"GET {SERVICES}?colour=red", 400, "colour"),
        (f"GET {SERVICES}/svm", 404, "name"),
        (f"GET {SERVICES}/svm/badge.svg", 404, "name"),
        (f"POST {SERVICES}/svm/check", 404, "name"),
        (f"PUT {SERVICES}/svm/maintenance", 404, "name"),
        (f"DELETE {SERVICES}/svm/maintenance", 404, "name"),
        ("PUT {path}/maintenance", 400, "until"),
    ],
)
def test_what_a_caller_has_wrong_is_named(
    host: LocalHost, path: str, asked: str, status: int, field: str
) -> None:
    method, target = asked.format(path=path).split()

    answer = host.request(method, target, body={"until": "soon", "reason": "a new model"})

    assert (answer.status, answer.json()["field"]) == (status, field)


def test_a_check_on_demand_answers_what_it_saw_and_changes_no_state(
    host: LocalHost, path: str, weight: WeightServer
) -> None:
    right = host.post(f"{path}/check")
    weight.body = WRONG
    wrong = host.post(f"{path}/check")

    assert (right.status, right.json()["verdict"]) == (200, "healthy")
    assert [each["kind"] for each in right.json()["checks"]] == ["live", "golden"]
    assert (wrong.status, wrong.json()["verdict"]) == (424, "wrong")
    assert shown(host, path)["state"] == "unknown"


def test_a_pipeline_reads_a_check_as_junit_xml(
    host: LocalHost, path: str, weight: WeightServer
) -> None:
    weight.body = WRONG

    answer = host.post(f"{path}/check", headers={"Accept": "application/junit+xml"})

    suites = ET.fromstring(answer.body)  # noqa: S314  # our own answer
    assert answer.status == 424
    assert answer.headers["content-type"].startswith("application/xml")
    assert int(suites.get("failures", "0")) >= 1


def test_in_maintenance_a_change_alerts_nobody_until_it_ends(
    host: LocalHost, path: str, weight: WeightServer, emulator: EmulatorProcess
) -> None:
    host.fire_timer("scoring_timer")
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    opened = host.request(
        "PUT", f"{path}/maintenance", body={"until": until, "reason": "a new model"}
    )
    weight.body = WRONG
    host.fire_timer("scoring_timer")
    resting = shown(host, path)
    ended = host.request("DELETE", f"{path}/maintenance")
    host.fire_timer("scoring_timer")

    changes = [
        each["data"]["baseData"]["properties"]
        for each in of_type("EventData", emulator.telemetry())
        if each["data"]["baseData"]["name"] == "scoring.service.changed"
    ]
    assert (opened.status, opened.json()["reason"], opened.json()["opened_by"]) == (
        200,
        "a new model",
        None,
    )
    assert (resting["state"], resting["maintenance"]["reason"]) == ("unhealthy", "a new model")
    assert ended.status == 204
    assert shown(host, path)["maintenance"] is None
    assert [(each["state_after"], each["alerts"]) for each in changes] == [
        ("healthy", "false"),
        ("unhealthy", "false"),
        ("unhealthy", "true"),
    ]


def test_a_badge_shows_how_a_service_is(host: LocalHost, path: str, name: str) -> None:
    host.fire_timer("scoring_timer")

    badge = host.get(f"{path}/badge.svg")

    assert badge.status == 200
    assert badge.headers["content-type"].startswith("image/svg+xml")
    assert f"{name}: healthy".encode() in badge.body


def test_a_broken_file_leaves_its_last_good_version_in_force_and_fails_the_tick(
    host: LocalHost, azurite: Azurite, name: str
) -> None:
    host.fire_timer("scoring_timer")
    put_file(azurite, "version: 1\nservices:\n  - name: other\n    kind: htp\n")

    fired = host.fire_timer("scoring_timer")

    listed = shown(host, SERVICES)
    assert [each["name"] for each in listed["services"]] == [name]
    assert "services[0].kind (line 4" in listed["problems"][0]
    rounds = listed["rounds"]
    assert (rounds["overdue"], rounds["due_at"] > rounds["last_ended_at"]) == (False, True)
    assert (rounds["result"], "services[0].kind" in rounds["error"]) == ("partial", True)
    assert rounds["last_succeeded_at"] < rounds["last_failed_at"] == rounds["last_ended_at"]
    assert (fired["status"], "services[0].kind" in fired["error"]) == ("failed", True)


def test_services_of_azure_are_found_in_every_workspace(
    emulator: EmulatorProcess, start_host: StartHost, azurite: Azurite
) -> None:
    host = start_host(emulator, AzureWebJobsStorage=azurite.connection_string)

    host.fire_timer("scoring_timer", seconds=120)

    listed = shown(host, SERVICES)
    kinds = {each["kind"] for each in listed["services"]}
    assert kinds == {"aml-online", "aml-v1"}
    assert all(each["checked_at"] for each in listed["services"])
    assert {each["proven"] for each in listed["services"]} == {"answers_only"}


def test_what_azure_calls_failed_is_down_although_it_answers(
    emulator: EmulatorProcess, start_host: StartHost, azurite: Azurite
) -> None:
    error = {"code": "Late", "statusCode": 504, "message": "It timed out.", "details": []}
    failed = {"name": "late", "state": "Failed", "error": error | {"correlation": {}}}
    endpoint = {"name": f"empty-{uuid4().hex[:8]}", "provisioning_state": "Failed"}
    workspace = {
        "name": f"w{uuid4().hex[:8]}",
        "services": [failed],
        "online_endpoints": [endpoint],
    }
    emulator.seed({"subscriptions": [{"id": SUBSCRIPTION, "workspaces": [workspace]}]})
    host = start_host(emulator, AzureWebJobsStorage=azurite.connection_string)

    host.fire_timer("scoring_timer", seconds=120)

    listed = shown(host, f"{SERVICES}?group={workspace['name']}")["services"]
    told = {each["kind"]: each for each in listed}
    assert (told["aml-v1"]["evidence"], told["aml-v1"]["proven"]) == ("azure_unhealthy", "nothing")
    assert told["aml-v1"]["text"].startswith("It answers, but Azure calls it Failed (seen ")
    assert told["aml-v1"]["text"].endswith(": Late: It timed out.")
    bare = told["aml-online"]
    assert (bare["verdict"], bare["proven"]) == ("healthy", "answers_only")
    assert "Azure calls it Failed and shows no deployment that gets traffic" in bare["text"]


def test_without_tables_services_are_checked_all_the_same_and_the_loss_is_told(
    emulator: EmulatorProcess, start_host: StartHost, azurite: Azurite, weight: WeightServer
) -> None:
    host = start_host(
        emulator,
        AzureWebJobsStorage=without(azurite, "Table"),
        SCORING_SERVICES=put_file(azurite, a_file(weight.url)),
        SCORING_DISCOVERY="none",
    )

    fired = host.fire_timer("scoring_timer", seconds=120)

    told = emulator.telemetry()
    results = of_type("AvailabilityData", told)
    events = {each["data"]["baseData"]["name"] for each in of_type("EventData", told)}
    assert [each["data"]["baseData"]["success"] for each in results] == [True]
    assert "history.lost" in events
    assert (fired["status"], host.get(SERVICES, seconds=120).status) == ("failed", 503)


def test_two_workers_share_what_they_know(
    emulator: EmulatorProcess, host: LocalHost, path: str, start_host: StartHost, azurite: Azurite
) -> None:
    host.fire_timer("scoring_timer")
    other = start_host(
        emulator,
        AzureWebJobsStorage=azurite.connection_string,
        SCORING_SERVICES=f"{azurite.blob_endpoint}/{BLOB}",
        SCORING_DISCOVERY="none",
    )

    assert shown(other, path)["state"] == "healthy"
