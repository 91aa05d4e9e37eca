"""The plan: what a shutdown would do now, in a report's shape; it changes nothing."""

import pytest

from tests.end_to_end.estate import (
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    a_workspace,
    an_estate,
    an_instance,
    instance_id,
    workspace_id,
)
from tests.end_to_end.observed import instances, outcomes, requests_that_change, states
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

TAGGED = {**an_instance("ci-tagged"), "tags": {"Shutdown": "NEVER"}}
ESTATE = an_estate(
    a_workspace(
        "mlw-churn",
        an_instance("ci-ada"),
        an_instance("ci-off", state="Stopped"),
        an_instance("ci-job", state="JobRunning"),
        an_instance("ci-dead", state="Unusable"),
        an_instance("ci-strange", state="Unknown"),
        TAGGED,
    ),
    a_workspace("mlw-pricing", an_instance("ci-dina"), an_instance("ci-twin")),
    a_workspace("mlw-kept", an_instance("ci-kept"), tags={"shutdown": "never"}),
)
ESTATE["subscriptions"].append(
    {"id": OTHER_SUBSCRIPTION, "workspaces": [a_workspace("mlw-far", an_instance("ci-far"))]}
)
EVERYTHING = {
    "ci-ada": "planned",
    "ci-off": "left",
    "ci-job": "left",
    "ci-dead": "planned",
    "ci-strange": "unknown",
    "ci-tagged": "left",
    "ci-dina": "planned",
    "ci-twin": "planned",
    "ci-kept": "left",
    "ci-far": "planned",
}
FILTERS = {
    "a subscription": (f"subscriptions={OTHER_SUBSCRIPTION}", {"ci-far"}),
    "a subscription's id": (f"subscriptions=/subscriptions/{OTHER_SUBSCRIPTION}", {"ci-far"}),
    "a workspace": ("workspaces=mlw-pricing", {"ci-dina", "ci-twin"}),
    "a workspace in capitals": ("workspaces=MLW-PRICING", {"ci-dina", "ci-twin"}),
    "a workspace's id": (f"workspaces={workspace_id('mlw-kept')}", {"ci-kept"}),
    "two workspaces": ("workspaces=mlw-kept,mlw-far", {"ci-kept", "ci-far"}),
    "an instance": ("instances=ci-ada", {"ci-ada"}),
    "an instance's id": (f"instances={instance_id('mlw-churn', 'ci-ada')}", {"ci-ada"}),
    "two instances in two workspaces": ("instances=ci-ada,ci-far", {"ci-ada", "ci-far"}),
    "the same instance twice": ("instances=ci-ada,CI-ADA", {"ci-ada"}),
    "an instance in its subscription": (
        f"subscriptions={SUBSCRIPTION}&instances=ci-dina",
        {"ci-dina"},
    ),
}


def test_the_plan_says_what_would_become_of_everything(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(ESTATE)

    answer = host.get("/api/compute/plan")

    report = answer.json()
    assert outcomes(report) == EVERYTHING
    assert (report["trigger"], report["dry_run"]) == ("http", True)
    assert report["counts"]["planned"] == 5
    assert report["saved"]["amount"] > 0


def test_the_plan_changes_nothing(emulator: EmulatorProcess, host: LocalHost) -> None:
    emulator.seed(ESTATE)
    before = states(emulator)

    host.get("/api/compute/plan")

    assert requests_that_change(emulator) == []
    assert states(emulator) == before


def test_a_dry_run_is_a_plan(emulator: EmulatorProcess, host: LocalHost) -> None:
    emulator.seed(ESTATE)

    answer = host.post("/api/compute/shutdown", body={"dry_run": True})

    assert outcomes(answer.json()) == EVERYTHING
    assert requests_that_change(emulator) == []


def test_a_plan_and_a_shutdown_have_the_same_shape(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(an_estate(a_workspace("mlw-churn", an_instance("ci-ada"))))

    plan = host.get("/api/compute/plan").json()
    report = host.post("/api/compute/shutdown").json()

    ada_before, ada_after = instances(plan)["ci-ada"], instances(report)["ci-ada"]
    assert plan.keys() - {"guardrails"} == report.keys()
    assert ada_before.keys() == ada_after.keys()
    assert plan["saved"] == report["saved"]
    assert {key for key in ada_before if ada_before[key] != ada_after[key]} <= {
        "reason_text",
        "state_after",
        "outcome",
        "seconds",
        "seen_at",
    }


@pytest.mark.parametrize(("query", "named"), FILTERS.values(), ids=FILTERS.keys())
def test_a_plan_narrows_to(
    emulator: EmulatorProcess, host: LocalHost, query: str, named: set[str]
) -> None:
    emulator.seed(ESTATE)

    answer = host.get(f"/api/compute/plan?{query}")

    assert answer.status == 200
    assert set(instances(answer.json())) == named


def test_a_shutdown_of_one_leaves_the_others_running(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(ESTATE)

    answer = host.post("/api/compute/shutdown", body={"instances": ["ci-ada"]})

    changed = {n for n, state in states(emulator).items() if state != "Running"}
    assert (answer.status, outcomes(answer.json())) == (200, {"ci-ada": "stopped"})
    assert changed == {"ci-ada", "ci-off", "ci-job", "ci-dead", "ci-strange"}


def test_every_decision_has_its_reason_and_a_sentence(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(ESTATE)

    report = instances(host.get("/api/compute/plan").json())

    assert {name: each["reason"] for name, each in report.items()} == {
        **dict.fromkeys(("ci-ada", "ci-dina", "ci-twin", "ci-far"), "running"),
        "ci-off": "off",
        "ci-job": "job_running",
        "ci-dead": "dead_end",
        "ci-strange": "state_unknown",
        "ci-tagged": "tagged_never",
        "ci-kept": "tagged_never",
    }
    assert all(each["reason_text"].endswith(".") for each in report.values())
