"""A port of storage, twice: the client on Azurite with a table of its own, and the fake of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest

from shared.clients.storage import StorageAccount

Opened = AbstractAsyncContextManager[object]


class OpenTable(Protocol):
    """Opens a client on a table of an account."""

    def __call__(self, account: StorageAccount, *, table: str) -> Opened: ...


def both(client: OpenTable, fake: Callable[[], Opened]) -> object:
    """Return a fixture: tests of it run with either, and Azurite is started for the client alone."""

    @pytest.fixture(params=["azurite", "memory"])
    async def port(request: pytest.FixtureRequest, table: str) -> AsyncIterator[object]:
        opened = fake() if request.param == "memory" else client(_account(request), table=table)
        async with opened as ready:
            yield ready

    return port


def _account(request: pytest.FixtureRequest) -> StorageAccount:
    account = request.getfixturevalue("account")
    assert isinstance(account, StorageAccount)
    return account
