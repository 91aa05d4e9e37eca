"""The emulator's process: its env file, its end."""

from tests.azure_emulator.conftest import left_waiting
from tests.conftest import StartEmulator
from tests.support.emulator import EmulatorProcess
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
