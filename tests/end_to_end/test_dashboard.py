"""The dashboard over HTTP: a page for anybody, a summary for who has a key, whatever is down."""

from __future__ import annotations

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.conftest import StartHost
from tests.end_to_end.observed import arm_requests
from tests.support.azurite import without
from tests.support.builders import SUBSCRIPTION
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

PAGE, SUMMARY = "/api/dashboard", "/api/dashboard/summary"
TIMERS = ("shutdown_timer", "scoring_timer", "redeploy_timer")


@pytest.fixture
def host(emulator: EmulatorProcess, azurite: Azurite, start_host: StartHost) -> LocalHost:
    """A host of one's own: nothing has ticked yet."""
    return start_host(
        emulator, AzureWebJobsStorage=azurite.connection_string, SCORING_DISCOVERY="none"
    )


def test_the_page_is_for_anybody_and_the_summary_for_who_has_a_key(
    remembering_host: LocalHost,
) -> None:
    page = remembering_host.get(PAGE, key=None)
    refused = remembering_host.get(SUMMARY, key=None)
    wrong = remembering_host.get(SUMMARY, key="wrong")

    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert b"x-functions-key" in page.body
    assert (refused.status, wrong.status) == (401, 401)


def test_a_night_is_unknown_before_its_first_tick_and_known_after_it(
    host: LocalHost, emulator: EmulatorProcess
) -> None:
    before = host.get(SUMMARY).json()
    assert arm_requests(emulator) == []

    fired = {host.fire_timer(name)["status"] for name in TIMERS}
    asked_by_ticks = len(arm_requests(emulator))
    summary = host.get(SUMMARY).json()

    assert before["status"] == "unknown"
    assert fired == {"succeeded"}
    assert 0 < asked_by_ticks == len(arm_requests(emulator))
    assert summary["status"] == "ok", summary["troubles"]
    compute = summary["compute"]
    assert compute["timer"]["error"] is None
    assert compute["timer"]["ended_at"] >= compute["timer"]["began_at"]
    assert compute["last_seen"]["counts"]["stopped"] == compute["runs"][0]["counts"]["stopped"] > 0
    assert compute["last_seen"]["saved"]["currency"] == "USD"
    assert summary["scoring"]["round"]["result"] == "succeeded"


def test_a_tick_that_has_nothing_to_do_leaves_what_it_saw(host: LocalHost) -> None:
    host.fire_timer("shutdown_timer")
    before = host.get(SUMMARY).json()["compute"]

    host.fire_timer("shutdown_timer")

    after = host.get(SUMMARY).json()["compute"]
    assert after["runs"] == before["runs"]
    assert after["last_seen"]["run_id"] != before["last_seen"]["run_id"]
    assert after["last_seen"]["counts"]["stopped"] == 0
    assert after["last_seen"]["counts"]["seen"] > 0


def test_with_the_tables_away_every_part_is_unknown_and_the_page_is_there(
    emulator: EmulatorProcess, azurite: Azurite, start_host: StartHost
) -> None:
    host = start_host(emulator, AzureWebJobsStorage=without(azurite, "Table"))

    answer = host.get(SUMMARY)

    summary = answer.json()
    assert answer.status == 200
    assert (summary["status"], summary["app"]["status"]) == ("trouble", "trouble")
    for part in ("compute", "scoring", "redeploys"):
        assert summary[part]["status"] == "unknown"
        assert "no answer" in summary[part]["error"]
    assert [each["text"] for each in summary["troubles"]] == [
        "This app's tables: not as needed.",
        "Nothing is known of compute.",
        "Nothing is known of scoring services.",
        "Nothing is known of redeploys.",
        "This app's redeploy timer: not known.",
    ]
    assert host.get(PAGE, key=None).status == 200


def test_markup_in_what_users_wrote_is_told_as_text(
    emulator: EmulatorProcess, azurite: Azurite, start_host: StartHost
) -> None:
    markup = "<img src=x onerror=alert(1)>"
    machine = {"name": "ci-ada", "state": "Running", "tags": {"uptime": markup}}
    home = {"name": "mlw-churn", "computes": [machine]}
    emulator.seed({"subscriptions": [{"id": SUBSCRIPTION, "workspaces": [home]}]})
    host = start_host(emulator, AzureWebJobsStorage=azurite.connection_string)

    host.fire_timer("shutdown_timer")

    answer = host.get(SUMMARY)
    assert answer.headers["content-type"] == "application/json"
    (left,) = answer.json()["compute"]["last_seen"]["still_on"]
    assert markup in left["reason_text"]


def test_health_is_503_before_the_first_ticks_and_200_after_them(
    host: LocalHost, emulator: EmulatorProcess
) -> None:
    for name in TIMERS:
        assert host.fire_timer(name)["status"] == "succeeded"

    answer = host.get("/api/health")

    health = answer.json()
    assert answer.status == 200, health["checks"]
    assert {each["name"]: each["status"] for each in health["checks"]}["key_vault"] == "ok"
    asked = [each for each in emulator.requests() if each["path"].startswith("/secrets/")]
    host.get("/api/health")
    assert [e for e in emulator.requests() if e["path"].startswith("/secrets/")] == asked


def test_health_needs_a_key_and_says_what_is_wrong_though_nothing_is_configured(
    start_host: StartHost, emulator: EmulatorProcess
) -> None:
    host = start_host(emulator, AzureWebJobsStorage="", KEY_VAULT_URL="")

    answer = host.get("/api/health")

    assert host.get("/api/health", key=None).status == 401
    assert answer.status == 503
    assert answer.json()["checks"][0]["reason"] == "KEY_VAULT_URL is not set"
    live = host.get("/api/health/live", key=None)
    assert (live.status, live.json()) == (200, {"status": "ok"})
