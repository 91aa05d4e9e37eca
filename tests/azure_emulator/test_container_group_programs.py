"""Container groups whose images are real programs: each start of a container is a new process."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.azure_emulator.conftest import eventually
from tests.support.container_groups import (
    GOOD,
    GROUP_ID,
    SUBSCRIPTION,
    a_group,
    seen,
)
from tests.support.emulator import EmulatorProcess
from tests.support.processes import children_of, is_alive

API_VERSION = "2025-09-01"
SERVER = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1"]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[EmulatorProcess]:
    """An emulator with one group, whose program answers."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "weight").write_text("161.8533")
    seed = {
        "version": 1,
        "images": {GOOD: {"command": SERVER, "folder": str(folder)}},
        "subscriptions": [
            {"id": SUBSCRIPTION, "container_groups": [{"name": "weight", **a_group()}]}
        ],
    }
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(seed), "utf-8")
    with EmulatorProcess(options=("--seed", str(file), "--time-scale", "0.02")) as running:
        eventually(lambda: answers(running), seconds=30)
        yield running


def answers(emulator: EmulatorProcess) -> bool:
    reply = emulator.wire.get(f"{seen(emulator)['url']}/weight")
    return (reply.status, reply.body) == (200, b"161.8533")


def ask(emulator: EmulatorProcess, action: str) -> int:
    """The status of an action of the group."""
    path, token = f"{GROUP_ID}/{action}", emulator.arm_token()
    return emulator.arm("POST", path, token=token, **{"api-version": API_VERSION}).status


def test_a_restart_is_a_new_process(emulator: EmulatorProcess) -> None:
    before = children_of(emulator.pid)

    status = ask(emulator, "restart")
    eventually(lambda: not before & children_of(emulator.pid) and answers(emulator), seconds=30)

    assert status == 204
    assert len(before) == len(children_of(emulator.pid)) == 1


def test_a_container_whose_program_is_killed_crashes_and_starts_again(
    emulator: EmulatorProcess,
) -> None:
    (program,) = children_of(emulator.pid)

    os.kill(program, signal.SIGKILL)
    eventually(lambda: seen(emulator)["containers"][0]["restartCount"] == 1, seconds=30)
    eventually(lambda: answers(emulator), seconds=30)

    assert children_of(emulator.pid) != {program}


def test_a_group_that_is_stopped_has_no_program(emulator: EmulatorProcess) -> None:
    status = ask(emulator, "stop")

    assert status == 204
    eventually(lambda: not children_of(emulator.pid), seconds=30)
    assert emulator.wire.get(f"{seen(emulator)['url']}/weight").status == 503


def test_no_program_outlives_the_emulator(emulator: EmulatorProcess) -> None:
    programs = children_of(emulator.pid)

    status = emulator.stop()

    assert status == 0
    assert programs
    eventually(lambda: not any(map(is_alive, programs)), seconds=30)
