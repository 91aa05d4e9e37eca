"""The document about schedules says what the code does."""

import re
from pathlib import Path

import pytest

from shared.compute.schedule import parse_schedule
from shared.compute.uptime import MEANT_AS_NEVER, MEANT_AS_SCHEDULE, Misconfigured, read_uptime

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "schedules.md").read_text("utf-8")


def examples() -> list[str]:
    block = re.search(r"```schedule\n(.*?)```", DOCUMENT, re.DOTALL)
    return block[1].splitlines() if block else []


def documented_names() -> list[str]:
    table = DOCUMENT.split("| meant | names |\n", 1)[1].split("\n\n", 1)[0]
    cells = " ".join(line.split("|")[2] for line in table.splitlines()[1:])
    return re.findall(r"`([^`]+)`", cells)


def test_there_are_examples() -> None:
    assert len(examples()) >= 5


@pytest.mark.parametrize("text", examples())
def test_an_example_is_a_schedule_in_its_canonical_form(text: str) -> None:
    assert str(parse_schedule(text)) == text


@pytest.mark.parametrize("name", documented_names())
def test_a_documented_look_alike_is_reported(name: str) -> None:
    assert isinstance(read_uptime({name: "true"}), Misconfigured)


def test_every_look_alike_is_documented() -> None:
    documented = {re.sub(r"[-_. ]", "", name) for name in documented_names()}

    assert documented == MEANT_AS_SCHEDULE | MEANT_AS_NEVER
