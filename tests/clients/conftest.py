"""Fixtures of the clients' tests: a worker whose SDKs trust the emulator."""

import ssl

import pytest

from tests.support.emulator import EmulatorProcess
from tests.support.worker import Worker


@pytest.fixture
def worker(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Worker:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, emulator.env[name])
    # aiohttp makes its context when it is imported, which an earlier test did.
    trusting = ssl.create_default_context(cafile=emulator.env["SSL_CERT_FILE"])
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
    return Worker(emulator=emulator)
