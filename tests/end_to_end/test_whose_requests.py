"""Everything at Resource Manager is done by the service principal; the app's own identity may not."""

import pytest

from tests.end_to_end.observed import arm_requests
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost
from tests.support.wire import managed_identity_token

MANAGEMENT = "https://management.azure.com"


def test_every_request_of_a_night_carries_the_service_principals_object_id(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    (application,) = emulator.wire.get("/_emulator/entra").json()["applications"]

    host.fire_timer("shutdown_timer")

    principals = [each["principal"] for each in arm_requests(emulator)]
    assert len(principals) > 20
    assert set(principals) == {application["object_id"]}


def test_no_request_of_a_night_is_refused_or_throttled(
    emulator: EmulatorProcess, host: LocalHost
) -> None:
    host.fire_timer("shutdown_timer")

    statuses = {each["status"] for each in arm_requests(emulator)}
    assert statuses == {200, 202}


@pytest.mark.parametrize("method", ["GET", "POST"], ids=["reading", "stopping"])
def test_the_managed_identity_is_refused(emulator: EmulatorProcess, method: str) -> None:
    machine = next(c["id"] for c in emulator.state()["computes"] if c["state"] == "Running")
    path = machine if method == "GET" else f"{machine}/stop"

    answer = emulator.arm(method, path, token=managed_identity_token(emulator.wire, MANAGEMENT))

    assert answer.status == 403
    assert answer.json()["error"]["code"] == "AuthorizationFailed"
