"""A machine that the lists of its workspace no longer show is gone only once Azure says so."""

import pytest

from tests.end_to_end.estate import a_workspace, an_estate, an_instance
from tests.end_to_end.observed import arm_requests, instances, outcomes, stop_requests
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost

ESTATE = an_estate(a_workspace("mlw-churn", an_instance("ci-ada")))
LIST, ADA = "/mlw-churn/computes$", "/mlw-churn/computes/ci-ada$"
NOT_FOUND = {"error": {"code": "ResourceNotFound", "message": "It was not found."}}


def questions(emulator: EmulatorProcess) -> int:
    """How often Azure was asked about the machine itself."""
    paths = [each["path"] for each in arm_requests(emulator) if each["method"] == "GET"]
    return sum(path.endswith("/ci-ada") for path in paths)


@pytest.fixture
def omitting(emulator: EmulatorProcess) -> EmulatorProcess:
    """Four lists in a row, after the first, show nothing."""
    emulator.seed(ESTATE)
    emulator.fault(LIST, method="GET", skip=1, times=4, status=200, body={"value": []})
    return emulator


def test_a_machine_that_lists_omit_for_a_while_is_followed_to_its_end(
    omitting: EmulatorProcess, host: LocalHost
) -> None:
    answer = host.post("/api/compute/shutdown", body={"deadline_seconds": 60})

    assert (answer.status, outcomes(answer.json())) == (200, {"ci-ada": "stopped"})
    assert stop_requests(omitting) == ["ci-ada"]
    assert questions(omitting) >= 1


def test_a_machine_that_azure_does_not_find_any_more_was_deleted(
    omitting: EmulatorProcess, host: LocalHost
) -> None:
    omitting.fault(ADA, method="GET", times=None, status=404, body=NOT_FOUND)

    answer = host.post("/api/compute/shutdown", body={"deadline_seconds": 60})

    (ada,) = instances(answer.json()).values()
    assert (answer.status, ada["outcome"], ada["state_after"]) == (200, "left", None)
    assert "deleted" in ada["detail"]
    assert questions(omitting) == 1
