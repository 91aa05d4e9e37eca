"""The process: how it starts, what stops it, and what it refuses to start."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.local_host.broken_apps import BROKEN_APPS, write_app
from tests.support.local_host import REPOSITORY, LocalHost, poll
from tests.support.pace import BUSY_SECONDS
from tests.support.process_under_test import ProcessUnderTestError

NEVER = {"SAMPLE_SCHEDULE": "0 0 0 29 2 *"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_the_host_ends_with_0_on(sample_app: Path, number: signal.Signals) -> None:
    with LocalHost(app_root=sample_app, env=NEVER) as host:
        began = time.monotonic()
        status = host.stop(with_signal=number)

    assert status == 0
    assert time.monotonic() - began < BUSY_SECONDS


def test_stopping_waits_for_a_short_run_and_its_caller_gets_the_answer(sample_app: Path) -> None:
    with LocalHost(app_root=sample_app, env=NEVER) as host:
        host.start_function("dozes")
        assert host.stop() == 0

        assert "dozed, past due: False" in host.stderr


def test_a_handler_that_blocks_keeps_the_host_neither_from_answering_nor_from_ending(
    sample_app: Path,
) -> None:
    with LocalHost(app_root=sample_app, env=NEVER) as host:
        status = host.fire_timer("blocks", past_due=True)
        ended = host.stop(seconds=15)

    assert status["error"].startswith("FunctionTimeoutError")
    assert ended == 0


def test_missing_keys_are_generated_and_printed(sample_app: Path) -> None:
    unset = {"LOCAL_HOST_FUNCTION_KEY": "", "LOCAL_HOST_MASTER_KEY": ""}

    with LocalHost(app_root=sample_app, env=NEVER | unset) as host:
        lines = dict(line.split("=", 1) for line in host.stdout.splitlines() if "_KEY=" in line)
        refused = host.get("/v1/greetings", key="")
        by_function_key = host.get("/v1/greetings", key=lines["LOCAL_HOST_FUNCTION_KEY"])
        by_master_key = host.get("/admin/functions", key=lines["LOCAL_HOST_MASTER_KEY"])

    assert [refused.status, by_function_key.status, by_master_key.status] == [401, 207, 200]


def test_logs_of_the_app_are_readable(host: LocalHost) -> None:
    host.fire_timer("tick")

    line = next(line for line in host.stderr.splitlines() if "sample tick" in line)
    date, _, level, name, *_ = line.split()
    assert (len(date), level, name) == (10, "INFO", "sample")


def test_given_keys_are_not_printed(host: LocalHost) -> None:
    assert "_KEY=" not in host.stdout


@pytest.mark.parametrize(("app", "complaint"), BROKEN_APPS.values(), ids=BROKEN_APPS.keys())
def test_no_function_survives_an_app_that(tmp_path: Path, app: str, complaint: str) -> None:
    write_app(tmp_path, app)

    with (
        pytest.raises(ProcessUnderTestError, match="ended with 2") as error,
        LocalHost(app_root=tmp_path),
    ):
        pass

    assert complaint in str(error.value)


def test_a_folder_without_host_json_is_no_app(tmp_path: Path) -> None:
    with (
        pytest.raises(ProcessUnderTestError, match=r"host\.json is missing"),
        LocalHost(app_root=tmp_path),
    ):
        pass


def test_a_missing_env_file_is_named(sample_app: Path, tmp_path: Path) -> None:
    files = [tmp_path / "absent.env"]

    with (
        pytest.raises(ProcessUnderTestError, match=r"absent\.env"),
        LocalHost(app_root=sample_app, env_files=files),
    ):
        pass


def test_a_taken_port_is_said_so(sample_app: Path, host: LocalHost) -> None:
    port = host.url.rpartition(":")[2]

    ended = subprocess.run(
        [sys.executable, "-m", "local_host", "--port", port],
        cwd=sample_app,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert "Address already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_host_says_when_it_is_ready(host: LocalHost) -> None:
    last = poll(lambda: host.stdout.splitlines()[-1], seconds=20, what="a line")

    assert last == f"listening on {host.url}"
