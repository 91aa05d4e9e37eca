"""Runs that nobody ends: a share whose every try fails, a run whose workers are gone."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local_host.azurite.process import Azurite
from shared.clients.run_history import RunHistoryClient
from shared.clients.share_queue import QUEUE, ShareQueueClient
from shared.clients.storage import StorageAccount
from shared.compute.report import Findings
from tests.end_to_end.conftest import SPEED
from tests.end_to_end.estate import (
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    a_workspace,
    an_estate,
    an_instance,
)
from tests.end_to_end.history import closed_run
from tests.end_to_end.observed import events, stop_requests
from tests.storage.runs import a_run
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import REPOSITORY, LocalHost, poll
from tests.support.queue_app import WorkQueue

TRIES = 5
FINISHED = "compute.run.finished"
DROPPED = "a message that is no share's was dropped"
ESTATE = an_estate(a_workspace("mlw-churn", an_instance("ci-ada")))
NOTHING = Findings(workspaces=(), instances=(), other_computes=0, empty_subscriptions=1)
StartAzurite = Callable[[], Azurite]
StartImpatient = Callable[[], LocalHost]


@pytest.fixture
def azurite(start_azurite: StartAzurite) -> Azurite:
    """An Azurite of the test's own: what one of them leaves overdue is another's."""
    return start_azurite()


@pytest.fixture
def account(azurite: Azurite) -> StorageAccount:
    return StorageAccount(connection_string=azurite.connection_string)


@pytest.fixture
def start_impatient(
    emulator: EmulatorProcess, azurite: Azurite, tmp_path: Path
) -> Iterator[StartImpatient]:
    """Start this app with a host.json in which what failed comes back after a second."""
    shutil.copy(REPOSITORY / "function_app.py", tmp_path)
    host_json = json.loads((REPOSITORY / "host.json").read_text("utf-8"))
    host_json["extensions"]["queues"]["visibilityTimeout"] = "00:00:01"
    (tmp_path / "host.json").write_text(json.dumps(host_json))
    own = tmp_path / "own.env"
    own.write_text(f"AzureWebJobsStorage={azurite.connection_string}\n")
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            LocalHost(app_root=tmp_path, env_files=[emulator.env_file, own], env=SPEED)
        )


async def open_run(
    account: StorageAccount, *, age: timedelta, finished: tuple[str, ...] = (), send: bool = False
) -> str:
    """Write a run of two subscriptions down as whoever begins it does, and return its id."""
    run = a_run(SUBSCRIPTION, OTHER_SUBSCRIPTION, started_at=datetime.now(UTC) - age)
    async with RunHistoryClient(account) as history, ShareQueueClient(account) as queue:
        await history.open_run(run, orders=dict.fromkeys(run.shares, "{}"))
        for share_id in finished:
            found = NOTHING.model_dump_json().encode()
            await history.finish_share(run.run_id, share_id, found=found)
        for share_id in run.shares if send else ():
            await queue.send(run.run_id, share_id)
    return run.run_id


async def test_a_share_whose_every_try_fails_ends_as_poison_and_its_run_is_not_green(
    emulator: EmulatorProcess, account: StorageAccount, start_impatient: StartImpatient
) -> None:
    emulator.seed(ESTATE)
    emulator.fault("^/secrets/", times=None, status=503)
    run_id = await open_run(account, age=timedelta(0), finished=(OTHER_SUBSCRIPTION,), send=True)

    host = start_impatient()
    run = closed_run(host, run_id)

    # Its events leave when the invocation that closed it ends.
    poll(lambda: events(emulator, FINISHED) or None, seconds=40, what=FINISHED)
    (finished,) = events(emulator, FINISHED)
    (unread,) = events(emulator, "compute.workspace.unreadable")
    (scope,) = run["workspaces"]
    assert (run["result"], finished["result"]) == ("partial", "partial")
    assert (scope["id"], scope["result"]) == (f"/subscriptions/{SUBSCRIPTION}", "unreadable")
    assert "every try failed" in scope["error"]
    assert "Key Vault answered 503" in scope["error"]
    assert (unread["scope_id"], unread["error"]) == (scope["id"], scope["error"])
    assert _failed(host, "shutdown_queue") == TRIES
    assert stop_requests(emulator) == []


@pytest.mark.parametrize(
    ("finished", "result"),
    [((), "failed"), ((OTHER_SUBSCRIPTION,), "partial")],
    ids=["nothing was found", "a part was found"],
)
async def test_a_run_that_is_overdue_is_closed_by_the_next_tick(
    emulator: EmulatorProcess,
    account: StorageAccount,
    start_impatient: StartImpatient,
    *,
    finished: tuple[str, ...],
    result: str,
) -> None:
    emulator.seed(ESTATE)
    run_id = await open_run(account, age=timedelta(hours=1), finished=finished)
    host = start_impatient()

    tick = host.fire_timer("shutdown_timer")

    told = {each["run_id"]: each["result"] for each in events(emulator, FINISHED)}
    assert told.pop(run_id) == result
    assert closed_run(host, run_id)["result"] == result
    assert (tick["status"], list(told.values())) == ("succeeded", ["succeeded"])


async def test_a_message_that_is_none_of_the_apps_is_dropped_in_the_end(
    azurite: Azurite, start_impatient: StartImpatient
) -> None:
    queue = WorkQueue(connection_string=azurite.connection_string, name=QUEUE)
    with queue.client as client:
        client.create_queue()
    queue.send(hello="world")

    host = start_impatient()

    poison = queue.beside("poison")
    poll(lambda: True if DROPPED in host.stderr else None, seconds=40, what="the message's end")
    queue.wait_for_count(0)
    poison.wait_for_count(0)
    assert _failed(host, "shutdown_queue") == TRIES
    assert _failed(host, "shutdown_queue_poison") == 0


def _failed(host: LocalHost, function: str) -> int:
    lines = [line for line in host.stderr.splitlines() if f"Executed '{function}'" in line]
    return sum("Failed" in line for line in lines)
