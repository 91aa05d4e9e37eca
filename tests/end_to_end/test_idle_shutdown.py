"""POST /api/compute/guardrails/idle-shutdown: dry unless said otherwise, and told by what was seen."""

from typing import Any

import pytest

from tests.end_to_end.estate import a_workspace, an_estate, an_instance, instance_id, workspace_id
from tests.end_to_end.observed import arm_requests, events, requests_that_change
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost
from tests.support.wire import Reply

PATH = "/api/compute/guardrails/idle-shutdown"
ADA, BOB = an_instance("ci-ada"), {**an_instance("ci-bob"), "idle_time_before_shutdown": "PT1H"}
ESTATE = an_estate(
    a_workspace("mlw-churn", ADA, BOB, an_instance("ci-twin")),
    a_workspace("mlw-pricing", an_instance("ci-dina"), an_instance("ci-twin")),
    a_workspace("mlw-locked", an_instance("ci-hidden"), forbidden=True),
)
SETTING = "/updateIdleShutdownSetting"


def ask(host: LocalHost, *instances: str, **rest: Any) -> Reply:
    body = {"instances": list(instances), "idle_minutes": 60, **rest}
    return host.post(PATH, body=body)


def outcomes(answer: Reply) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in answer.json()["instances"]}


@pytest.fixture
def estate(emulator: EmulatorProcess) -> EmulatorProcess:
    emulator.seed(ESTATE)
    return emulator


def test_it_is_dry_unless_said_otherwise(estate: EmulatorProcess, host: LocalHost) -> None:
    answer = ask(host, "ci-ada", "ci-bob")

    report = answer.json()
    assert (answer.status, report["result"], report["dry_run"]) == (200, "succeeded", True)
    assert outcomes(answer) == {"ci-ada": "planned", "ci-bob": "already_set"}
    assert requests_that_change(estate) == []


def test_it_sets_the_idle_time_and_shows_what_was_seen(
    estate: EmulatorProcess, host: LocalHost
) -> None:
    dina = instance_id("mlw-pricing", "ci-dina")

    answer = ask(host, "ci-ada", "ci-bob", dina, dry_run=False, reason="audit")

    report = {each["name"]: each for each in answer.json()["instances"]}
    assert answer.status == 200
    assert outcomes(answer) == {"ci-ada": "set", "ci-bob": "already_set", "ci-dina": "set"}
    assert report["ci-ada"]["idle_time_before"] is None
    assert report["ci-ada"]["idle_time_after"] == "PT60M"
    assert report["ci-dina"]["id"] == dina
    changed = [path.split("/")[-2] for path in requests_that_change(estate)]
    assert sorted(changed) == ["ci-ada", "ci-dina"]
    assert {each["bucket"] for each in arm_requests(estate) if each["method"] == "POST"} == {
        "writes"
    }


def test_a_second_time_nothing_is_left_to_do(estate: EmulatorProcess, host: LocalHost) -> None:
    ask(host, "ci-ada", dry_run=False)

    answer = ask(host, "ci-ada", dry_run=False)

    assert outcomes(answer) == {"ci-ada": "already_set"}
    assert len(requests_that_change(estate)) == 1


def test_a_refusal_spares_the_rest_and_is_told(estate: EmulatorProcess, host: LocalHost) -> None:
    refusal = {"error": {"code": "UserError", "message": "Not today."}}
    estate.fault(f"/ci-ada{SETTING}", status=400, body=refusal, times=None)

    answer = ask(host, "ci-ada", "ci-dina", dry_run=False)

    report = {each["name"]: each for each in answer.json()["instances"]}
    assert (answer.status, answer.json()["result"]) == (207, "partial")
    assert outcomes(answer) == {"ci-ada": "refused", "ci-dina": "set"}
    assert "Not today." in report["ci-ada"]["detail"]
    assert report["ci-ada"]["idle_time_after"] is None


