"""Faults on demand, at every service."""

import http.client
import json
import time
from typing import Any

import pytest

from tests.azure_emulator.conftest import WORKSPACE, Arm, estate, eventually, left_waiting
from tests.conftest import StartEmulator
from tests.support.emulator import ARM_VERSION, EmulatorError
from tests.support.wire import vault_secret

CUT = (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionResetError)


def test_the_next_calls_that_match_get_the_fault_and_then_no_more(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))
    fault = arm.emulator.fault(
        "/computes$",
        skip=1,
        times=2,
        status=429,
        headers={"Retry-After": "372"},
        body={"error": {"code": "TooManyRequests"}},
    )

    replies = [arm.get(f"{WORKSPACE}/computes") for _ in range(4)]

    assert [reply.status for reply in replies] == [200, 429, 429, 200]
    assert replies[1].headers["retry-after"] == "372"
    assert replies[1].json() == {"error": {"code": "TooManyRequests"}}
    assert [found["hits"] for found in arm.emulator.faults()] == [2]
    records = [r for r in arm.emulator.requests() if r["path"].endswith("/computes")]
    assert [r["fault"] for r in records] == [None, fault, fault, None]
    assert not any(r["throttled"] for r in records)
    assert {r["principal"] for r in records} == {"5e2f80b4-7c19-4d6a-b3e5-1f9a6c82d047"}


def test_a_fault_without_end_is_shown_as_such(arm: Arm) -> None:
    arm.emulator.fault("/none$", times=None, status=503)

    assert [found["times"] for found in arm.emulator.faults()] == [None]


def test_a_fault_may_stand_until_it_is_cleared(arm: Arm) -> None:
    arm.emulator.seed(estate())
    arm.emulator.fault("/COMPUTES", method="get", times=None, status=503)

    first = [arm.get(f"{WORKSPACE}/computes").status for _ in range(3)]
    arm.emulator.clear_faults()

    assert first == [503, 503, 503]
    assert arm.get(f"{WORKSPACE}/computes").status == 200


def test_a_cut_before_the_effect_stops_nothing(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))
    arm.emulator.fault("/stop$", cut="before_effect")

    with pytest.raises(CUT):
        arm.stop("ci-ada")

    assert arm.history("ci-ada") == ["Running"]
    assert arm.emulator.requests()[-1]["status"] is None


def test_a_cut_after_the_effect_stops_the_machine_all_the_same(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada", "behaviour": {"never_stops": True}}))
    arm.emulator.fault("/stop$", cut="after_effect")

    with pytest.raises(CUT):
        arm.stop("ci-ada")

    assert arm.history("ci-ada") == ["Running", "Stopping"]


@pytest.mark.parametrize("path", [WORKSPACE, f"{WORKSPACE}/computes/ci-ada/stop"])
def test_a_cut_amid_the_body_leaves_it_unfinished(arm: Arm, path: str) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))
    arm.emulator.fault("mlw-test", cut="mid_body")
    call = arm.post if path.endswith("stop") else arm.get

    with pytest.raises(CUT):
        call(path)


def test_json_may_be_malformed(arm: Arm) -> None:
    arm.emulator.seed(estate())
    arm.emulator.fault("/computes$", malformed_json=True)

    reply = arm.get(f"{WORKSPACE}/computes")

    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        reply.json()


def test_a_hang_delays_the_answer(arm: Arm) -> None:
    arm.emulator.seed(estate())
    arm.emulator.fault("/computes$", hang_seconds=0.4)
    began = time.monotonic()

    status = arm.get(f"{WORKSPACE}/computes").status

    assert (status, time.monotonic() - began >= 0.4) == (200, True)


def test_faults_strike_the_vault_and_entra_and_ingestion(arm: Arm) -> None:
    emulator = arm.emulator
    emulator.fault("/secrets/aml-ops-client-id", status=503)
    emulator.fault("/oauth2/v2.0/token", status=500)
    emulator.fault("/v2.1/track", method="POST", status=206)

    vault = emulator.wire.get("/secrets/aml-ops-client-id?api-version=7.4")
    entra = emulator.wire.post_form(f"/{emulator.env['AZURE_TENANT_ID']}/oauth2/v2.0/token", {})
    ingestion = emulator.wire.send_json("POST", "/v2.1/track", [])

    assert [vault.status, entra.status, ingestion.status] == [503, 500, 206]
    assert vault_secret(emulator.wire, "aml-ops-client-id")


def test_a_token_request_cut_amid_its_answer_has_been_read_whole(arm: Arm) -> None:
    arm.emulator.fault("/secrets/aml-ops-client-id", cut="mid_body")

    with pytest.raises(CUT):
        arm.emulator.wire.get("/secrets/aml-ops-client-id?api-version=7.4")


@pytest.mark.parametrize(
    "effect",
    [
        {},
        {"status": 500, "hang_seconds": 1},
        {"cut": "later"},
        {"status": 99},
        {"status": 500, "headers": {"a b": "c"}},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(arm: Arm, effect: dict[str, Any]) -> None:
    with pytest.raises(EmulatorError, match="400"):
        arm.emulator.fault("/x", **effect)


def test_a_caller_that_leaves_during_a_hang_has_caused_nothing(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))
    arm.emulator.fault("/stop$", hang_seconds=2)
    path = f"{WORKSPACE}/computes/ci-ada/stop?api-version={ARM_VERSION}"
    connection = left_waiting(arm.emulator, "POST", path, token=arm.token)
    over = time.monotonic() + 2.2

    connection.close()
    eventually(lambda: time.monotonic() > over)

    assert arm.emulator.requests()[-1]["status"] is None
    assert arm.history("ci-ada") == ["Running"]


def test_cuts_leave_no_trace_in_the_emulators_own_log(start_emulator: StartEmulator) -> None:
    emulator = start_emulator()
    for moment in ("before_effect", "after_effect", "mid_body"):
        emulator.fault("/secrets", cut=moment)
        with pytest.raises(CUT):
            emulator.wire.get("/secrets?api-version=7.4")

    assert (emulator.stop(), emulator.log) == (0, "")
