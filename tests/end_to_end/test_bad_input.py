"""Wrong input is answered with problem+json that names the field, and nothing is attempted."""

import json
from typing import Any

import pytest

from tests.end_to_end.estate import (
    OTHER_SUBSCRIPTION,
    a_workspace,
    an_estate,
    an_instance,
    instance_id,
    workspace_id,
)
from tests.end_to_end.observed import arm_requests, requests_that_change, states, stop_requests
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

ESTATE = an_estate(
    a_workspace("mlw-churn", an_instance("ci-ada"), an_instance("ci-twin")),
    a_workspace(
        "mlw-pricing",
        an_instance("ci-twin"),
        {"name": "cpu-cluster", "compute_type": "AmlCompute"},
    ),
)
# What is ordered in a body, or by the path alone.
CALLS_WITHOUT_A_QUERY = {
    "POST compute/shutdown": {},
    "POST compute/guardrails/idle-shutdown": {"instances": ["ci-ada"], "idle_minutes": 60},
    "PUT compute/exemptions/ada": {},
    "DELETE compute/exemptions/ada": None,
    "POST scoring/services/weight/check": None,
    "PUT scoring/services/weight/maintenance": {},
    "DELETE scoring/services/weight/maintenance": None,
    "POST scoring/services/weight/redeploy": {"restart": True, "reason": "it is slow"},
    "POST scoring/redeploys/01a20028-4cbf-7cf4-85f5-9adf60f92780/abort": None,
}
NOWHERE = "00000000-0000-4000-8000-000000000000"
BAD_BODIES: dict[str, tuple[Any, int, str]] = {
    "no JSON": ("{", 400, "body"),
    "not UTF-8": (b"\xff\xfe", 400, "body"),
    "no object": ("[]", 400, "body"),
    "an unknown field": ({"dryrun": True}, 400, "dryrun"),
    "a word for a truth value": ({"dry_run": "yes"}, 400, "dry_run"),
    "a text for a list": ({"instances": "ci-ada"}, 400, "instances"),
    "a number for a name": ({"instances": ["ci-ada", 7]}, 400, "instances[1]"),
    "null for a flag": ({"dry_run": None}, 400, "dry_run"),
    "an empty list of instances": ({"instances": []}, 400, "instances"),
    "an empty list of workspaces": ({"workspaces": []}, 400, "workspaces"),
    "an empty list of subscriptions": ({"subscriptions": []}, 400, "subscriptions"),
    "an empty name": ({"workspaces": [""]}, 400, "workspaces[0]"),
    "a deadline of 0": ({"deadline_seconds": 0}, 400, "deadline_seconds"),
    "a deadline of 201": ({"deadline_seconds": 201}, 400, "deadline_seconds"),
    "half a second": ({"deadline_seconds": 1.5}, 400, "deadline_seconds"),
    "a deadline in words": ({"deadline_seconds": "60"}, 400, "deadline_seconds"),
    "a reason that is a number": ({"reason": 5}, 400, "reason"),
    "a subscription by name": ({"subscriptions": ["production"]}, 400, "subscriptions[0]"),
    "an id of something else": ({"instances": [workspace_id("mlw-churn")]}, 400, "instances[0]"),
    "an ambiguous name": ({"instances": ["ci-ada", "ci-twin"]}, 400, "instances[1]"),
    "what cannot be stopped": ({"instances": ["cpu-cluster"]}, 400, "instances"),
    "a subscription not there": ({"subscriptions": [NOWHERE]}, 404, "subscriptions[0]"),
    "a subscription not seen": (
        {"subscriptions": [f"/subscriptions/{OTHER_SUBSCRIPTION}"]},
        404,
        "subscriptions[0]",
    ),
    "a workspace not there": ({"workspaces": ["mlw-gone"]}, 404, "workspaces[0]"),
    "an instance not there": ({"instances": ["ci-ada", "ci-gone"]}, 404, "instances[1]"),
    "an id not there": ({"instances": [instance_id("mlw-churn", "ci-gone")]}, 404, "instances[0]"),
    "an instance of another workspace": (
        {"workspaces": ["mlw-pricing"], "instances": ["ci-ada"]},
        404,
        "instances[0]",
    ),
    "more than 64 KiB": ({"reason": "x" * 65_536}, 413, "body"),
}
BAD_QUERIES: dict[str, tuple[str, int, str]] = {
    "an unknown parameter": ("instance=ci-ada", 400, "instance"),
    "an empty list": ("instances=", 400, "instances[0]"),
    "an ambiguous name": ("instances=ci-twin", 400, "instances[0]"),
    "a subscription by name": ("subscriptions=production", 400, "subscriptions[0]"),
    "a subscription not there": (f"subscriptions={NOWHERE}", 404, "subscriptions[0]"),
    "a workspace not there": ("workspaces=mlw-churn,mlw-gone", 404, "workspaces[1]"),
    "an instance not there": ("instances=ci-gone", 404, "instances[0]"),
}


