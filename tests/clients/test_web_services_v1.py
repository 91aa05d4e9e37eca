"""azureml-core behind a wall: when it is loaded, what of its errors is told, how it signs in."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event
from threading import enumerate as enumerate_threads
from typing import Any

import pytest
import requests

from shared.clients import azureml_sdk
from shared.clients.azureml_error import translated
from shared.clients.azureml_threads import SdkThreads
from shared.clients.web_services_v1 import WebServicesV1Client
from shared.errors import AzureRequestError, CredentialError
from tests.support.arm_session import FixedToken, now, until, within
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


class Untouched(SdkThreads):
    """Threads that nothing may be given to."""

    def start(self, work: Callable[[], Any]) -> Future[Any]:
        raise AssertionError(f"the SDK was asked: {work}")


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


async def test_calls_that_never_end_take_no_more_than_the_limit_and_give_it_back() -> None:
    threads, release, others = SdkThreads(limit=2), Event(), set(enumerate_threads())
    hung = [threads.start(release.wait) for _ in range(2)]

    with pytest.raises(AzureRequestError, match="2 calls of it have not ended") as raised:
        threads.start(int)
    release.set()
    for each in hung:
        each.result(10)
    await until(lambda: set(enumerate_threads()) <= others)

    assert raised.value.retryable
    assert threads.start(int).result(10) == 0


def test_the_end_of_the_process_waits_for_no_call() -> None:
    others, release = set(enumerate_threads()), Event()
    SdkThreads().start(release.wait)

    (waiting,) = set(enumerate_threads()) - others

    assert waiting.daemon
    release.set()


def test_an_error_in_a_call_belongs_to_whoever_waits() -> None:
    def fail() -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        SdkThreads().start(fail).result(10)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"code": "Failed", "message": "see https://logs/x?sig=secret"},
            "Failed: see https://logs/x",
        ),
        ({"code": None, "message": 5}, ""),
        ("No pods are ready.", "No pods are ready."),
        (None, ""),
        ([{"code": "Failed"}], ""),
    ],
)
def test_why_a_service_failed_is_told_without_what_may_be_secret(said: object, told: str) -> None:
    assert azureml_sdk.error_of(said) == told


def test_why_a_service_failed_is_told_shortly() -> None:
    told = azureml_sdk.error_of({"code": "Failed", "message": "log line " * 90})

    assert len(told) <= azureml_sdk.MOST_OF_AN_ERROR
    assert told.endswith(("log…", "line…"))
