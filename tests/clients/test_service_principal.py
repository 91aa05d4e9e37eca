"""Signing in as the service principal that Key Vault describes, and surviving its rotation."""

import asyncio
from datetime import timedelta

import pytest

from azure_emulator.entra.directory import SERVICE_PRINCIPAL_CLIENT_ID
from shared.telemetry import Event
from tests.support.worker import CREDENTIAL_SECRET, SCOPE, Worker, claims


@pytest.mark.parametrize("credential", ["secret", "certificate_pem", "certificate_pkcs12"])
async def test_the_service_principal_signs_in_with_what_the_vault_holds(
    worker: Worker, credential: str
) -> None:
    worker.rotate(credential=credential)

    token = await worker.sign_in()

    assert claims(token)["appid"] == SERVICE_PRINCIPAL_CLIENT_ID


async def test_a_certificate_wins_over_a_secret(worker: Worker) -> None:
    worker.rotate(credential="certificate_pem", revoke=False)

    await worker.sign_in()

    assert worker.cache.principal is not None
    assert worker.cache.principal.vault_secret == "aml-ops-client-certificate"


async def test_a_disabled_certificate_gives_way_to_the_secret(worker: Worker) -> None:
    worker.rotate(credential="certificate_pem", condition="disabled", revoke=False)

    await worker.sign_in()

    assert worker.cache.principal is not None
    assert worker.cache.principal.vault_secret == "aml-ops-client-secret"


async def test_a_pem_certificate_without_a_content_type_is_recognised(worker: Worker) -> None:
    worker.rotate(credential="certificate_pem")
    worker.change("aml-ops-client-certificate", content_type=None)

    token = await worker.sign_in()

    assert claims(token)["appid"] == SERVICE_PRINCIPAL_CLIENT_ID


async def test_the_next_run_neither_reads_the_vault_nor_signs_in_again(worker: Worker) -> None:
    first = await worker.sign_in()
    asked = len(worker.emulator.requests())

    second = await worker.sign_in()

    assert second == first
    assert len(worker.emulator.requests()) == asked


async def test_a_token_near_its_end_is_replaced(worker: Worker) -> None:
    await worker.sign_in()
    worker.now += timedelta(minutes=56)

    await worker.sign_in()

    assert worker.asked_entra() == 2
    assert worker.asked(CREDENTIAL_SECRET) == 1


async def test_both_token_protocols_of_azure_core_are_served(worker: Worker) -> None:
    async with worker.run() as credential:
        older = await credential.get_token(SCOPE)
        newer = await credential.get_token_info(SCOPE)

    assert older.token == newer.token
    assert older.expires_on == newer.expires_on


async def test_a_claims_challenge_gets_a_new_token(worker: Worker) -> None:
    async with worker.run() as credential:
        await credential.get_token(SCOPE)
        await credential.get_token(SCOPE, claims='{"access_token":{}}')

    assert worker.asked_entra() == 2


async def test_a_rotated_secret_heals_with_one_read_for_twenty_callers(worker: Worker) -> None:
    await worker.sign_in()
    worker.rotate()
    worker.cache.tokens.clear()

    async with worker.run() as credential:
        tokens = await asyncio.gather(*(credential.get_token_info(SCOPE) for _ in range(20)))

    assert len({token.token for token in tokens}) == 1
    assert worker.asked(CREDENTIAL_SECRET) == 2
    assert [each["kind"] for each in worker.telemetry.named(Event.CREDENTIAL_REFRESHED)] == [
        "secret"
    ]


async def test_a_secret_replaced_by_a_certificate_heals(worker: Worker) -> None:
    await worker.sign_in()
    worker.rotate(credential="certificate_pkcs12")
    worker.now += timedelta(hours=1)

    token = await worker.sign_in()

    assert claims(token)["appid"] == SERVICE_PRINCIPAL_CLIENT_ID
    refreshed = worker.telemetry.named(Event.CREDENTIAL_REFRESHED)
    assert [each["kind"] for each in refreshed] == ["certificate"]


async def test_two_event_loops_share_what_was_read(worker: Worker) -> None:
    await worker.sign_in()

    token = await asyncio.to_thread(lambda: asyncio.run(worker.sign_in()))

    assert claims(token)["appid"] == SERVICE_PRINCIPAL_CLIENT_ID
    assert worker.asked(CREDENTIAL_SECRET) == 1


async def test_surrounding_blanks_in_the_vault_do_no_harm(worker: Worker) -> None:
    worker.store("aml-ops-client-id", value=f" {SERVICE_PRINCIPAL_CLIENT_ID}\n")

    token = await worker.sign_in()

    assert claims(token)["appid"] == SERVICE_PRINCIPAL_CLIENT_ID
