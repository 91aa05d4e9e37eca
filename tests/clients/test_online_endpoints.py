"""Reading online endpoints, in which every inner property can be null, missing or something else."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.clients.arm_answer import ArmAnswer
from shared.clients.online_endpoints import OnlineEndpointsClient
from shared.errors import AzureRequestError, CredentialError
from shared.scoring.azure import FoundService, SignIn
from tests.support.arm_session import HANGS, ArmSession, FixedToken, now, trust, within
from tests.support.builders import NIGHT, SUBSCRIPTION, a_workspace
from tests.support.emulator import EmulatorProcess
from tests.support.virtual_time import run_virtually

WORKSPACE = a_workspace().id
ID = f"{WORKSPACE}/onlineEndpoints/weight"


class Listed:
    """An ARM that lists these items, and answers each POST with this body."""

    def __init__(self, items: Sequence[dict[str, Any]] = (), **body: Any) -> None:
        self._items, self._body = items, body

    async def list(self, _path: str, *, deadline: datetime) -> Sequence[dict[str, Any]]:
        assert deadline
        return self._items

    async def get(self, path: str, *, deadline: datetime) -> ArmAnswer:
        raise AssertionError(f"GET {path} was sent, until {deadline}")

    async def post(self, path: str, *, deadline: datetime) -> ArmAnswer:
        assert deadline
        return ArmAnswer(what=f"POST {path}", status=200, body=self._body)


def client_of(arm: Listed) -> OnlineEndpointsClient:
    return OnlineEndpointsClient(arm, credential=FixedToken("t"), now=now)  # type: ignore[arg-type]  # only these


def parsed(*items: dict[str, Any]) -> Sequence[FoundService]:
    client = client_of(Listed(items))
    return run_virtually(client.list_services(WORKSPACE, deadline=NIGHT)).services


def test_a_complete_endpoint_is_read() -> None:
    (found,) = parsed(
        {
            "id": ID,
            "name": "weight",
            "tags": {"team": "growth"},
            "systemData": {"createdAt": "2024-12-03T09:08:05.1234567+00:00"},
            "properties": {
                "authMode": "AADToken",
                "scoringUri": "https://weight.westeurope.inference.ml.azure.com/score",
                "provisioningState": "Updating",
                "properties": {"azureml.onlineendpointid": ID, "none": None},
            },
        }
    )

    assert (found.workspace_id, found.runs_on, found.state) == (WORKSPACE, "Managed", "Updating")
    assert found.sign_in is SignIn.ENTRA_TOKEN
    assert found.created_at == datetime(2024, 12, 3, 9, 8, 5, 123456, tzinfo=UTC)
    assert found.properties == {"azureml.onlineendpointid": ID, "none": ""}


@pytest.mark.parametrize("odd", [None, 5, "text", [], True, {}], ids=repr)
@pytest.mark.parametrize("name", ["properties", "tags", "systemData"])
def test_any_part_may_be_null_or_of_another_type(name: str, odd: Any) -> None:
    (found,) = parsed({"id": ID, "name": "weight", name: odd})

    assert (found.name, found.scoring_uri, found.created_at) == ("weight", "", None)


@pytest.mark.parametrize(
    "resource_id",
    ["", None, "/subscriptions/x", f"{ID}/deployments/blue", f"{WORKSPACE}/computes/ci"],
)
def test_what_has_no_id_of_an_endpoint_is_passed_over(
    resource_id: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert list(parsed({"id": resource_id, "name": "weight"})) == []
    assert "passed over" in caplog.text


@pytest.mark.parametrize("service_id", [f"{WORKSPACE}/services/weight", f"{ID}/x", "weight", ""])
async def test_no_other_id_becomes_a_request(service_id: str) -> None:
    client = client_of(Listed())
    for ask in (client.get_service, client.get_key, client.get_token):
        with pytest.raises(AzureRequestError):
            await ask(service_id, deadline=within(10))


@pytest.mark.parametrize("key", [None, "", 5, {}], ids=repr)
async def test_an_answer_without_a_key_is_an_error_that_quotes_nothing(key: Any) -> None:
    arm = Listed(primaryKey=key, secondaryKey="the-other-key")

    with pytest.raises(AzureRequestError, match="no primaryKey") as raised:
        await client_of(arm).get_key(ID, deadline=within(10))

    assert "the-other-key" not in str(raised.value)


@pytest.fixture
def entra_endpoint(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> ArmSession:
    """A session with one endpoint that asks for Entra ID's tokens."""
    trust(emulator, monkeypatch)
    endpoint = {"name": "weight", "auth_mode": "AADToken", "deployments": [{"name": "blue"}]}
    workspace = {"name": "mlw-churn", "online_endpoints": [endpoint]}
    emulator.seed({"subscriptions": [{"id": SUBSCRIPTION, "workspaces": [workspace]}]})
    return ArmSession(emulator=emulator)


async def test_an_endpoint_may_want_entras_token(entra_endpoint: ArmSession) -> None:
    emulator = entra_endpoint.emulator
    credential = FixedToken(emulator.arm_token("https://ml.azure.com"))

    async with entra_endpoint.open() as arm:
        client = OnlineEndpointsClient(arm, credential=credential, now=now)
        service = await client.get_service(ID, deadline=within(10))
        token = await client.get_token(ID, deadline=within(10))

    headers = {"Authorization": f"Bearer {token.value}"}
    reply = emulator.wire.send("POST", service.scoring_uri, body=b"{}", headers=headers)
    # It has no answer to an empty request, but it asked nobody who we are.
    assert reply.status == 400
    assert token.expires_at is not None
    assert token.expires_at > now()
    assert entra_endpoint.seen("/onlineEndpoints/", method="POST") == []


async def test_entra_id_that_hangs_is_not_waited_for(entra_endpoint: ArmSession) -> None:
    async with entra_endpoint.open() as arm:
        client = OnlineEndpointsClient(arm, credential=FixedToken(HANGS), now=now)

        with pytest.raises(CredentialError, match="by the deadline") as raised:
            await client.get_token(ID, deadline=within(1))

    assert raised.value.retryable
