"""What `make serve` runs: the calls that it prints are answered, the redeploys among them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from local_host.client import Answer, send
from tests.support.local_host import REPOSITORY, poll

START_SECONDS, REDEPLOY_SECONDS = 90, 60
VALUED = ("-H", "-X", "-d")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A curl command as it is printed."""

    method: str
    url: str
    headers: dict[str, str]
    body: dict[str, Any] | None

    def send(self) -> Answer:
        return send(self.method, self.url, headers=self.headers, body=self.body)


def parsed(line: str) -> Call:
    """Read a line of curl."""
    given: dict[str, list[str]] = {option: [] for option in VALUED}
    words, urls = iter(shlex.split(line)[1:]), []
    for word in words:
        if word in VALUED:
            given[word].append(next(words))
        elif not word.startswith("-"):
            urls.append(word)
    (url,) = urls
    body = json.loads(given["-d"][0]) if given["-d"] else None
    (method,) = given["-X"] or ["POST" if body else "GET"]
    headers = dict(each.split(": ", 1) for each in given["-H"])
    return Call(method=method, url=url, headers=headers, body=body)


@pytest.fixture(scope="module")
def calls() -> Iterator[list[Call]]:
    """What is printed to be copied, while all of it runs."""
    # As make has it: the app reads its file of services from a folder of its own.
    cache = REPOSITORY / ".cache"
    cache.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix="serve-") as name:
        folder = Path(name)
        with start("troubled", folder) as process:
            try:
                yield printed(folder / "said")
            finally:
                process.terminate()


def start(seed: str, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "local_host.serve", "--seed", seed, "--folder", str(folder)],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )


def printed(said: Path) -> list[Call]:
    def look() -> list[Call] | None:
        text = said.read_text("utf-8")
        if "Ctrl-C" not in text:
            return None
        lines = [each.strip() for each in text.splitlines()]
        return [parsed(each) for each in lines if each.startswith("curl ")]

    return poll(look, seconds=START_SECONDS, what="the calls that make serve prints")


def test_each_call_that_reads_or_checks_is_answered(calls: list[Call]) -> None:
    harmless = [each for each in calls if each.method == "GET" or each.url.endswith("/check")]

    # 207: the seed has a workspace that cannot be read. 424: without R nobody listens.
    answers = {each.url: each.send().status for each in harmless}

    assert len(answers) == 5
    assert {url: status for url, status in answers.items() if status not in {200, 207, 424}} == {}


def test_each_redeploy_that_is_printed_would_be_let_in_one_after_the_other(
    calls: list[Call],
) -> None:
    orders = [each for each in calls if each.url.endswith("/redeploy")]

    ends = [end_of_dry(each) for each in orders]

    assert len(orders) == 3
    assert [each["state"] for each in ends] == ["succeeded"] * 3, ends


def end_of_dry(order: Call) -> dict[str, Any]:
    """Begin a redeploy that changes nothing, and return what it says at its end."""
    dry = replace(order, body={**(order.body or {}), "dry_run": True}).send()
    root = order.url.partition("/api/")[0]

    def look() -> dict[str, Any] | None:
        url = f"{root}{dry.headers['location']}"
        seen: dict[str, Any] = send("GET", url, headers=order.headers).json()
        return seen if seen["done"] else None

    return poll(look, seconds=REDEPLOY_SECONDS, what="the end of a dry run")


def test_a_seed_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    status, said = refused("nosuch", tmp_path)

    assert status == 2
    assert "no seed 'nosuch'; there are: default, troubled" in said


def test_a_folder_that_the_app_could_not_read_is_refused() -> None:
    # Tests keep what they make in the checkout, where the app reads.
    with TemporaryDirectory(dir="/tmp") as elsewhere:
        status, said = refused("default", Path(elsewhere))

    assert status == 2
    assert "the app reads no file outside its own folder" in said


def refused(seed: str, folder: Path) -> tuple[int, str]:
    with start(seed, folder) as process:
        try:
            status = process.wait(START_SECONDS)
        finally:
            process.terminate()
    return status, (folder / "said").read_text("utf-8")
