"""What the tags of a machine or a workspace say about when it may be up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.compute.uptime import Misconfigured, Uptime, read_uptime

MEANT = {
    ("uptime", "never"): "uptime=none",
    ("uptime", "24/7"): "uptime=always",
    ("uptime", "true"): "uptime=always",
    ("uptime", "off"): "uptime=none",
    ("uptime", ""): "Mon-Fri 07:30-20:30 Europe/Berlin",
    ("uptime", "Mon-Fri 08:00-18:00 Europe/Berln"): "write Europe/Berlin",
    ("shutdown", "true"): "shutdown=never",
    ("shutdown", "Mon-Fri 08:00-18:00 UTC"): "uptime=Mon-Fri 08:00-18:00 UTC",
    ("shutdown", ""): "shutdown=never",
    ("shutdown-schedule", "22:00"): "uptime=Mon-Fri 07:30-20:30 Europe/Berlin",
    ("AutoShutdown", "Yes"): "uptime=",
    ("off_hours", "mon-fri 8:00-18:00 utc"): "uptime=Mon-Fri 08:00-18:00 UTC",
    ("up-time", "always"): "uptime=always",
    ("uptme", "always"): "uptime=always",
    ("shutdow", "never"): "shutdown=never",
    ("Keep Running", "true"): "shutdown=never",
    ("do-not-shutdown", "1"): "shutdown=never",
}
NONE_OF_OURS = [
    {},
    {"shutdown": "never"},
    {"Shutdown": " NEVER "},
    {"runtime": "python"},
    {"uptime-sla": "99.9"},
    {"schedule": "weekly backup"},
    {"startup": "init.sh"},
    {"owner": "ada", "cost-center": "42", "": ""},
]


@pytest.mark.parametrize("name", ["uptime", "Uptime", "UPTIME", " uptime "])
def test_the_tag_is_read_whatever_its_capital_letters(name: str) -> None:
    tag = read_uptime({"owner": "ada", name: "mon-fri 07:30-20:30 EUROPE/BERLIN"})

    assert isinstance(tag, Uptime)
    assert str(tag.schedule) == "Mon-Fri 07:30-20:30 Europe/Berlin"
    assert (tag.tag, tag.value) == (name, "mon-fri 07:30-20:30 EUROPE/BERLIN")


@pytest.mark.parametrize(("value", "always"), [("ALWAYS", True), ("none", False)])
def test_always_and_none_are_values(value: str, *, always: bool) -> None:
    tag = read_uptime({"uptime": value})

    assert isinstance(tag, Uptime)
    assert tag.schedule.always is always


@pytest.mark.parametrize("tags", NONE_OF_OURS, ids=str)
def test_other_tags_are_none_of_our_business(tags: dict[str, str]) -> None:
    assert read_uptime(tags) is None


@pytest.mark.parametrize(("name", "value"), MEANT)
def test_a_tag_that_was_meant_for_us_is_reported_with_what_would_be_right(
    name: str, value: str
) -> None:
    tag = read_uptime({"owner": "ada", name: value})

    assert isinstance(tag, Misconfigured)
    assert (tag.tag, tag.value) == (name, value)
    assert tag.problem
    assert MEANT[name, value] in tag.suggestion
    assert str(tag) == f"{name}={value}: {tag.problem}; {tag.suggestion}"


@pytest.mark.parametrize("order", [1, -1])
def test_a_misconfigured_tag_counts_before_one_that_is_well(order: int) -> None:
    tags = [("uptime", "none"), ("keep-running", "true")][::order]

    assert isinstance(read_uptime(dict(tags)), Misconfigured)


def test_a_long_value_is_cut_to_a_hundred_printable_characters() -> None:
    tag = read_uptime({"uptime": "\x1b[31m" + "x" * 250})

    assert isinstance(tag, Misconfigured)
    assert len(tag.value) == 100
    assert tag.value.isprintable()


@given(value=st.text(max_size=256))
def test_any_value_is_either_a_schedule_or_reported(value: str) -> None:
    tag = read_uptime({"uptime": value})

    assert isinstance(tag, Uptime | Misconfigured)


@given(
    value=st.lists(
        st.sampled_from(
            ["Mon-Fri", "Sat", "08:00-18:00", "24:00", "UTC", "Europe/Berlin", "always", ",", "/",
             "2026-12-24T08:00/2026-12-27T06:00", "holidays=DE", "-", "+", "="]
        ),
        max_size=8,
    ).map(" ".join)
)  # fmt: skip
def test_any_heap_of_words_is_either_a_schedule_or_reported(value: str) -> None:
    tag = read_uptime({"uptime": value})

    assert isinstance(tag, Uptime | Misconfigured)
    if isinstance(tag, Uptime):
        assert read_uptime({"uptime": str(tag.schedule)}) is not None
