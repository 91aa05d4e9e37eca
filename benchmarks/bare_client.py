"""A client of Resource Manager that does nothing for its manners: no pacing, no retry.

It runs in the benchmark's own process and signs in as the app does: managed identity, vault, token.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from benchmarks.programs import Emulator
from benchmarks.request_log import Listed

ARM = "https://management.azure.com"
VAULT = "https://vault.azure.net"
API_VERSION = "2025-12-01"


@dataclass(frozen=True, kw_only=True)
class Load:
    """Answers by status; seconds from the first request until the last answer."""

    answers: Counter[int]
    seconds: float

    @property
    def per_second(self) -> float:
        return self.answers.total() / self.seconds


class BareClient:
    """Sends what it is told to, at once."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def send_all(self, method: str, paths: Sequence[str], *, at_once: int) -> Load:
        """Send one request to each path, so many side by side."""
        answers: Counter[int] = Counter()
        waiting = iter(paths)

        async def work() -> None:
            for path in waiting:
                answers[await self._send(method, path)] += 1

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(at_once)))
        return Load(answers=answers, seconds=time.perf_counter() - began)

    async def _send(self, method: str, path: str) -> int:
        url = f"{self._url}{path}?api-version={API_VERSION}"
        async with self._session.request(method, url) as response:
            await response.read()
            return response.status


@asynccontextmanager
async def bare_client(emulator: Emulator) -> AsyncIterator[BareClient]:
    """Sign in with the service principal of the emulator's vault."""
    trust = ssl.create_default_context(cafile=emulator.ca_file)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=trust), raise_for_status=True
    ) as session:
        token = await _sign_in(session, emulator)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=trust),
        headers={"Authorization": f"Bearer {token}"},
    ) as session:
        yield BareClient(session, emulator.url)


def stop_paths(computes: Sequence[Listed]) -> Sequence[str]:
    """Where to stop each of them."""
    return [f"{compute['id']}/stop" for compute in computes]


def list_paths(computes: Sequence[Listed], count: int) -> Sequence[str]:
    """Where to list computes, so many times, going round all workspaces."""
    lists = {str(compute["id"]).rpartition("/")[0] for compute in computes}
    return list(itertools.islice(itertools.cycle(sorted(lists)), count))


async def _sign_in(session: aiohttp.ClientSession, emulator: Emulator) -> str:
    vault_token = await _vault_token(session, emulator)
    client_id, secret = [
        await _read_secret(session, emulator, name, vault_token)
        for name in ("aml-ops-client-id", "aml-ops-client-secret")
    ]
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
        "scope": f"{ARM}/.default",
    }
    url = f"{emulator.url}/{emulator.env['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    async with session.post(url, data=form) as response:
        return str((await response.json())["access_token"])


async def _vault_token(session: aiohttp.ClientSession, emulator: Emulator) -> str:
    query = {"resource": VAULT, "api-version": "2019-08-01"}
    header = {"X-IDENTITY-HEADER": emulator.env["IDENTITY_HEADER"]}
    url = emulator.env["IDENTITY_ENDPOINT"]
    async with session.get(url, params=query, headers=header) as response:
        return str((await response.json())["access_token"])


async def _read_secret(
    session: aiohttp.ClientSession, emulator: Emulator, name: str, token: str
) -> str:
    url = f"{emulator.env['KEY_VAULT_URL']}/secrets/{name}?api-version=7.4"
    async with session.get(url, headers={"Authorization": f"Bearer {token}"}) as response:
        return str((await response.json())["value"])
