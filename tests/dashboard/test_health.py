"""The health of the app itself: each need by itself, and nothing unknown is well."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.dashboard.health import broken_settings, live
from shared.dashboard.status import Severity, Status
from shared.errors import CredentialError, InvalidRequestError, SettingsError
from tests.dashboard.stage import MINUTE, TIMERS, Overview
from tests.support.builders import NIGHT


@pytest.fixture
def well() -> Overview:
    overview = Overview()
    overview.tick(*TIMERS)
    return overview


async def checks(overview: Overview) -> dict[str, tuple[str, str]]:
    found = await overview.health.look()
    return {each.name: (str(each.status), each.reason) for each in found.checks}


async def answered(overview: Overview) -> tuple[int, Any]:
    reply = await overview.health.answer({})
    return reply.status, json.loads(reply.body)


async def test_all_that_is_needed_is_looked_at_and_200_means_all_of_it(well: Overview) -> None:
    status, health = await answered(well)

    assert (status, health["status"]) == (200, "ok")
    assert [each["name"] for each in health["checks"]] == [
        *("settings", "key_vault", "tables", "queues", "poison_queues"),
        *("shutdown_timer", "scoring_timer", "redeploy_timer", "telemetry"),
    ]
    assert {each["status"] for each in health["checks"]} == {"ok"}
    assert all(each["reason"] and each["seen_at"] for each in health["checks"])


async def test_before_the_first_tick_it_is_unknown_and_503() -> None:
    status, health = await answered(Overview())

    assert (status, health["status"]) == (503, "unknown")


def miss_two_rounds(overview: Overview) -> None:
    overview.at += 12 * MINUTE
    overview.tick("shutdown_timer", "redeploy_timer")


SPOILT: dict[str, tuple[Callable[[Overview], object], str]] = {
    "key_vault": (
        lambda o: setattr(o.vault, "error", CredentialError("Key Vault secret 'x' does not exist")),
        "Key Vault secret 'x' does not exist",
    ),
    "key_vault, expired": (
        lambda o: setattr(o.vault, "expires_at", NIGHT - timedelta(days=1)),
        "The credential expired on 2026-11-19.",
    ),
    "tables": (lambda o: setattr(o.notes, "away", True), "503 ServerBusy"),
    "queues": (lambda o: setattr(o.queues, "away", True), "503 ServerBusy"),
    "poison_queues": (
        lambda o: o.queues.lengths.update({"compute-shares-poison": 3}),
        "about 3 in compute-shares-poison",
    ),
    "scoring_timer": (miss_two_rounds, "scoring_timer is overdue."),
    "shutdown_timer": (lambda o: o.tick("shutdown_timer", error="run 0199 partial"), "run 0199"),
    "telemetry": (lambda o: setattr(o, "seconds_unheard", None), "is not set, or not usable"),
    "telemetry, refused": (
        lambda o: setattr(o, "seconds_unheard", 61.0),
        "has taken nothing that this worker sent for 61 s: nobody is alerted",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
async def test_whatever_fails_is_told_by_its_own_check(well: Overview, what: str) -> None:
    spoil, said = SPOILT[what]
    spoil(well)

    found = await checks(well)

    name = what.partition(",")[0]
    assert {each for each, (status, _) in found.items() if status == "trouble"} == {name}
    assert said in found[name][1]
    assert (await answered(well))[0] == 503


async def test_with_the_tables_away_the_timers_are_unknown_and_the_queues_are_looked_at(
    well: Overview,
) -> None:
    well.notes.away = True

    found = await checks(well)

    assert {found[timer][0] for timer in TIMERS} == {"unknown"}
    assert found["queues"][0] == "ok"


async def test_without_a_storage_account_that_is_the_reason(well: Overview) -> None:
    well.stored = False

    found = await checks(well)

    assert found["tables"] == found["queues"]
    assert found["tables"][0] == "trouble"
    assert "AzureWebJobsStorage is not set" in found["tables"][1]


async def test_the_vault_is_asked_once_in_a_minute_whoever_asks(well: Overview) -> None:
    health = well.health

    await asyncio.gather(*(health.look() for _ in range(20)))
    well.at += timedelta(seconds=59)
    await well.health.look()
    assert well.vault.asked == 1
    well.at += timedelta(seconds=1)
    await well.health.look()

    assert well.vault.asked == 2


async def test_a_failure_of_the_vault_is_remembered_too_and_heals(well: Overview) -> None:
    well.vault.error = CredentialError("Key Vault answered 500", retryable=True)
    for _ in range(3):
        assert (await checks(well))["key_vault"][0] == "trouble"
    assert well.vault.asked == 1

    well.vault.error = None
    well.at += MINUTE

    assert (await checks(well))["key_vault"][0] == "ok"


async def test_an_unexpected_error_of_the_vault_is_unknown_and_quotes_nothing(
    well: Overview,
) -> None:
    well.vault.error = KeyError("the secret itself")

    found = await checks(well)

    assert found["key_vault"] == ("unknown", "an unexpected error; the log has it")
    assert found["tables"][0] == "ok"


async def test_a_credential_that_expires_soon_is_a_warning_and_health_stays_well(
    well: Overview,
) -> None:
    well.vault.expires_at = NIGHT + timedelta(days=10)

    status, _ = await answered(well)
    part = await well.health.part()

    assert status == 200
    assert [(each.severity, each.text) for each in part.troubles] == [
        (Severity.WARNING, "The service principal's credential expires on 2026-11-30.")
    ]
    assert part.status is Status.TROUBLE


async def test_in_the_summary_the_timers_of_other_parts_are_told_there_only() -> None:
    part = await Overview().health.part()

    assert part.status is Status.UNKNOWN
    assert [each.text for each in part.troubles] == ["This app's redeploy timer: not known."]


def test_broken_settings_are_named_without_their_values() -> None:
    reply = broken_settings(SettingsError(["KEY_VAULT_URL is not set"]), at=NIGHT)

    health = json.loads(reply.body)
    assert (reply.status, health["status"]) == (503, "trouble")
    assert [(each["name"], each["reason"]) for each in health["checks"]] == [
        ("settings", "KEY_VAULT_URL is not set")
    ]


def test_whoever_has_no_key_learns_only_that_the_worker_answers() -> None:
    reply = live()

    assert (reply.status, json.loads(reply.body)) == (200, {"status": "ok"})
    assert reply.headers["Cache-Control"] == "no-store"


async def test_a_typo_is_refused(well: Overview) -> None:
    with pytest.raises(InvalidRequestError):
        await well.health.answer({"verbose": "1"})
