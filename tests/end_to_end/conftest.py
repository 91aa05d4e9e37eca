"""Fixtures of the end-to-end tests: the app in the local host, against the emulator."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local_host.azurite.process import Azurite, running
from tests.support.emulator import EmulatorProcess
from tests.support.env_file import write_env_file
from tests.support.local_host import LocalHost
from tests.support.roles import GRANTED

# A stop takes the emulator half a second, so the app looks and gives up sooner than in Azure.
SPEED = {
    "POLL_SECONDS": "0.2",
    "STOP_PATIENCE_SECONDS": "1",
    # Only a run that something keeps from ending takes that long; a slow machine is no such thing.
    "RUN_DEADLINE_SECONDS": "20",
    # What a seed shows as just started is stopped like all the others.
    "LATE_START_HOURS": "0",
}

StartHost = Callable[..., LocalHost]


# Done by tests in the place of users, with the service principal's token.
BY_HAND = {"Microsoft.MachineLearningServices/workspaces/computes/start/action"}


@pytest.fixture(autouse=True)
def within_its_roles() -> Iterator[None]:
    """Whatever the app does in a test, infra/roles allows it."""
    EmulatorProcess.take_actions()
    yield
    beyond = EmulatorProcess.take_actions() - GRANTED - BY_HAND
    assert not beyond, f"infra/roles lacks what the app does: {sorted(beyond)}"


@pytest.fixture(scope="session")
def host_process(emulator_process: EmulatorProcess) -> Iterator[LocalHost]:
    with LocalHost(env_files=[emulator_process.env_file], env=SPEED) as running:
        yield running


@pytest.fixture
def host(emulator: EmulatorProcess, host_process: LocalHost) -> LocalHost:
    """The app, signed in perhaps for earlier tests; the emulator stands at its default seed."""
    assert emulator.env_file in host_process.env_files
    return host_process


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    """One Azurite for the hosts of a module: whoever shares a queue does the other's work, too."""
    with running() as process:
        yield process


@pytest.fixture(scope="session")
def remembering_storage() -> Iterator[Azurite]:
    with running() as process:
        yield process


@pytest.fixture(scope="session")
def remembering_process(
    emulator_process: EmulatorProcess,
    remembering_storage: Azurite,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalHost]:
    own = tmp_path_factory.mktemp("remembering") / "own.env"
    own.write_text(f"AzureWebJobsStorage={remembering_storage.connection_string}\n")
    with LocalHost(env_files=[emulator_process.env_file, own], env=SPEED) as host:
        yield host


@pytest.fixture
def remembering_host(emulator: EmulatorProcess, remembering_process: LocalHost) -> LocalHost:
    """The app with a storage account; exemptions and runs of earlier tests may be in it."""
    assert emulator.env_file in remembering_process.env_files
    return remembering_process


@pytest.fixture
def start_host(tmp_path: Path) -> Iterator[StartHost]:
    """Start a host of one's own: `start_host(emulator, POLL_SECONDS="1")`; settings win."""
    with ExitStack() as stack:

        def start(emulator: EmulatorProcess, **settings: str) -> LocalHost:
            own = tmp_path / "own.env"
            write_env_file(own, settings)
            files = [emulator.env_file, own]
            return stack.enter_context(LocalHost(env_files=files, env=SPEED))

        yield start