@pytest.mark.parametrize(("body", "status", "field"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_shutdown_is_refused_for(
    emulator: EmulatorProcess, host: LocalHost, body: Any, status: int, field: str
) -> None:
    emulator.seed(ESTATE)

    answer = host.post("/api/compute/shutdown", body=body)

    problem = answer.json()
    assert (answer.status, problem["status"], problem["field"]) == (status, status, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]
    assert requests_that_change(emulator) == []


@pytest.mark.parametrize(("query", "status", "field"), BAD_QUERIES.values(), ids=BAD_QUERIES.keys())
def test_a_plan_is_refused_for(
    emulator: EmulatorProcess, host: LocalHost, query: str, status: int, field: str
) -> None:
    emulator.seed(ESTATE)

    answer = host.get(f"/api/compute/plan?{query}")

    assert (answer.status, answer.json()["field"]) == (status, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert requests_that_change(emulator) == []


@pytest.mark.parametrize(("call", "body"), CALLS_WITHOUT_A_QUERY.items(), ids=CALLS_WITHOUT_A_QUERY)
def test_a_dry_run_that_is_asked_for_in_the_query_is_refused_and_no_order(
    emulator: EmulatorProcess, host: LocalHost, call: str, body: dict[str, Any] | None
) -> None:
    emulator.seed(ESTATE)
    method, path = call.split()

    answer = host.request(method, f"/api/{path}?dry_run=true", body=body)

    assert (answer.status, answer.json()["field"]) == (400, "dry_run")
    assert requests_that_change(emulator) == []


def test_an_ambiguous_name_lists_its_matches(emulator: EmulatorProcess, host: LocalHost) -> None:
    emulator.seed(ESTATE)

    answer = host.post("/api/compute/shutdown", body={"instances": ["CI-Twin"]})

    matches = [instance_id("mlw-churn", "ci-twin"), instance_id("mlw-pricing", "ci-twin")]
    assert all(match in answer.json()["detail"] for match in matches)


@pytest.mark.parametrize("key", [None, "wrong", ""], ids=["no key", "a wrong key", "an empty key"])
def test_without_a_key_nobody_is_let_in(
    emulator: EmulatorProcess, host: LocalHost, key: str | None
) -> None:
    plan = host.get("/api/compute/plan", key=key)
    shutdown = host.post("/api/compute/shutdown", key=key, body={})

    assert [plan.status, shutdown.status] == [401, 401]
    assert arm_requests(emulator) == []


def test_64_kib_are_taken(emulator: EmulatorProcess, host: LocalHost) -> None:
    emulator.seed(ESTATE)
    order = json.dumps({"instances": ["ci-ada"]}).ljust(65_536)

    answer = host.post("/api/compute/shutdown", body=order)

    assert answer.status == 200
    assert stop_requests(emulator) == ["ci-ada"]


def test_a_full_id_in_any_case_names_one_of_two_twins(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(ESTATE)
    order = {"instances": [instance_id("mlw-pricing", "ci-twin").upper()]}

    answer = host.post("/api/compute/shutdown", body=order)

    (instance,) = answer.json()["instances"]
    assert answer.status == 200
    assert instance["id"] == instance_id("mlw-pricing", "ci-twin")
    assert states(emulator)["ci-ada"] == "Running"
    assert stop_requests(emulator) == ["ci-twin"]
