"""Resource Manager, asked by hand as the service principal."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest

from azure_emulator.arm.buckets import DOCUMENTED
from tests.support.emulator import ARM_VERSION, EmulatorProcess
from tests.support.wire import Reply

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
    "/providers/Microsoft.MachineLearningServices/workspaces/mlw-test"
)


QUICK = ("--time-scale", "0.01", "--page-size", "3")
Replying = Callable[[str], EmulatorProcess]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A signed-in caller of one emulator."""

    emulator: EmulatorProcess
    token: str

    def get(self, path: str, **query: str) -> Reply:
        return self.emulator.arm("GET", path, token=self.token, **query)

    def post(self, path: str, **query: str) -> Reply:
        return self.emulator.arm("POST", path, token=self.token, **query)

    def send(
        self, method: str, path: str, body: Any, *, content_type: str = "application/json"
    ) -> Reply:
        """Send a document, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        target = path if "?" in path else f"{path}?api-version={ARM_VERSION}"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        return self.emulator.wire.send(method, target, body=content, headers=headers)

    def follow(self, url: str) -> Reply:
        """GET an absolute URL as it is: a nextLink, or where an operation is looked up."""
        return self.emulator.wire.get(url, token=self.token)

    def stop(self, name: str) -> Reply:
        return self.post(f"{WORKSPACE}/computes/{name}/stop")

    def instance(self, name: str) -> dict[str, Any]:
        """The inner properties that GET shows."""
        inner: dict[str, Any] = self.get(f"{WORKSPACE}/computes/{name}").json()["properties"][
            "properties"
        ]
        return inner

    def history(self, name: str) -> list[str | None]:
        """The states a machine went through, by the control plane."""
        return [change["state"] for change in self.emulator.computes()[name]["history"]]


@pytest.fixture(scope="session")
def replying() -> Iterator[Replying]:
    """An emulator for each way to accept a stop, shared by all tests: `replying("spec")`."""
    with ExitStack() as stack:
        yield cache(
            lambda style: stack.enter_context(
                EmulatorProcess(options=(*QUICK, "--stop-reply", style))
            )
        )


@pytest.fixture(scope="session")
def emulator_process(replying: Replying) -> EmulatorProcess:
    """The emulator behind `emulator`: here a stop takes a quarter of a second."""
    return replying("recorded")


@pytest.fixture(scope="session")
def arm_token(emulator_process: EmulatorProcess) -> str:
    """One access token for all: they outlive seeds and resets."""
    emulator_process.reset()
    return emulator_process.arm_token()


@pytest.fixture
def arm(emulator: EmulatorProcess, arm_token: str) -> Arm:
    return Arm(emulator=emulator, token=arm_token)


@pytest.fixture
def machines(arm: Arm) -> Callable[..., Arm]:
    """Put machines into one workspace: `machines({"name": "ci-ada"}, ...)`."""

    def put(*computes: Mapping[str, Any]) -> Arm:
        arm.emulator.seed(estate(*computes))
        return arm

    return put


def estate(*computes: Mapping[str, Any], **workspace: Any) -> dict[str, Any]:
    """A seed document of one workspace."""
    contents = {"name": "mlw-test", "computes": computes, **workspace}
    return {"subscriptions": [{"id": SUBSCRIPTION, "workspaces": [contents]}]}


def left_waiting(
    emulator: EmulatorProcess, method: str, path: str, *, token: str = "", until_struck: bool = True
) -> http.client.HTTPSConnection:
    """Send a call that hangs, and return the connection; once a fault struck, if one is to do it."""
    address = urlsplit(emulator.url)
    trust = ssl.create_default_context(cafile=emulator.ca)
    connection = http.client.HTTPSConnection("127.0.0.1", address.port, context=trust)
    connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
    if until_struck:
        eventually(lambda: bool(emulator.requests()) and bool(emulator.requests()[-1]["fault"]))
    return connection


def eventually(look: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Wait until it is so; fail when it is not within the time."""
    pause = 1 / DOCUMENTED["reads"].refill_per_second  # so looks empty no bucket, however many
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(pause)
