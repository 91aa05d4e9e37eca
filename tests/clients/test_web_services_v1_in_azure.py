"""Web services of an emulated Azure through azureml-core, signed in as the app signs in."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.clients.azureml_threads import SdkThreads
from shared.clients.web_services_v1 import WebServicesV1Client
from shared.errors import AzureRequestError
from shared.scoring.azure import SignIn
from tests.support.arm_session import now, within
from tests.support.builders import SUBSCRIPTION, a_workspace
from tests.support.worker import Worker

# azureml-core warns of its own end, and of much that it imports.
pytestmark = pytest.mark.filterwarnings("ignore")
WORKSPACE = a_workspace().id
ID = f"{WORKSPACE}/services/weight"
ON_AKS = {"compute_type": "AKS", "auth_enabled": False, "token_auth_enabled": True}
READER = {"service_principal": [{"actions": ["*/workspaces/read", "*/services/read"]}]}
SECONDS = 30


@pytest.fixture
def azure(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """The app's own worker; azureml-core finds the emulator through the env file's entries."""
    for name, value in worker.emulator.env.items():
        monkeypatch.setenv(name, value)
    return worker


@asynccontextmanager
async def client_at(
    azure: Worker, *services: dict[str, Any], **seed: Any
) -> AsyncIterator[WebServicesV1Client]:
    workspaces = [{"name": "mlw-churn", "services": [{"name": "weight", **s} for s in services]}]
    subscriptions = [{"id": SUBSCRIPTION, "workspaces": workspaces}]
    azure.emulator.seed({"subscriptions": subscriptions, **seed})
    async with azure.run() as credential:
        yield WebServicesV1Client(credential, threads=SdkThreads(), now=now)


async def test_the_apps_service_principal_lists_services_with_all_azure_says(azure: Worker) -> None:
    seed = {
        "image": "weight:4",
        "tags": {"team": "growth"},
        "properties": {"redeploy_id": "1"},
        "created_at": "2024-12-03T09:08:05Z",
        "auth_enabled": False,
    }

    async with client_at(azure, seed) as client:
        (found,) = (await client.list_services(WORKSPACE, deadline=within(SECONDS))).services

    assert (found.id, found.name, found.runs_on) == (ID, "weight", "ACI")
    assert (found.sign_in, found.state, found.image) == (SignIn.NONE, "Healthy", "weight:4")
    assert (found.tags, found.properties) == ({"team": "growth"}, {"redeploy_id": "1"})
    assert found.created_at is not None
    assert found.created_at.isoformat() == "2024-12-03T09:08:05+00:00"
    assert azure.asked_entra() == 1


async def test_services_are_asked_side_by_side_with_one_sign_in(azure: Worker) -> None:
    async with client_at(azure, {}) as client:
        asked = (client.get_key(ID, deadline=within(SECONDS)) for _ in range(6))
        keys = await asyncio.gather(*asked)

    assert len({key.value for key in keys}) == 1
    assert azure.asked_entra() == 1


async def test_a_call_that_hangs_is_left_and_keeps_no_other_waiting(azure: Worker) -> None:
    async with client_at(azure, {}) as client:
        await client.get_key(ID, deadline=within(SECONDS))
        # The SDK would wait for ever; a busy machine must not take the good calls for hung ones.
        azure.emulator.fault("/listkeys$", hang_seconds=20, times=4)
        late = await asyncio.gather(
            *(client.get_key(ID, deadline=within(3)) for _ in range(4)), return_exceptions=True
        )
        key = await client.get_key(ID, deadline=within(SECONDS))

    assert [str(each)[-15:] for each in late] == ["by the deadline"] * 4
    assert key.value


async def test_keys_that_are_refused_are_an_error_with_the_status(azure: Worker) -> None:
    async with client_at(azure, {}, access=READER) as client:
        with pytest.raises(AzureRequestError) as raised:
            await client.get_key(ID, deadline=within(SECONDS))

    assert (raised.value.status, raised.value.retryable) == (403, False)


async def test_an_answer_that_cannot_be_read_is_an_outcome(azure: Worker) -> None:
    async with client_at(azure, {}) as client:
        azure.emulator.fault("/services$", malformed_json=True)
        found = await client.list_services(WORKSPACE, deadline=within(SECONDS))

    assert not found.listed
    assert "JSONDecodeError" in found.problem


async def test_a_service_that_the_sdk_cannot_read_is_an_outcome(azure: Worker) -> None:
    async with client_at(azure) as client:
        strange = {"value": [{"computeType": "ACI", "name": "weight", "kvTags": {"k": "a secret"}}]}
        azure.emulator.fault("/services$", status=200, body=strange)
        found = await client.list_services(WORKSPACE, deadline=within(SECONDS))

    assert "WebserviceException" in found.problem
    assert "a secret" not in found.problem


async def test_no_token_reaches_a_log_or_an_error(
    azure: Worker, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    incomplete = {"accessToken": "a-token-of-the-service", "tokenType": "Bearer"}
    async with client_at(azure, ON_AKS) as client:
        azure.emulator.fault("/services/weight/token$", status=201, body=incomplete)
        with pytest.raises(AzureRequestError) as raised:
            await client.get_token(ID, deadline=within(SECONDS))

    assert "WebserviceException" in str(raised.value)
    assert raised.value.__context__ is None
    written = capfd.readouterr()
    for text in (caplog.text, str(raised.value), written.out, written.err):
        assert "a-token-of-the-service" not in text


async def test_a_service_of_an_unknown_kind_is_listed_nevertheless(azure: Worker) -> None:
    async with client_at(azure, {}) as client:
        listed = azure.emulator.arm(
            "GET",
            f"/modelmanagement/v1.0{WORKSPACE}/services/weight",
            token=azure.emulator.arm_token(),
        ).json()
        azure.emulator.fault(
            "/services$", status=200, body={"value": [listed | {"computeType": "MIR"}]}
        )
        found = await client.list_services(WORKSPACE, deadline=within(SECONDS))

    assert [(each.name, each.runs_on) for each in found.services] == [("weight", "MIR")]
