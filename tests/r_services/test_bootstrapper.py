"""The bootstrapper of R jobs, with a real Rscript: a job ends as its R script ended."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from r_services.programs import HERE
from tests.support.r_services import require_r

SOURCE = HERE / "r_job" / "src"
TIMEOUT_SECONDS = 60
SEND_TO_ITSELF = "tools::pskill(Sys.getpid(), {})\nSys.sleep(60)"
# What R is told to do, and the exit status of the job.
ENDINGS = {
    "success": ("cat('hello')", 0),
    "warning": ("warning('odd')", 0),
    "error": ("stop('broken')", 1),
    "syntax error": ("x <- (", 1),
    "missing package": ("library(no.such.package)", 1),
    "own status": ("quit(status = 7)", 7),
    "own status above 255": ("quit(status = 300)", 300 % 256),
    "killed": (SEND_TO_ITSELF.format(int(signal.SIGKILL)), 137),
    "terminated": (SEND_TO_ITSELF.format(int(signal.SIGTERM)), 143),
    "segmentation fault": (SEND_TO_ITSELF.format(int(signal.SIGSEGV)), 139),
    "interrupted": (SEND_TO_ITSELF.format(int(signal.SIGINT)), 1),
}


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(SOURCE / "bootstrapper.py"), *arguments]


def run(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env={**os.environ, **({"PATH": path} if path is not None else {})},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_job_ends_as_its_script_did(ending: str, tmp_path: Path) -> None:
    require_r()
    source, status = ENDINGS[ending]
    script = tmp_path / "script.R"
    script.write_text(source)

    done = run(str(script))

    assert done.returncode == status, done.stderr


def test_what_r_prints_and_how_it_ended_stand_in_the_log(tmp_path: Path) -> None:
    require_r()
    script = tmp_path / "script.R"
    script.write_text("cat('on stdout')\nmessage('on stderr')\ntools::pskill(Sys.getpid(), 9)")

    done = run(str(script))

    assert done.stdout == "on stdout"
    assert "on stderr" in done.stderr
    assert "bootstrapper: R was ended by SIGKILL" in done.stderr


def test_a_script_that_is_not_there_ends_as_in_r(tmp_path: Path) -> None:
    require_r()

    assert run(str(tmp_path / "nowhere.R")).returncode == 2


def test_no_script_is_a_mistake_of_the_caller() -> None:
    done = run()

    assert (done.returncode, "usage:" in done.stderr) == (64, True)


def test_a_missing_rscript_is_told_from_a_script_that_failed(tmp_path: Path) -> None:
    done = run("script.R", path=str(tmp_path))

    assert (done.returncode, "Rscript is not on PATH" in done.stderr) == (127, True)


def test_an_rscript_that_cannot_run_is_told_as_well(tmp_path: Path) -> None:
    (tmp_path / "Rscript").write_text("no program")

    done = run("script.R", path=str(tmp_path))

    assert (done.returncode, "Rscript cannot be run" in done.stderr) == (126, True)


@contextmanager
def running_job(folder: Path, source: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a job, and yield it with the pid of its R once that said it is ready."""
    ready = folder / "ready"
    script = folder / "script.R"
    script.write_text(f"cat(Sys.getpid(), file = '{ready}.part')\n{source}")
    with subprocess.Popen(command(str(script)), stderr=subprocess.DEVNULL) as job:
        await_file(ready, job)
        yield job, int(ready.read_text())


def await_file(path: Path, job: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not path.exists():
        assert job.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def announce(folder: Path) -> str:
    ready = folder / "ready"
    return f"invisible(file.rename('{ready}.part', '{ready}'))"


def test_a_cancelled_job_ends_r_too(tmp_path: Path) -> None:
    require_r()
    with running_job(tmp_path, f"{announce(tmp_path)}\nSys.sleep(60)") as (job, r_pid):
        job.terminate()
        status = job.wait(TIMEOUT_SECONDS)

    assert status == 143
    with pytest.raises(ProcessLookupError):
        os.kill(r_pid, 0)


def test_an_interrupted_script_may_tidy_up(tmp_path: Path) -> None:
    require_r()
    tidy = tmp_path / "tidy"
    source = (
        f"tryCatch({{ {announce(tmp_path)}; Sys.sleep(60) }},"
        f" interrupt = function(i) {{ file.create('{tidy}'); quit(status = 9) }})"
    )
    with running_job(tmp_path, source) as (job, _):
        job.send_signal(signal.SIGINT)
        status = job.wait(TIMEOUT_SECONDS)

    assert (status, tidy.exists()) == (9, True)


def test_neither_profile_nor_workspace_changes_a_job(tmp_path: Path) -> None:
    require_r()
    (tmp_path / ".Rprofile").write_text("quit(status = 5)\n")
    (tmp_path / ".Renviron").write_text("R_JOB_TEST=seen\n")
    (tmp_path / "script.R").write_text("cat(Sys.getenv('R_JOB_TEST', 'unset'))")

    done = subprocess.run(
        command("script.R"), cwd=tmp_path, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
    )

    assert (done.returncode, done.stdout) == (0, b"unset")


def test_the_job_of_the_example_summarises_its_input(tmp_path: Path) -> None:
    require_r()
    data = HERE / "plumber_weight" / "data" / "weights.csv"
    shutil.copyfile(data, tmp_path / "weights.csv")

    done = run(str(SOURCE / "summary.R"), str(tmp_path / "weights.csv"), str(tmp_path / "out.csv"))

    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert (done.returncode, lines[0]) == (0, '"from","weight"')
    assert lines[1] == "120,167.4"
    assert len(lines) == 1 + 7
