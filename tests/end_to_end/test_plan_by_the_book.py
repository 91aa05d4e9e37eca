"""A plan decides as a tick does, now or at any moment, and audits Azure's own guard rails."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.end_to_end.estate import a_workspace, an_estate, an_instance, instance_id
from tests.end_to_end.observed import instances, requests_that_change
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

OFFICE_HOURS = {"uptime": "Mon-Fri 08:00-18:00 UTC"}
TAGGED = an_estate(a_workspace("mlw-churn", {**an_instance("ci-ada"), "tags": OFFICE_HOURS}))
# The 5th of March 2031 is a Wednesday.
MOMENTS = {
    "at noon": ("2031-03-05T12:00:00Z", "in_window"),
    "as the window opens": ("2031-03-05T08:00:00Z", "in_window"),
    "just before it opens": ("2031-03-05T07:59:59Z", "running"),
    "just before it closes": ("2031-03-05T17:59:59Z", "in_window"),
    "as it closes": ("2031-03-05T18:00:00Z", "running"),
    "within it, told in another zone": ("2031-03-05T19:30:00+02:00", "in_window"),
    "at noon of a Saturday": ("2031-03-08T12:00:00Z", "running"),
}
ENDINGS = {"in_window": ("leave", "left"), "running": ("stop", "planned")}
NIGHTLY_START = {
    "action": "Start",
    "triggerType": "Cron",
    "cron": {"expression": "0 3 * * *", "timeZone": "UTC"},
}
RAILS = an_estate(
    a_workspace(
        "mlw-churn",
        an_instance("ci-bare"),
        {**an_instance("ci-guarded"), "idle_time_before_shutdown": "PT30M"},
        {
            **an_instance("ci-woken"),
            "idle_time_before_shutdown": "PT30M",
            "schedules": [NIGHTLY_START],
        },
    )
)


def plan(host: LocalHost, **query: str) -> dict[str, Any]:
    said = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    answer = host.get(f"/api/compute/plan?{said}")
    assert answer.status == 200, answer.body
    report: dict[str, Any] = answer.json()
    return report


@pytest.mark.parametrize(("at", "reason"), MOMENTS.values(), ids=MOMENTS.keys())
def test_a_plan_decides_for_the_moment_it_is_asked_about(
    emulator: EmulatorProcess, host: LocalHost, at: str, reason: str
) -> None:
    emulator.seed(TAGGED)

    ada = instances(plan(host, at=at))["ci-ada"]

    assert (ada["reason"], (ada["decision"], ada["outcome"])) == (reason, ENDINGS[reason])
    assert OFFICE_HOURS["uptime"] in ada["reason_text"]
    assert requests_that_change(emulator) == []


@pytest.mark.parametrize("at", ["2031-03-05T12:00:00", "noon", "", "2031-02-30T12:00:00Z"])
def test_a_moment_that_is_none_is_refused(
    emulator: EmulatorProcess, host: LocalHost, at: str
) -> None:
    emulator.seed(TAGGED)

    answer = host.get(f"/api/compute/plan?at={at}")

    assert (answer.status, answer.json()["field"]) == (400, "at")


def test_a_plan_names_the_guard_rails_that_are_missing_or_undo_a_stop(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(RAILS)

    found = plan(host)["guardrails"]

    assert {(each["name"], each["guardrail"]) for each in found} == {
        ("ci-bare", "idle_shutdown_missing"),
        ("ci-woken", "start_outside_window"),
    }
    assert {each["id"] for each in found} == {
        instance_id("mlw-churn", "ci-bare"),
        instance_id("mlw-churn", "ci-woken"),
    }
    assert all(each["text"].endswith(".") and each["suggestion"] for each in found)


def test_a_plan_of_some_instances_audits_only_those(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(RAILS)

    found = plan(host, instances="ci-guarded,ci-woken")["guardrails"]

    assert [each["name"] for each in found] == ["ci-woken"]


def test_a_plan_that_finds_nothing_wrong_says_so(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    emulator.seed(RAILS)

    assert plan(host, instances="ci-guarded")["guardrails"] == []


def test_a_shutdowns_report_has_no_guard_rails(emulator: EmulatorProcess, host: LocalHost) -> None:
    emulator.seed(RAILS)

    report = host.post("/api/compute/shutdown").json()

    assert report["result"] == "succeeded"
    assert "guardrails" not in report
