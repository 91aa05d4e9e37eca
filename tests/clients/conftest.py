"""Fixtures of the clients' tests: SDKs that trust the emulator, and what they are at work on."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.support.arm_session import ArmSession, trust
from tests.support.emulator import EmulatorProcess
from tests.support.online_rollout import Rollout, rollout, seed_endpoint
from tests.support.worker import Worker

settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")


@pytest.fixture
def worker(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Worker:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, emulator.env[name])
    trust(emulator, monkeypatch)
    return Worker(emulator=emulator)


@pytest.fixture
def session(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> ArmSession:
    trust(emulator, monkeypatch)
    return ArmSession(emulator=emulator)


@pytest.fixture
async def weight(session: ArmSession) -> AsyncIterator[Rollout]:
    """A redeploy of an online endpoint, not begun."""
    seed_endpoint(session.emulator, tags={"team": "growth"})
    async with rollout(session) as opened:
        yield opened