@pytest.mark.parametrize("cut", ["after_effect", "mid_body"])
def test_a_lost_answer_is_made_up_for_by_looking(
    estate: EmulatorProcess, host: LocalHost, cut: str
) -> None:
    estate.fault(SETTING, method="POST", cut=cut)

    answer = ask(host, "ci-ada", dry_run=False)

    assert outcomes(answer) == {"ci-ada": "set"}
    assert len(requests_that_change(estate)) == 1


def test_what_cannot_be_read_is_named(estate: EmulatorProcess, host: LocalHost) -> None:
    hidden = instance_id("mlw-locked", "ci-hidden")

    answer = ask(host, "ci-ada", hidden, dry_run=False)

    (unread,) = answer.json()["workspaces"]
    assert (answer.status, unread["id"]) == (207, workspace_id("mlw-locked"))
    assert "AuthorizationFailed" in unread["error"]
    assert outcomes(answer) == {"ci-ada": "set"}
    assert events(estate, "compute.idle_shutdown.set")


def test_where_nothing_can_be_read_it_is_a_bad_gateway(
    estate: EmulatorProcess, host: LocalHost
) -> None:
    answer = ask(host, instance_id("mlw-locked", "ci-hidden"), dry_run=False)

    assert (answer.status, answer.json()["status"]) == (502, 502)
    assert requests_that_change(estate) == []


def test_only_the_workspaces_that_are_named_are_read(
    estate: EmulatorProcess, host: LocalHost
) -> None:
    ask(host, instance_id("mlw-churn", "ci-ada"))

    lists = [each["path"] for each in arm_requests(estate) if each["path"].endswith("/computes")]
    assert {path.split("/")[-2] for path in lists} == {"mlw-churn"}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "instances"),
        ({"instances": []}, 400, "instances"),
        ({"instances": None, "idle_minutes": 60}, 400, "instances"),
        ({"instances": ["ci-ada"]}, 400, "idle_minutes"),
        ({"instances": ["ci-ada"], "idle_minutes": 14}, 400, "idle_minutes"),
        ({"instances": ["ci-ada"], "idle_minutes": 4321}, 400, "idle_minutes"),
        ({"instances": ["ci-ada"], "idle_minutes": "60"}, 400, "idle_minutes"),
        ({"instances": ["ci-ada"], "idle_minutes": 60.5}, 400, "idle_minutes"),
        ({"instances": ["ci-ada"], "idle_minutes": 60, "dry_run": "no"}, 400, "dry_run"),
        ({"instances": ["ci-ada"], "idle_minutes": 60, "dryrun": False}, 400, "dryrun"),
        ({"instances": ["ci-ada"], "idle_minutes": 60, "reason": "x" * 501}, 400, "reason"),
        ({"instances": ["a/b"], "idle_minutes": 60}, 400, "instances[0]"),
        ({"instances": ["ci-ada", "ci-gone"], "idle_minutes": 60}, 404, "instances[1]"),
        ({"instances": ["ci-twin"], "idle_minutes": 60}, 400, "instances[0]"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_set(
    estate: EmulatorProcess, host: LocalHost, body: dict[str, Any], status: int, field: str
) -> None:
    answer = host.post(PATH, body={"dry_run": False, **body})

    assert (answer.status, answer.json()["field"]) == (status, field)
    assert requests_that_change(estate) == []


def test_a_body_that_is_too_large_is_a_mistake(estate: EmulatorProcess, host: LocalHost) -> None:
    answer = host.post(PATH, body={"instances": ["x" * 70_000], "idle_minutes": 60})

    assert answer.status == 413
    assert requests_that_change(estate) == []


def test_a_cluster_has_no_idle_shutdown(estate: EmulatorProcess, host: LocalHost) -> None:
    cluster = {"name": "cpu", "compute_type": "AmlCompute"}
    estate.seed(an_estate(a_workspace("mlw-churn", cluster)))

    answer = ask(host, "cpu", dry_run=False)

    assert (answer.status, answer.json()["field"]) == (400, "instances")
