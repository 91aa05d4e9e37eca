"""The emulator's process: its env file, its end."""

import json
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from azure_emulator.__main__ import main
from tests.azure_emulator.conftest import left_waiting
from tests.conftest import StartEmulator
from tests.support.emulator import REPOSITORY, EmulatorProcess
from tests.support.wire import vault_secret


@pytest.mark.parametrize(
    ("setting", "schedule"),
    [("SHUTDOWN_SCHEDULE", "0 */15 * * * *"), ("SCORING_SCHEDULE", "0 */5 * * * *")],
)
def test_the_timers_tick_as_the_example_shows(
    emulator: EmulatorProcess, setting: str, schedule: str
) -> None:
    example = json.loads((REPOSITORY / "local.settings.example.json").read_text("utf-8"))

    assert emulator.env[setting] == example["Values"][setting] == schedule


def test_the_env_file_is_private_and_holds_no_credential(emulator: EmulatorProcess) -> None:
    secret = vault_secret(emulator.wire, "aml-ops-client-secret")

    assert emulator.env_file.stat().st_mode & 0o777 == 0o600
    assert secret not in emulator.env_file.read_text()


def test_sigterm_ends_it_with_status_zero(start_emulator: StartEmulator) -> None:
    emulator = start_emulator()

    status = emulator.stop()

    assert status == 0
    assert emulator.log == ""


def test_a_second_sigterm_changes_nothing(start_emulator: StartEmulator) -> None:
    emulator = start_emulator()

    os.kill(emulator.pid, signal.SIGTERM)
    status = emulator.stop()

    assert status == 0


def test_sigterm_ends_it_while_a_call_hangs(start_emulator: StartEmulator) -> None:
    emulator = start_emulator()
    emulator.fault("/secrets", hang_seconds=60)
    connection = left_waiting(emulator, "GET", "/secrets?api-version=7.4")

    status = emulator.stop(seconds=5)

    with pytest.raises((ConnectionError, ssl.SSLError)):
        connection.getresponse()
    connection.close()
    assert status == 0
    assert "Traceback" not in emulator.log


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
    options: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env_file = tmp_path / "azure.env"
    env_file.write_text("AZURE_EMULATOR_URL=https://127.0.0.1:1\n")

    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", "--env-file", str(env_file), *options])

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"error: argument {options[0]}" in said or f"error: {options[0]}" in said


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--buckets", "reads=x", "a bucket holds at least 1 and refills, as in reads=250:25"),
        ("--buckets", "reads=nan:1", "a bucket holds at least 1 and refills, as in reads=250:25"),
        ("--fleet", "instances=many", "must be a whole number, at least 1: 'many'"),
        ("--page-size", "1.5", "must be a whole number, at least 1: '1.5'"),
        ("--latency-ms", "slow", "must be a number, and not negative: 'slow'"),
    ],
)
def test_what_an_option_expects_is_said(
    option: str, value: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(Path("no-such-folder") / "azure.env")

    with pytest.raises(SystemExit):
        main(["--port", "0", "--env-file", nowhere, option, value])

    assert capsys.readouterr().err.splitlines()[-1].endswith(expected)


def test_port_and_env_file_have_to_be_said() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "azure_emulator"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 2
    assert "required: --port, --env-file" in run.stderr


@pytest.mark.parametrize("name", ["no-such-folder/azure.env", "."])
def test_an_env_file_that_cannot_be_written_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", "--env-file", str(tmp_path / name)])

    assert ended.value.code == 2
    assert "error: --env-file" in capsys.readouterr().err


def test_the_env_file_of_an_emulator_that_has_ended_does_not_outlive_a_failed_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env_file = tmp_path / "azure.env"
    env_file.write_text("AZURE_EMULATOR_URL=https://127.0.0.1:1\n")

    with pytest.raises(SystemExit):
        main(["--port", "0", "--env-file", str(env_file), "--seed", "no-such-seed"])

    assert not env_file.exists()
    assert "no-such-seed" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(
    emulator: EmulatorProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = emulator.url.rpartition(":")[2]

    with pytest.raises(SystemExit) as ended:
        main(["--port", port, "--env-file", str(tmp_path / "azure.env")])

    assert ended.value.code == 2
    assert f"error: --port {port}" in capsys.readouterr().err
