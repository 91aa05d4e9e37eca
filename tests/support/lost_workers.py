"""Loses the worker of a redeploy at the two moments that matter: `Worker.replace` starts another.

Both are placed by what Azure is asked, not by time: a change that is held until the storage account
answers nobody, so that it is made and cannot be recorded; and a golden request that is not answered.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.clients.redeploy_store import RedeployStoreClient
from shared.clients.storage import StorageAccount
from shared.scoring.redeploy.record import Redeploy
from tests.support.emulator import EmulatorProcess
from tests.support.redeploy_proofs import Worker, frozen, wait_for

# Long enough to stop a storage account on a busy machine, and no longer than a client waits.
HOLD_SECONDS = 3
FOR_EVER_SECONDS = 600
# What movers send to change something, wherever it runs.
CHANGES = (("PUT", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restart$"))


def changes(emulator: EmulatorProcess) -> Sequence[str]:
    """What Azure was asked to change, and did: the methods."""
    asked = (each for each in emulator.requests() if _changes(each))
    return [each["method"] for each in asked if each["status"] and each["status"] < 300]


def lose_after_change(worker: Worker, location: str, *, number: int) -> None:
    """Kill the worker when its redeploy's n-th change is made and not recorded.

    Azure is without faults afterwards.
    """
    emulator = worker.emulator
    worker.follow(location, until=lambda _: len(changes(emulator)) == number - 1)
    for method, path in CHANGES:
        emulator.fault(path, method=method, hang_seconds=HOLD_SECONDS)
    worker.follow(location, until=lambda _: any(each["hits"] for each in emulator.faults()))
    with frozen(worker.azurite):
        wait_for(lambda: len(changes(emulator)) == number, "the change")
        worker.kill()
    emulator.clear_faults()
    assert recorded(worker, location).owner, "it was recorded: nothing was lost"


def lose_while_proving(worker: Worker, location: str, *, path: str, after: int = 0) -> None:
    """Kill the worker while it waits for an answer to a golden request.

    `path` is the golden request's, and `after` how many of them are answered before.
    """
    emulator = worker.emulator
    fault = emulator.fault(path, skip=after, hang_seconds=FOR_EVER_SECONDS)
    worker.follow(location, until=lambda _: _hits(emulator, fault) > 0)
    worker.kill()


def recorded(worker: Worker, location: str) -> Redeploy:
    """The record of a redeploy, as it lies in the storage account."""

    async def read() -> Redeploy:
        account = StorageAccount(connection_string=worker.azurite.connection_string)
        async with RedeployStoreClient(account) as store:
            found = await store.get(location.rpartition("/")[2])
            assert found is not None
            return found

    return asyncio.run(read())


def _changes(request: Mapping[str, Any]) -> bool:
    method, path = request["method"], request["path"]
    return any(method == each and re.search(pattern, path) for each, pattern in CHANGES)


def _hits(emulator: EmulatorProcess, fault: str) -> int:
    return next(int(each["hits"]) for each in emulator.faults() if each["id"] == fault)
