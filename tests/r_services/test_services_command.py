"""`python -m r_services`, which `make services` runs."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from tests.support.emulator import REPOSITORY
from tests.support.r_services import require_r, require_rpy2

READY_SECONDS = 120


def start(*arguments: str, path: str | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "r_services", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **({"PATH": path} if path is not None else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    said = ""
    deadline = time.monotonic() + READY_SECONDS
    while words not in said and time.monotonic() < deadline:
        line = process.stdout.readline()
        said += line
        if not line:
            break
    return said


def test_both_services_are_served_on_loopback_until_interrupted(tmp_path: Path) -> None:
    require_r("plumber")
    require_rpy2()
    # Relative, as a person may type it: R works in folders of its own.
    folder = os.path.relpath(tmp_path, REPOSITORY)
    with start("--folder", folder, "--weight-port", "0", "--svm-port", "0") as process:
        said = read_until(process, "Ctrl-C")
        urls = re.findall(r"^\S+ +(http://127\.0\.0\.1:\d+)$", said, re.MULTILINE)
        answers = [
            urlopen(url).read()  # noqa: S310  # loopback
            for url in (f"{urls[0]}/weight?height=138", f"{urls[1]}/")
        ]
        process.send_signal(signal.SIGINT)
        status = process.wait(READY_SECONDS)

    assert answers == [b'{"response":[161.8533]}', b"Healthy"]
    assert status == 0


def test_without_r_it_says_what_is_missing(tmp_path: Path) -> None:
    with start("--folder", str(tmp_path), path=str(tmp_path)) as process:
        _, complaint = process.communicate(timeout=READY_SECONDS)

    assert (process.returncode, "Rscript is not on PATH" in complaint) == (2, True)
