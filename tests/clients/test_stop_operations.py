"""The operation behind an accepted stop: where it is, and what it says."""

from typing import Any

import pytest

from shared.compute.azure import AnswerKind, StopAnswer
from shared.errors import AzureRequestError
from tests.support.arm_session import ArmSession, within
from tests.support.builders import NIGHT, SUBSCRIPTION, an_instance


@pytest.mark.parametrize(
    ("headers", "where", "by_status"),
    [
        ({"Azure-AsyncOperation": "https://a/1", "Location": "https://a/2"}, "https://a/1", False),
        ({"Location": "https://a/2"}, "https://a/2", True),
        ({}, "", True),
    ],
)
async def test_the_operation_is_where_azure_says(
    session: ArmSession, headers: dict[str, str], where: str, *, by_status: bool
) -> None:
    session.emulator.fault("/stop$", status=202, headers=headers)

    async with session.machine_learning() as azure:
        answer = await azure.begin_stop(an_instance(), deadline=within(10))

    assert (answer.kind, answer.operation) == (AnswerKind.ACCEPTED, where)
    assert answer.ends_by_status is by_status


ERROR = {"error": {"code": "StopFailed", "message": "No luck."}}


def an_operation(session: ArmSession, *, by_status: bool = False) -> StopAnswer:
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices"
    query = "api-version=2025-12-01&s=canary"
    url = f"{session.emulator.url}{path}/locations/westeurope/computeOperationsStatus/1?{query}"
    return StopAnswer(kind=AnswerKind.ACCEPTED, at=NIGHT, operation=url, ends_by_status=by_status)


@pytest.mark.parametrize(
    ("status", "body", "read"),
    [
        (200, {"status": "InProgress"}, "InProgress"),
        (200, {"status": "Succeeded", "percentComplete": 100.0}, "Succeeded"),
        (200, {"status": "Canceled"}, "Canceled"),
        (200, {"status": "Failed", **ERROR}, "Failed"),
        (200, None, "Succeeded"),
        (202, None, "InProgress"),
        (204, None, "Succeeded"),
    ],
)
async def test_an_operation_tells_its_state_by_body_or_by_status(
    session: ArmSession, status: int, body: Any, read: str
) -> None:
    session.emulator.fault("/computeOperationsStatus/", status=status, body=body)

    async with session.machine_learning() as azure:
        found = await azure.get_operation(an_operation(session), deadline=within(10))

    assert found.status == read
    assert found.failed is (read in {"Failed", "Canceled"})


@pytest.mark.parametrize("status", [400, 409])
async def test_an_error_is_the_end_of_an_operation_that_ends_by_its_status(
    session: ArmSession, status: int
) -> None:
    session.emulator.fault("/computeOperationsStatus/", status=status, body=ERROR)

    async with session.machine_learning() as azure:
        operation = an_operation(session, by_status=True)
        found = await azure.get_operation(operation, deadline=within(10))

    assert found.failed
    assert "StopFailed: No luck." in found.message
    assert "canary" not in found.message


@pytest.mark.parametrize(
    ("status", "by_status"), [(400, False), (409, False), (403, False), (403, True), (404, True)]
)
async def test_an_operation_that_cannot_be_read_is_an_error_and_no_failed_stop(
    session: ArmSession, status: int, *, by_status: bool
) -> None:
    session.emulator.fault("/computeOperationsStatus/", status=status, body=ERROR)

    async with session.machine_learning() as azure:
        operation = an_operation(session, by_status=by_status)
        with pytest.raises(AzureRequestError) as raised:
            await azure.get_operation(operation, deadline=within(10))

    assert "canary" not in str(raised.value)
