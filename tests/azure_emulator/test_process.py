"""The emulator's process: its env file, its end."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.azure_emulator.conftest import left_waiting
from tests.conftest import StartEmulator
from tests.support.emulator import REPOSITORY, EmulatorProcess
from tests.support.wire import vault_secret


def test_the_env_file_is_private_and_holds_no_credential(emulator: EmulatorProcess) -> None:
    secret = vault_secret(emulator.wire, "aml-ops-client-secret")

    assert emulator.env_file.stat().st_mode & 0o777 == 0o600
    assert secret not in emulator.env_file.read_text()


def test_sigterm_ends_it_with_status_zero(start_emulator: StartEmulator) -> None:
    emulator = start_emulator()

    status = emulator.stop()

    assert status == 0
    assert emulator.log == ""


def test_sigterm_ends_it_while_a_call_hangs(start_emulator: StartEmulator) -> None:
    emulator = start_emulator()
    emulator.fault("/secrets", hang_seconds=60)
    connection = left_waiting(emulator, "GET", "/secrets?api-version=7.4")

    status = emulator.stop(seconds=5)

    connection.close()
    assert status == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--seed", "no-such-seed"),
        ("--fleet", "subscriptions=0"),
        ("--fleet", "machines=3"),
        ("--buckets", "reads=250"),
        ("--buckets", "writes=0:10"),
        ("--time-scale", "-1"),
        ("--page-size", "0"),
        ("--stop-reply", "later"),
    ],
    ids=" ".join,
)
def test_a_command_line_that_makes_no_sense_is_refused(
    options: tuple[str, str], tmp_path: Path
) -> None:
    env_file = tmp_path / "azure.env"
    command = ("-m", "azure_emulator", "--port", "0", "--env-file", str(env_file), *options)

    run = subprocess.run(
        [sys.executable, *command], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert run.returncode == 2
    assert f"error: argument {options[0]}" in run.stderr or f"error: {options[0]}" in run.stderr
    assert not env_file.exists()
