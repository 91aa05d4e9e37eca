"""A tick and a request at once: each machine is asked to stop once, and each report is true."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_host.azurite.process import Azurite
from tests.end_to_end.conftest import SPEED
from tests.end_to_end.estate import a_workspace, an_estate, an_instance
from tests.end_to_end.history import History
from tests.end_to_end.observed import events, instances, outcomes, states, stop_requests, untrue
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.local_host import LocalHost, poll
from tests.support.wire import Reply

NAMES = tuple(f"ci-{letter}{letter}" for letter in "abcdefgh")
# Stops take two seconds here, so that whoever is second still finds machines that are not off.
ESTATE = an_estate(
    a_workspace("mlw-churn", *(an_instance(n, stop_seconds=100) for n in NAMES[:4])),
    a_workspace("mlw-pricing", *(an_instance(n, stop_seconds=100) for n in NAMES[4:])),
)
# Eight seconds with HELD_SECONDS: a share waits some for the worker that takes it up.
ONE = an_estate(a_workspace("mlw-churn", an_instance("ci-ada", stop_seconds=250)))
# A busy test machine must not look like a stop that had no effect.
PATIENT = {"STOP_PATIENCE_SECONDS": "30", "RUN_DEADLINE_SECONDS": "60"}
HELD_SECONDS = 3.0
STOPPED, ALREADY_STOPPED = {"ci-ada": "stopped"}, {"ci-ada": "already_stopped"}


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """Where the tick fires, and where the request goes; perhaps the same."""

    ticking: LocalHost
    asked: LocalHost

    def tick(self) -> Mapping[str, Any]:
        """Fire, wait for the end and return the invocation's status."""
        return self.ticking.fire_timer("shutdown_timer")

    def ask(self) -> Reply:
        return self.asked.post("/api/compute/shutdown")


@pytest.fixture(scope="module")
def own_env(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.mktemp("two-runs") / "own.env"
    settings = {**PATIENT, "AzureWebJobsStorage": azurite.connection_string}
    write_env_file(own, settings)
    return own


@pytest.fixture(scope="module")
def two_hosts(
    emulator_process: EmulatorProcess, own_env: Path
) -> Iterator[tuple[LocalHost, LocalHost]]:
    files = [emulator_process.env_file, own_env]
    with (
        LocalHost(env_files=files, env=SPEED) as one,
        LocalHost(env_files=files, env=SPEED) as other,
    ):
        yield one, other


@pytest.fixture(params=["one host", "two hosts"])
def hosts(request: pytest.FixtureRequest, two_hosts: tuple[LocalHost, LocalHost]) -> Hosts:
    one, other = two_hosts
    return Hosts(ticking=one, asked=one if request.param == "one host" else other)


def test_each_machine_is_asked_once_and_both_runs_succeed(
    emulator: EmulatorProcess, hosts: Hosts
) -> None:
    emulator.seed(ESTATE)
    history = History.from_now(hosts.ticking)

    with ThreadPoolExecutor() as pool:
        ticking, asking = pool.submit(hosts.tick), pool.submit(hosts.ask)
        status, answer = ticking.result(), asking.result()

    of_tick, of_request = history.only_report("timer"), answer.json()
    assert sorted(stop_requests(emulator)) == list(NAMES)
    assert states(emulator) == dict.fromkeys(NAMES, "Stopped")
    assert (status["status"], status["error"], answer.status) == ("succeeded", None, 200)
    assert untrue(of_tick, emulator) == untrue(of_request, emulator) == []
    assert sorted(_stopped(of_tick) + _stopped(of_request)) == list(NAMES)


@pytest.mark.parametrize("first", ["the tick", "the request"])
def test_who_is_second_waits_for_the_others_stop_and_names_its_run(
    emulator: EmulatorProcess, hosts: Hosts, first: str
) -> None:
    emulator.seed(ONE)
    emulator.fault("/computes/ci-ada/stop$", method="POST", hang_seconds=HELD_SECONDS)
    history = History.from_now(hosts.ticking)
    begin, follow = (hosts.tick, hosts.ask) if first == "the tick" else (hosts.ask, hosts.tick)

    with ThreadPoolExecutor() as pool:
        leading = pool.submit(begin)
        poll(lambda: stop_requests(emulator) or None, seconds=30, what="the first run's stop")
        pool.submit(follow).result()
        leading.result()

    of_tick, of_request = history.only_report("timer"), history.only_report("http")
    winner, loser = (of_tick, of_request) if first == "the tick" else (of_request, of_tick)
    assert stop_requests(emulator) == ["ci-ada"]
    assert (winner["result"], loser["result"]) == ("succeeded", "succeeded")
    assert (outcomes(winner), outcomes(loser)) == (STOPPED, ALREADY_STOPPED)
    assert winner["run_id"] in instances(loser)["ci-ada"]["detail"]
    assert loser["saved"]["amount"] == 0
    assert [each["run_id"] for each in events(emulator, "compute.instance.stop_requested")] == [
        winner["run_id"]
    ]


def _stopped(report: Mapping[str, Any]) -> list[str]:
    return [name for name, outcome in outcomes(report).items() if outcome == "stopped"]
