"""The control plane: state, seeds, reset, and what it refuses."""

from typing import Any

import pytest

from azure_emulator.monitor import INSTRUMENTATION_KEY
from tests.azure_emulator.conftest import WORKSPACE, Arm, estate
from tests.support.emulator import EmulatorError, EmulatorProcess
from tests.support.wire import vault_secret


def test_the_state_has_the_truth_about_every_compute(arm: Arm) -> None:
    tags = {"shutdown": "never"}
    arm.emulator.seed(estate({"name": "ci-ada", "tags": tags}, forbidden=True))

    state = arm.emulator.state()

    (compute,) = state["computes"]
    assert compute["id"] == f"{WORKSPACE}/computes/ci-ada"
    assert (compute["computeType"], compute["state"]) == ("ComputeInstance", "Running")
    assert (compute["tags"], compute["stop_requests"]) == (tags, 0)
    assert compute["lastOperation"]["operationName"] == "Start"
    assert [change["by"] for change in compute["history"]] == ["seed"]
    assert [w["id"] for w in state["workspaces"] if w["forbidden"]] == [WORKSPACE]


def test_a_reset_brings_back_the_seed_of_the_start_and_forgets_the_rest(arm: Arm) -> None:
    at_start = [compute["id"] for compute in arm.emulator.state()["computes"]]
    arm.emulator.seed(estate({"name": "ci-ada"}))
    arm.stop("ci-ada")
    arm.emulator.fault("/x", status=500)
    arm.emulator.wire.send_json(
        "POST", "/v2.1/track", [{"name": "n", "time": "t", "iKey": INSTRUMENTATION_KEY}]
    )

    arm.emulator.reset()

    assert [compute["id"] for compute in arm.emulator.state()["computes"]] == at_start
    assert arm.emulator.state()["buckets"] == []
    assert arm.emulator.requests() == []
    assert arm.emulator.faults() == []
    assert arm.emulator.telemetry() == []


def test_a_token_survives_a_reset(arm: Arm) -> None:
    arm.emulator.reset()

    assert arm.get("/subscriptions").status == 200


def test_requests_are_numbered_on_over_a_reset(arm: Arm) -> None:
    arm.get("/subscriptions")
    before = arm.emulator.requests()[-1]["seq"]
    arm.emulator.reset()

    arm.get("/subscriptions")
    arm.get("/tenants")

    assert [r["path"] for r in arm.emulator.requests(after=before)] == [
        "/subscriptions",
        "/tenants",
    ]
    assert [r["path"] for r in arm.emulator.requests(after=before + 1)] == ["/tenants"]


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"version": 2}, "version"),
        ({"subscription": []}, "subscription"),
        ({"subscriptions": [{"id": "not a guid"}]}, "subscriptions.0.id"),
        (estate({"name": "ci-ada", "state": "Sleeping"}), "computes.0.state"),
        (estate({"name": "ci-ada", "behaviour": {"explodes": True}}), "behaviour.explodes"),
        (estate({"name": "ci-ada"}, {"name": "CI-ADA"}), "more than one compute"),
        ({"service_principal": {"credential": "password"}}, "service_principal.credential"),
        ({"service_principal": {"colour": "red"}}, "service_principal.colour"),
    ],
)
def test_a_seed_that_makes_no_sense_is_refused_by_name(
    emulator: EmulatorProcess, document: dict[str, Any], names: str
) -> None:
    with pytest.raises(EmulatorError, match=names):
        emulator.seed(document)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_seed_that_is_no_document_is_refused(emulator: EmulatorProcess, body: bytes) -> None:
    assert emulator.wire.send("POST", "/_emulator/seed", body=body).status == 400


def test_the_seed_says_how_the_service_principal_stands(arm: Arm) -> None:
    arm.emulator.seed(
        {"service_principal": {"credential": "certificate_pem", "expires_in_days": 10}}
    )

    pem = vault_secret(arm.emulator.wire, "aml-ops-client-certificate")

    assert pem.count("-----BEGIN") == 2


def test_the_seed_says_who_may_read_the_vault(arm: Arm) -> None:
    arm.emulator.seed({"access": {"vault_readers": []}})

    with pytest.raises(KeyError):
        vault_secret(arm.emulator.wire, "aml-ops-client-id")


def test_an_unknown_control_is_named(emulator: EmulatorProcess) -> None:
    reply = emulator.wire.get("/_emulator/nothing")

    assert reply.status == 501
    assert "/_emulator/nothing" in reply.json()["error"]["message"]


def test_the_control_plane_keeps_out_of_the_log(emulator: EmulatorProcess) -> None:
    emulator.state()

    assert emulator.requests() == []
