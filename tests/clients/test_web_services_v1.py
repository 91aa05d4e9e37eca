"""azureml-core behind a wall: when it is loaded, what of its errors is told, how it signs in."""

import json
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import requests

from shared.clients.azureml_error import translated
from shared.clients.web_services_v1 import WebServicesV1Client
from shared.errors import AzureRequestError, CredentialError
from tests.support.arm_session import FixedToken, now, within
from tests.support.builders import a_workspace
from tests.support.emulator import REPOSITORY

WORKSPACE = a_workspace().id
ID = f"{WORKSPACE}/services/weight"
IMPORTING = """
import json, sys
import shared.clients.web_services_v1, shared.scoring.azure
print(json.dumps(sorted(name for name in sys.modules if name.startswith("azureml"))))
"""
# As WebserviceException words it, but for the key.
QUOTING = (
    "Received bad response from Model Management Service:\nResponse Code: 502\n"
    "Headers: {'x-key': 'secret-in-a-header'}\n"
    'Content: b\'{"code":"BadGateway","message":"secret-in-the-body"}\''
)


def test_importing_the_client_does_not_load_the_sdk() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", IMPORTING],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert [name for name in json.loads(shown) if name != "azureml"] == []


def test_an_error_tells_status_and_code_and_quotes_nothing() -> None:
    told = translated(RuntimeError(QUOTING), about=ID)

    assert isinstance(told, AzureRequestError)
    assert (told.status, told.code, told.retryable) == (502, "BadGateway", True)
    assert "secret" not in str(told)
    assert ID in str(told)


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def http_error(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError("for url: https://host?code=secret", response=response)


@pytest.mark.parametrize(
    ("error", "status", "retryable"),
    [
        (caused(RuntimeError("no"), http_error(403)), 403, False),
        (caused(RuntimeError("no"), http_error(503)), 503, True),
        (RuntimeError("WebserviceNotFound: Webservice with name x not found"), 404, False),
        (RuntimeError("Operation returned an invalid status code 'Forbidden'."), 403, False),
        (requests.ConnectionError("https://host?code=secret"), None, True),
        (KeyError("computeType"), None, False),
    ],
    ids=["403", "503", "not found", "forbidden", "no connection", "its own mistake"],
)
def test_what_stands_behind_an_error_counts(
    error: Exception, status: int | None, *, retryable: bool
) -> None:
    told = translated(error, about=ID)

    assert isinstance(told, AzureRequestError)
    assert (told.status, told.retryable) == (status, retryable)
    assert "secret" not in str(told)


def test_a_sign_in_that_failed_stays_one() -> None:
    failed = CredentialError("the vault is locked")

    assert translated(caused(RuntimeError("no"), failed), about=ID) is failed


def test_errors_in_a_circle_come_to_an_end() -> None:
    first, second = RuntimeError("one"), RuntimeError("two")
    caused(first, second)
    caused(second, first)

    assert str(translated(first, about=ID)).endswith("RuntimeError")


class Untouched(ThreadPoolExecutor):
    """Threads that nothing may be given to."""

    def submit(self, *_arguments: Any, **_named: Any) -> Future[Any]:
        raise AssertionError("the SDK was asked")


@pytest.mark.parametrize("resource_id", [f"{WORKSPACE}/onlineEndpoints/x", WORKSPACE, "weight"])
async def test_no_other_id_reaches_the_sdk(resource_id: str) -> None:
    client = WebServicesV1Client(FixedToken("t"), threads=Untouched(), now=now)
    for ask in (client.get_service, client.get_key, client.get_token):
        with pytest.raises(AzureRequestError):
            await ask(resource_id, deadline=within(10))

    listed = await client.list_services(f"{WORKSPACE}/services/x", deadline=within(10))
    assert not listed.listed


async def test_after_the_deadline_the_sdk_is_not_asked() -> None:
    client = WebServicesV1Client(FixedToken("t"), threads=Untouched(), now=now)

    with pytest.raises(AzureRequestError) as raised:
        await client.get_key(ID, deadline=within(-1))

    assert raised.value.retryable
