"""Whether people hear of a change when the worker, or what should tell them, fails: real processes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from local_host.azurite.process import Azurite
from shared.clients.service_records import ServiceStatesClient
from shared.clients.storage import StorageAccount
from shared.scoring.judgement import Verdict
from shared.scoring.state import Health, Mark, Round, ServiceState
from tests.end_to_end.conftest import StartHost
from tests.end_to_end.scoring_file import a_file, put_file
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import LocalHost, poll
from tests.support.story import of_type
from tests.support.weight_server import WeightServer, weight_server

TIMER = "scoring_timer"
TRACK = "/track$"
SECONDS = 60.0
FOR_EVER_SECONDS = 600


@pytest.fixture
def weight() -> Iterator[WeightServer]:
    with weight_server() as served:
        yield served


@pytest.fixture
def name(azurite: Azurite, weight: WeightServer) -> str:
    """A service that people were told is unhealthy, and that is well again."""
    name = f"weight-{uuid4().hex[:8]}"
    document = a_file(weight.url, name)
    document["services"][0]["thresholds"] = {"good_rounds": 1}
    put_file(azurite, document)
    asyncio.run(_remember(azurite, name))
    return name


@pytest.fixture
def start(
    emulator: EmulatorProcess, start_host: StartHost, azurite: Azurite, name: str
) -> StartHost:
    assert name

    def started() -> LocalHost:
        return start_host(
            emulator,
            AzureWebJobsStorage=azurite.connection_string,
            SCORING_SERVICES=f"{azurite.blob_endpoint}/services/list.yaml",
            SCORING_DISCOVERY="none",
        )

    return started


async def _remember(azurite: Azurite, name: str) -> None:
    at = datetime.now(UTC) - timedelta(minutes=5)
    state = ServiceState(
        health=Health.UNHEALTHY,
        told=Health.UNHEALTHY,
        since=at,
        verdict=Verdict.WRONG,
        checked_at=at,
        rounds=(Round(mark=Mark.FAILED, changed=True),),
    )
    account = StorageAccount(connection_string=azurite.connection_string)
    async with ServiceStatesClient(account) as states:
        await states.save({name: state})


def alerts(emulator: EmulatorProcess) -> list[tuple[str, str]]:
    """What people were told: how it was, and what it is to be called."""
    told = [each["data"]["baseData"] for each in of_type("EventData", emulator.telemetry())]
    changes = [each["properties"] for each in told if each["name"] == "scoring.service.changed"]
    return [
        (each["state_before"], each["standing"]) for each in changes if each["alerts"] == "true"
    ]


def state_of(host: LocalHost, name: str) -> Any:
    return host.get(f"/api/scoring/services/{name}").json()["state"]


@pytest.mark.parametrize("status", [439, 500])
def test_a_change_that_application_insights_refuses_is_told_once_it_takes_it(
    emulator: EmulatorProcess, start: StartHost, name: str, status: int
) -> None:
    host = start()
    emulator.fault(TRACK, times=None, status=status)

    refused = host.fire_timer(TIMER, seconds=SECONDS)
    emulator.clear_faults()
    before = alerts(emulator)
    host.fire_timer(TIMER, seconds=SECONDS)
    host.fire_timer(TIMER, seconds=SECONDS)

    assert (refused["status"], state_of(host, name)) == ("succeeded", "healthy")
    assert before == []
    assert alerts(emulator) == [("healthy", "healthy")]


def test_a_worker_that_is_killed_before_it_has_told_leaves_it_to_the_next(
    emulator: EmulatorProcess, start: StartHost, name: str
) -> None:
    host = start()
    fault = emulator.fault(TRACK, times=None, hang_seconds=FOR_EVER_SECONDS)

    def _is_recorded() -> bool:
        return _hits(emulator, fault) > 0 and state_of(host, name) == "healthy"

    host.start_function(TIMER)
    poll(lambda: True if _is_recorded() else None, seconds=SECONDS, what="the state")
    host.stop(with_signal=signal.SIGKILL)
    emulator.clear_faults()
    other = start()
    other.fire_timer(TIMER, seconds=SECONDS)
    other.fire_timer(TIMER, seconds=SECONDS)

    assert alerts(emulator) == [("healthy", "healthy")]


def test_a_worker_that_is_killed_while_it_asks_loses_no_verdict(
    emulator: EmulatorProcess, start: StartHost, name: str, weight: WeightServer
) -> None:
    host = start()
    weight.seconds = 8.0

    host.start_function(TIMER)
    poll(lambda: "/weight?height=138" in weight.requests or None, seconds=SECONDS, what="a probe")
    host.stop(with_signal=signal.SIGKILL)
    weight.seconds = 0.0
    other = start()
    before = state_of(other, name)
    other.fire_timer(TIMER, seconds=SECONDS)
    other.fire_timer(TIMER, seconds=SECONDS)

    assert (before, state_of(other, name)) == ("unhealthy", "healthy")
    assert alerts(emulator) == [("unhealthy", "healthy")]


def test_two_workers_at_once_tell_people_and_end_with_one_state(
    emulator: EmulatorProcess, start: StartHost, name: str, weight: WeightServer
) -> None:
    hosts = [start(), start()]
    # Long enough for both to be amid their rounds.
    weight.seconds = 1.5

    fired = [host.start_function(TIMER) for host in hosts]
    ended = [host.wait_for(each, seconds=SECONDS) for host, each in zip(hosts, fired, strict=True)]
    told = alerts(emulator)
    hosts[0].fire_timer(TIMER, seconds=SECONDS)

    assert [each["status"] for each in ended] == ["succeeded", "succeeded"]
    assert [state_of(host, name) for host in hosts] == ["healthy", "healthy"]
    assert 1 <= len(told) <= 2
    assert alerts(emulator) == told


def _hits(emulator: EmulatorProcess, fault: str) -> int:
    return next(int(each["hits"]) for each in emulator.faults() if each["id"] == fault)
