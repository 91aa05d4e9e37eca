"""A night through the storage queue: spread, killed in the middle, side by side, without storage."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.conftest import SPEED
from tests.end_to_end.estate import OTHER_SUBSCRIPTION, SUBSCRIPTION, a_workspace, an_instance
from tests.end_to_end.history import closed_run
from tests.end_to_end.observed import events, states, stop_requests
from tests.support.azurite import kill, without
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.local_host import LocalHost, poll
from tests.support.wire import Reply

NAMES = ["ci-ada", "ci-bob", "ci-chen", "ci-dina"]
FINISHED = "compute.run.finished"

StartWorker = Callable[..., LocalHost]
StartAzurite = Callable[[], Azurite]


@pytest.fixture
def start_worker(emulator: EmulatorProcess, tmp_path: Path) -> Iterator[StartWorker]:
    """Start a host on a storage account: `start_worker(connection_string, RUN_DEADLINE...)`."""
    with ExitStack() as stack:

        def start(connection_string: str, **settings: str) -> LocalHost:
            own = tmp_path / f"own-{len(list(tmp_path.iterdir()))}.env"
            said = {"AzureWebJobsStorage": connection_string, **settings}
            write_env_file(own, said)
            host = LocalHost(
                env_files=[emulator.env_file, own],
                env=SPEED,
                options=("--queue-invisibility-seconds", "3"),
            )
            return stack.enter_context(host)

        yield start


def an_estate_of_two(emulator: EmulatorProcess, *, stop_seconds: float = 0.5) -> None:
    machines = [an_instance(name, stop_seconds=stop_seconds) for name in NAMES]
    subscriptions = [
        {"id": SUBSCRIPTION, "workspaces": [a_workspace("mlw-churn", *machines[:2])]},
        {"id": OTHER_SUBSCRIPTION, "workspaces": [a_workspace("mlw-risk", *machines[2:])]},
    ]
    emulator.seed({"subscriptions": subscriptions})


def shut_down_async(host: LocalHost) -> Reply:
    return host.post("/api/compute/shutdown", headers={"Prefer": "respond-async"}, body={})


def test_a_tick_goes_through_the_queue_in_one_share_per_subscription(
    emulator: EmulatorProcess, start_azurite: StartAzurite, start_worker: StartWorker
) -> None:
    an_estate_of_two(emulator)
    host = start_worker(start_azurite().connection_string)

    status = host.fire_timer("shutdown_timer")

    # It is told by the invocation that closed the run, which may end after the tick.
    poll(lambda: events(emulator, FINISHED) or None, seconds=40, what=FINISHED)
    (finished,) = events(emulator, FINISHED)
    assert (status["status"], status["error"]) == ("succeeded", None)
    assert states(emulator) == dict.fromkeys(NAMES, "Stopped")
    assert finished["result"] == "succeeded"
    assert len(events(emulator, "compute.run.started")) == 1
    assert host.stderr.count("Executed 'shutdown_queue'") == 2


def test_a_caller_who_does_not_wait_is_told_where_to_look(
    emulator: EmulatorProcess, start_azurite: StartAzurite, start_worker: StartWorker
) -> None:
    an_estate_of_two(emulator)
    host = start_worker(start_azurite().connection_string)

    answer = shut_down_async(host)

    run_id = answer.json()["run_id"]
    assert answer.status == 202
    assert answer.headers["location"] == f"/api/compute/runs/{run_id}"
    assert answer.headers["preference-applied"] == "respond-async"
    assert closed_run(host, run_id)["counts"]["stopped"] == len(NAMES)


def test_a_worker_that_is_killed_in_mid_run_costs_no_second_request(
    emulator: EmulatorProcess, start_azurite: StartAzurite, start_worker: StartWorker
) -> None:
    an_estate_of_two(emulator, stop_seconds=200)
    connection_string = start_azurite().connection_string
    doomed = start_worker(connection_string)
    run_id = shut_down_async(doomed).json()["run_id"]
    asked = lambda: True if len(stop_requests(emulator)) == len(NAMES) else None  # noqa: E731  # one look
    poll(asked, seconds=20, what="the stop requests")

    doomed.stop(with_signal=signal.SIGKILL)
    run = closed_run(start_worker(connection_string), run_id)

    assert {name: each["stop_requests"] for name, each in emulator.computes().items()} == (
        dict.fromkeys(NAMES, 1)
    )
    assert all("was lost" in i["detail"] for i in run["instances"])
    assert run["result"] == "succeeded"
    assert {i["name"]: i["outcome"] for i in run["instances"]} == dict.fromkeys(NAMES, "stopped")
    assert {i["name"]: i["state_after"] for i in run["instances"]} == states(emulator)


def test_timer_and_caller_at_once_ask_each_machine_once(
    emulator: EmulatorProcess, start_azurite: StartAzurite, start_worker: StartWorker
) -> None:
    an_estate_of_two(emulator)
    host = start_worker(start_azurite().connection_string)

    invocation = host.start_function("shutdown_timer")
    answer = host.post("/api/compute/shutdown", body={})
    status = host.wait_for(invocation)

    assert (answer.status, status["error"]) == (200, None)
    assert sorted(stop_requests(emulator)) == NAMES


@pytest.mark.parametrize("away", [("Table",), ("Queue",), ("Table", "Queue")], ids="+".join)
def test_storage_that_is_away_costs_the_record_and_no_stop(
    emulator: EmulatorProcess,
    start_azurite: StartAzurite,
    start_worker: StartWorker,
    away: tuple[str, ...],
) -> None:
    an_estate_of_two(emulator)
    host = start_worker(without(start_azurite(), *away), RUN_DEADLINE_SECONDS="50")

    status = host.fire_timer("shutdown_timer", seconds=90)

    assert (status["status"], status["error"]) == ("succeeded", None)
    assert states(emulator) == dict.fromkeys(NAMES, "Stopped")
    assert sorted(stop_requests(emulator)) == NAMES
    assert events(emulator, "history.lost")


def test_storage_that_goes_away_in_mid_run_costs_the_record_and_no_stop(
    emulator: EmulatorProcess, start_azurite: StartAzurite, start_worker: StartWorker
) -> None:
    an_estate_of_two(emulator, stop_seconds=200)
    azurite = start_azurite()
    host = start_worker(azurite.connection_string, RUN_DEADLINE_SECONDS="60")
    invocation = host.start_function("shutdown_timer")
    poll(lambda: stop_requests(emulator) or None, seconds=20, what="a stop request")

    kill(azurite)
    status = host.wait_for(invocation, seconds=90)

    lost = [each["operation"] for each in events(emulator, "history.lost")]
    (finished,) = events(emulator, "compute.run.finished")
    assert (status["status"], status["error"]) == ("succeeded", None)
    assert (finished["stopped"], finished["left"]) == (str(len(NAMES)), "0")
    assert states(emulator) == dict.fromkeys(NAMES, "Stopped")
    assert sorted(stop_requests(emulator)) == NAMES
    assert lost.count("history") == 1
