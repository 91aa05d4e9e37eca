"""Telling operators in time that the service principal's credential expires."""

from datetime import timedelta
from typing import Any

import pytest

from shared.telemetry import Event
from tests.support.worker import Worker

EXPIRIES = {
    "a secret's exp": ({}, "secret"),
    "a certificate's notAfter": ({"credential": "certificate_pem"}, "certificate"),
    "a bundle's notAfter": ({"credential": "certificate_pkcs12"}, "certificate"),
}


@pytest.mark.parametrize(("how", "kind"), EXPIRIES.values(), ids=EXPIRIES.keys())
async def test_expiry_within_thirty_days_is_told_once_a_day(
    worker: Worker, how: dict[str, Any], kind: str
) -> None:
    worker.rotate(expires_in_days=20.5, **how)

    await worker.sign_in()
    # Not by an hour that passes: the day may end in it.
    worker.cache.tokens.clear()
    await worker.sign_in()
    same_day = len(worker.telemetry.named(Event.CREDENTIAL_EXPIRING))
    worker.now += timedelta(days=1)
    await worker.sign_in()

    told = worker.telemetry.named(Event.CREDENTIAL_EXPIRING)
    assert same_day == 1
    assert [each["days_left"] for each in told] == [20, 19]
    assert {each["kind"] for each in told} == {kind}
    assert str(told[0]["expires_at"]).endswith("Z")


async def test_a_credential_rotated_meanwhile_is_no_longer_told_to_expire(worker: Worker) -> None:
    worker.rotate(expires_in_days=20)
    await worker.sign_in()
    worker.rotate(expires_in_days=400, revoke=False)
    worker.now += timedelta(days=1)

    await worker.sign_in()

    assert len(worker.telemetry.named(Event.CREDENTIAL_EXPIRING)) == 1
    assert len(worker.telemetry.named(Event.CREDENTIAL_REFRESHED)) == 1


async def test_a_later_expiry_is_not_told(worker: Worker) -> None:
    worker.rotate(expires_in_days=31)

    await worker.sign_in()

    assert worker.telemetry.events == []


async def test_an_unknown_expiry_is_said_once(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    worker.rotate(expires_in_days=None)

    await worker.sign_in()
    worker.now += timedelta(hours=1)
    await worker.sign_in()

    said = [record for record in caplog.records if "expiry" in record.message]
    assert len(said) == 1
    assert worker.telemetry.events == []
