"""What `make run` runs: a night of the committed seeds, watched, printed and judged."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.local_host import REPOSITORY

LIMIT_SECONDS = 180
NIGHTS = ("default", "troubled")
# One of every trouble: how it ends, and words of what is said about it.
TROUBLE = {
    "ci-full-disk": ("refused", "disk is full"),
    "ci-stop-fails": ("stop_failed", "could not be deallocated"),
    "ci-never-stops": ("still_stopping", "not stopped at the deadline"),
    "ci-started-again": ("started_again", "Start by User"),
    "ci-scheduled-start": ("started_again", "Start by Schedule"),
    "ci-dead-end": ("refused", "Restart or delete it: it may cost"),
    "ci-unknown": ("unknown", "nothing is known about it"),
    "ci-being-made": ("unresolved", "still being created"),
}
STOPPED = ("ci-ada", "ci-hana", "ci-busy-a-while", "ci-slow", "ci-no-price")


def start_night(seed: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local_host.night", "--seed", seed, "--folder", str(folder)],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, tuple[int, str]]]:
    """Exit status and output of each night; they mostly wait, so they run side by side."""
    with ExitStack() as stack:
        started = {
            seed: stack.enter_context(start_night(seed, tmp_path_factory.mktemp(seed)))
            for seed in NIGHTS
        }
        for process in started.values():
            stack.callback(process.terminate)
        said = {seed: p.communicate(timeout=LIMIT_SECONDS)[0] for seed, p in started.items()}
        yield {seed: (started[seed].returncode, said[seed]) for seed in NIGHTS}


def test_a_tag_that_cannot_be_understood_is_named_with_what_is_wrong(
    nights: Mapping[str, tuple[int, str]],
) -> None:
    (line,) = re.findall(r"^ci-bad-uptime has the tag .*$", nights["troubled"][1], re.MULTILINE)

    assert re.search(r"uptime=.+: .{10,}", line)


def test_the_default_night_succeeds(nights: Mapping[str, tuple[int, str]]) -> None:
    status, said = nights["default"]

    assert status == 0
    assert re.search(r"succeeded in \d+ s: 12 instances seen, [1-9]\d* stopped", said)
    assert re.search(r"Saves \d+\.\d\d USD an hour", said)
    assert "the timer's invocation succeeded" in said


def test_every_price_is_printed_in_full(nights: Mapping[str, tuple[int, str]]) -> None:
    rows = [row for row in nights["default"][1].splitlines() if row.strip().startswith("ci-")]

    assert len(rows) == 12
    assert [row for row in rows if not re.search(r"\d\.\d\d\s*$", row)] == []


def test_the_troubled_night_is_partial(nights: Mapping[str, tuple[int, str]]) -> None:
    status, said = nights["troubled"]

    assert status == 1
    assert re.search(r"partial in \d+ s: \d+ instances seen, \d+ stopped", said)
    assert "the timer's invocation failed" in said


@pytest.mark.parametrize(("name", "ending"), TROUBLE.items(), ids=TROUBLE.keys())
def test_the_troubled_night_names(
    nights: Mapping[str, tuple[int, str]], name: str, ending: tuple[str, str]
) -> None:
    outcome, words = ending

    (line,) = re.findall(rf"^{name} {outcome}: .*$", nights["troubled"][1], re.MULTILINE)
    assert words in line


def test_the_troubled_night_names_the_workspace_without_access(
    nights: Mapping[str, tuple[int, str]],
) -> None:
    assert re.search(r"mlw-locked could not be read: .*AuthorizationFailed", nights["troubled"][1])


def test_trouble_spares_the_rest(nights: Mapping[str, tuple[int, str]]) -> None:
    said = nights["troubled"][1]

    rows = {row.split()[0]: row for row in said.splitlines() if row.strip().startswith("ci-")}
    assert [name for name in STOPPED if " stopped " not in rows[name]] == []


def test_a_seed_that_is_not_there_could_not_run(tmp_path: Path) -> None:
    with start_night("nosuch", tmp_path) as process:
        said = process.communicate(timeout=LIMIT_SECONDS)[0]

    assert process.returncode == 2
    assert "default, troubled" in said
