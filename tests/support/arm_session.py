"""A session with the emulator's Resource Manager, signed in with a token fetched by hand."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from azure.core.credentials import AccessToken

from shared.clients.arm import Arm, ArmSettings
from shared.clients.machine_learning import MachineLearningClient
from shared.clients.pacer import Operation, Pacer
from shared.errors import CredentialError
from tests.support.emulator import ARM_VERSION, EmulatorProcess

AUDIENCE = "https://management.azure.com/.default"


# In place of a token: signing in takes for ever.
HANGS = "hangs"


@dataclass
class FixedToken:
    """A credential that always has this token, none at all, or HANGS."""

    token: str | None

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        if self.token is None:
            raise CredentialError("the vault is locked")
        if self.token == HANGS:
            await asyncio.sleep(600)
        later = datetime.now(UTC) + timedelta(hours=1)
        return AccessToken(self.token, int(later.timestamp()))

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Nothing is open."""


@dataclass
class ArmSession:
    """How tests open ARM; `answers` counts what the client was told it was told."""

    emulator: EmulatorProcess
    answers: list[tuple[Operation, bool]] = field(default_factory=list)

    @asynccontextmanager
    async def open(
        self, *, token: str | None = "", endpoint: str = "", pacer: Pacer | None = None
    ) -> AsyncIterator[Arm]:
        """`token` empty: the service principal's; None: a credential that fails."""
        settings = ArmSettings(
            endpoint=endpoint or self.emulator.url, scope=AUDIENCE, api_version=ARM_VERSION
        )
        arm = Arm(
            settings,
            credential=FixedToken(_token(self.emulator) if token == "" else token),
            pacer=pacer or Pacer(),
            now=now,
            on_answer=lambda operation, throttled: self.answers.append((operation, throttled)),
        )
        async with arm:
            yield arm

    @asynccontextmanager
    async def machine_learning(
        self, *, token: str | None = ""
    ) -> AsyncIterator[MachineLearningClient]:
        async with self.open(token=token) as arm:
            yield MachineLearningClient(arm, now=now)

    def seen(self, path_part: str, *, method: str = "GET") -> Sequence[dict[str, Any]]:
        """The requests that reached a path."""
        return [
            request
            for request in self.emulator.requests()
            if path_part in request["path"] and request["method"] == method
        ]


# A token outlives the reset between two tests of one emulator; its folder, unlike its port, is no
# other's later.
_tokens: dict[Path, str] = {}


def _token(emulator: EmulatorProcess) -> str:
    if emulator.folder not in _tokens:
        _tokens[emulator.folder] = emulator.arm_token()
    return _tokens[emulator.folder]


def trust(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let aiohttp believe the emulator: it makes its context when it is imported."""
    trusting = ssl.create_default_context(cafile=emulator.env["SSL_CERT_FILE"])
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)


def within(seconds: float) -> datetime:
    """A deadline so many seconds from now."""
    return now() + timedelta(seconds=seconds)


async def until(happened: Callable[[], Any], *, seconds: float = 30) -> None:
    """Look until something has happened; TimeoutError if it never does."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110  # it happens in another process
            await asyncio.sleep(0.01)


def now() -> datetime:
    return datetime.now(UTC)
