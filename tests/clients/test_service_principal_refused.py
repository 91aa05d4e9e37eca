"""A service principal that cannot be read or is refused: who is told what, and no more is asked."""

import asyncio
import logging
import traceback
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import CredentialError
from tests.support.worker import CREDENTIAL_SECRET, SCOPE, Worker


async def test_a_wrong_secret_is_read_again_once_a_minute_and_no_more(worker: Worker) -> None:
    worker.rotate(condition="wrong")

    for _ in range(5):
        await worker.failure()
    within_the_minute = worker.asked(CREDENTIAL_SECRET)
    worker.now += timedelta(seconds=61)
    await worker.failure()

    assert within_the_minute == 2
    assert worker.asked(CREDENTIAL_SECRET) == 3


async def test_twenty_callers_refused_at_once_ask_entra_once(worker: Worker) -> None:
    worker.rotate(condition="wrong")

    async with worker.run() as credential:
        asking = (credential.get_token_info(SCOPE) for _ in range(20))
        answers = await asyncio.gather(*asking, return_exceptions=True)

    assert all(isinstance(answer, CredentialError) for answer in answers)
    assert worker.asked_entra() == 1


NOBODY = "11111111-2222-4333-8444-555555555555"
REFUSED = {
    "wrong secret": ({"condition": "wrong"}, "aml-ops-client-secret", "AADSTS7000215"),
    "expired secret": ({"condition": "expired"}, "aml-ops-client-secret", "AADSTS7000222"),
    "unknown certificate": (
        {"condition": "wrong", "credential": "certificate_pem"},
        "aml-ops-client-certificate",
        "AADSTS700027",
    ),
    "disabled secret": ({"condition": "disabled"}, "aml-ops-client-secret", "is disabled"),
    "absent credential": ({"condition": "absent"}, "aml-ops-client-secret", "does not exist"),
}


@pytest.mark.parametrize(("how", "named", "said"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_wrong_with_the_credential_names_the_vault_secret(
    worker: Worker, how: dict[str, Any], named: str, said: str
) -> None:
    worker.rotate(**how)

    error = await worker.failure()

    assert named in str(error)
    assert said in str(error)
    assert not error.retryable


IDENTIFIERS = {
    "an application that is not there": ("aml-ops-client-id", NOBODY, "AADSTS700016"),
    "a tenant that is not there": ("aml-ops-tenant-id", NOBODY, "AADSTS90002"),
    "a tenant id that is none": ("aml-ops-tenant-id", "no tenant!", "does not hold"),
}


@pytest.mark.parametrize(("name", "value", "said"), IDENTIFIERS.values(), ids=IDENTIFIERS.keys())
async def test_a_wrong_identifier_names_its_own_vault_secret(
    worker: Worker, name: str, value: str, said: str
) -> None:
    worker.store(name, value=value)

    error = await worker.failure()

    assert repr(name) in str(error)
    assert said in str(error)


async def test_a_certificate_that_is_none_names_its_vault_secret(worker: Worker) -> None:
    worker.store("aml-ops-client-certificate", value="bm90IGEgYnVuZGxl")

    error = await worker.failure()

    assert "'aml-ops-client-certificate'" in str(error)


async def test_a_missing_identifier_is_named(worker: Worker) -> None:
    worker.remove("aml-ops-tenant-id")

    error = await worker.failure()

    assert "'aml-ops-tenant-id' does not exist" in str(error)


async def test_an_identity_without_the_right_to_read_is_said(worker: Worker) -> None:
    worker.emulator.seed({"access": {"vault_readers": []}})

    error = await worker.failure()

    assert "'aml-ops-tenant-id'" in str(error)
    assert "may not read it" in str(error)
    assert not error.retryable


async def test_a_missing_managed_identity_is_said(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "not the header")

    error = await worker.failure()

    assert "managed identity" in str(error)


async def test_another_prefix_names_other_secrets(worker: Worker) -> None:
    worker.prefix = "other-team"

    error = await worker.failure()

    assert "'other-team-tenant-id' does not exist" in str(error)


@pytest.fixture
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage is told at once; the SDKs try for five seconds."""
    for module in ("service_principal", "vault_secrets"):
        monkeypatch.setattr(f"shared.clients.{module}.RETRIES", 0)


@pytest.mark.usefixtures("no_retries")
@pytest.mark.parametrize("where", ["/secrets/", "/msi/token"], ids=["vault", "identity"])
async def test_an_outage_on_the_way_to_the_vault_can_be_retried(worker: Worker, where: str) -> None:
    worker.emulator.fault(where, times=None, status=503)

    error = await worker.failure()

    assert error.retryable
    assert "'aml-ops-tenant-id'" in str(error)


async def test_a_vault_that_hangs_is_given_up(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.clients.vault_secrets.READ_SECONDS", 0.5)
    worker.emulator.fault("/secrets/", times=None, hang_seconds=30)

    error = await worker.failure()

    assert error.retryable
    assert "Key Vault did not answer" in str(error)


@pytest.mark.usefixtures("no_retries")
async def test_an_outage_holds_others_back_for_seconds_only(worker: Worker) -> None:
    worker.emulator.fault("oauth2", times=None, cut="before_effect")

    async with worker.run() as credential:
        with pytest.raises(CredentialError):
            await credential.get_token(SCOPE)
        worker.emulator.clear_faults()
        with pytest.raises(CredentialError):
            await credential.get_token(SCOPE)
        worker.now += timedelta(seconds=6)
        token = await credential.get_token(SCOPE)

    assert token.token


@pytest.mark.usefixtures("no_retries")
async def test_an_outage_of_entra_can_be_retried(worker: Worker) -> None:
    worker.emulator.fault("oauth2", times=None, cut="before_effect")

    error = await worker.failure()

    assert error.retryable
    assert worker.asked(CREDENTIAL_SECRET) == 1


@pytest.mark.parametrize("condition", ["valid", "wrong", "expired"])
@pytest.mark.parametrize("credential", ["secret", "certificate_pem", "certificate_pkcs12"])
async def test_no_secret_reaches_a_log_or_an_exception(
    worker: Worker, caplog: pytest.LogCaptureFixture, credential: str, condition: str
) -> None:
    caplog.set_level(logging.DEBUG)
    worker.rotate(credential=credential, condition=condition)

    said = [repr(worker.run())]
    try:
        token = await worker.sign_in()
    except CredentialError as error:
        token = "no token"
        said += [*traceback.format_exception(error), repr(error), *everything(error)]
    said += [caplog.text, repr(worker.cache), repr(worker.telemetry.events)]

    assert worker.cache.principal is not None
    secret = worker.cache.principal.value
    middle = secret[len(secret) // 2 :][:40]
    assert middle not in "".join(said)
    assert token not in "".join(said)


def everything(error: BaseException) -> list[str]:
    """Write all that an exception was raised from."""
    said: list[str] = []
    while (cause := error.__cause__ or error.__context__) is not None:
        said += [str(cause), repr(cause), repr(cause.args)]
        error = cause
    return said
