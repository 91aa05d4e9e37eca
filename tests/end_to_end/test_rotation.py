"""A rotated credential heals without a restart; a broken one leaves nothing looking green."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.end_to_end.conftest import StartHost
from tests.end_to_end.estate import a_workspace, an_estate, an_instance
from tests.end_to_end.observed import arm_requests, events, states, stop_requests
from tests.support.emulator import EmulatorProcess

# A token lives so shortly that every run signs in anew.
ESTATE = an_estate(
    a_workspace("mlw-churn", an_instance("ci-ada"), an_instance("ci-bob")),
    token_lifetime_seconds=60,
)
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "is wrong": ({"condition": "wrong"}, "aml-ops-client-secret"),
    "is disabled in the vault": ({"condition": "disabled"}, "aml-ops-client-secret"),
    "is an unknown certificate": (
        {"condition": "wrong", "credential": "certificate_pem"},
        "aml-ops-client-certificate",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Away:
    """What is away, how long the run may take, and what the operator reads."""

    path: str
    effect: dict[str, Any]
    deadline_seconds: int
    named: str


AWAY = {
    "the vault": Away(
        path="^/secrets/",
        effect={"cut": "before_effect"},
        deadline_seconds=20,
        named="Key Vault secret 'aml-ops-tenant-id'",
    ),
    "an Entra ID that hangs": Away(
        path="oauth2",
        effect={"hang_seconds": 60},
        deadline_seconds=1,
        named="Key Vault or Entra ID gave no token by the deadline",
    ),
}


@pytest.mark.parametrize("credential", ["secret", "certificate_pem"])
def test_a_rotated_credential_heals_in_the_next_run(
    emulator: EmulatorProcess, start_host: StartHost, credential: str
) -> None:
    emulator.seed(ESTATE)
    host = start_host(emulator)
    before = host.post("/api/compute/shutdown", body={"instances": ["ci-ada"]})

    rotate(emulator, credential=credential)
    after = host.fire_timer("shutdown_timer")

    (refreshed,) = events(emulator, "credential.refreshed")
    assert (before.status, after["status"]) == (200, "succeeded")
    assert states(emulator) == {"ci-ada": "Stopped", "ci-bob": "Stopped"}
    assert refreshed["kind"] == credential.partition("_")[0]


@pytest.mark.parametrize(("how", "named"), BROKEN.values(), ids=BROKEN.keys())
def test_nothing_looks_green_when_the_credential(
    emulator: EmulatorProcess, start_host: StartHost, how: dict[str, Any], named: str
) -> None:
    emulator.seed(ESTATE)
    rotate(emulator, **how)
    host = start_host(emulator)

    status = host.fire_timer("shutdown_timer")
    answer = host.post("/api/compute/shutdown")

    problem = answer.json()
    assert status["status"] == "failed"
    assert f"Key Vault secret '{named}'" in status["error"]
    assert (answer.status, answer.headers["content-type"]) == (502, "application/problem+json")
    assert named in problem["detail"]
    assert problem["run_id"] in finished_as_failed(emulator)
    assert arm_requests(emulator) == []


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY.keys())
def test_a_run_fails_by_its_name_and_the_next_one_heals_after(
    emulator: EmulatorProcess, start_host: StartHost, away: Away
) -> None:
    emulator.seed(ESTATE)
    emulator.fault(away.path, times=None, **away.effect)
    host = start_host(emulator)

    answer = host.post("/api/compute/shutdown", body={"deadline_seconds": away.deadline_seconds})
    failed_run_ids = finished_as_failed(emulator)
    emulator.clear_faults()
    healed = host.fire_timer("shutdown_timer")

    problem = answer.json()
    assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
    assert away.named in problem["detail"]
    assert failed_run_ids == [problem["run_id"]]
    assert (healed["status"], sorted(stop_requests(emulator))) == (
        "succeeded",
        ["ci-ada", "ci-bob"],
    )


def test_a_vault_that_forbids_is_named_and_heals_with_the_permission(
    emulator: EmulatorProcess, start_host: StartHost
) -> None:
    emulator.seed(ESTATE)
    emulator.fault("^/secrets/aml-ops-client-secret", times=None, status=403)
    host = start_host(emulator)

    failed = host.fire_timer("shutdown_timer")
    answer = host.post("/api/compute/shutdown")
    emulator.clear_faults()
    healed = host.fire_timer("shutdown_timer")

    assert "'aml-ops-client-secret': the managed identity may not read it" in failed["error"]
    assert (failed["status"], answer.status, healed["status"]) == ("failed", 502, "succeeded")


def rotate(emulator: EmulatorProcess, **how: Any) -> None:
    answer = emulator.wire.send_json("POST", "/_emulator/service-principal/rotate", how)
    assert answer.status == 201


def finished_as_failed(emulator: EmulatorProcess) -> list[str]:
    """Return the ids of the runs that were told, all of which must have failed."""
    finished = events(emulator, "compute.run.finished")
    assert [each["result"] for each in finished] == ["failed"] * len(finished)
    return [each["run_id"] for each in finished]
