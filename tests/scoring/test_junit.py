"""Checks as JUnit XML: what failed is a failure, what was not proven is skipped, never green."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

from shared.scoring.judgement import Judgement
from shared.scoring.junit import is_proven, junit_xml
from shared.scoring.probe import Contact, Probe
from shared.scoring.verdict import judge
from tests.support.scoring import (
    NOON,
    RIGHT,
    RULES,
    a_golden_check,
    a_live_check,
    a_probe,
    an_answer,
)

SILENT = a_probe(Contact.TIMED_OUT, seconds=10)


def judged(live: Probe | None = None, golden: Probe | None = None) -> Judgement:
    return judge(RULES, [a_live_check(live), a_golden_check(golden)], at=NOON)


def suite(judgement: Judgement) -> ET.Element:
    root = ET.fromstring(junit_xml({"weight": judgement}))  # noqa: S314  # our own
    (found,) = root
    return found


def results(judgement: Judgement) -> dict[str | None, list[str]]:
    """What each case says, by its name."""
    cases = suite(judgement).iter("testcase")
    return {case.get("name"): [result.tag for result in case] for case in cases}


def test_a_healthy_service_passes_all_its_cases() -> None:
    found = suite(judged())

    assert results(judged()) == {"live /live": [], "golden height-138": [], "verdict": []}
    assert (found.get("name"), found.get("tests"), found.get("failures")) == ("weight", "3", "0")
    assert found.get("timestamp") == "2026-11-21T12:00:00Z"


def test_a_wrong_answer_fails_its_case_and_the_verdict_with_what_differs() -> None:
    wrong = judged(golden=an_answer({"response": [161.1]}))

    assert results(wrong) == {
        "live /live": [],
        "golden height-138": ["failure"],
        "verdict": ["failure"],
    }
    failure = suite(wrong).find("testcase[@name='golden height-138']/failure")
    assert failure is not None
    assert failure.get("type") == "golden_differs"
    assert failure.text == "$.response: expected 161.8533, got 161.1"


def test_a_busy_service_is_skipped_and_not_green() -> None:
    assert results(judged(SILENT, SILENT)) == {
        "live /live": ["skipped"],
        "golden height-138": ["skipped"],
        "verdict": ["skipped"],
    }


def test_a_slow_service_passes_and_says_so() -> None:
    assert results(judged(golden=an_answer(RIGHT, seconds=3)))["verdict"] == ["system-out"]


def test_a_case_that_the_verdict_overrules_turns_nothing_red() -> None:
    assert results(judged(live=a_probe(Contact.CUT))) == {
        "live /live": ["skipped"],
        "golden height-138": [],
        "verdict": [],
    }


@pytest.mark.parametrize(
    ("judgements", "proven"),
    [
        ({}, False),
        ({"a": judged()}, True),
        ({"a": judged(golden=an_answer(RIGHT, seconds=3))}, True),
        ({"a": judged(), "b": judged(SILENT, SILENT)}, False),
        ({"a": judged(), "b": judged(golden=an_answer({}))}, False),
    ],
)
def test_only_right_answers_of_all_services_prove_anything(
    judgements: dict[str, Judgement],
    proven: bool,  # noqa: FBT001  # what a row says
) -> None:
    assert is_proven(judgements) is proven


def test_the_totals_are_those_of_all_suites() -> None:
    both = {"a": judged(), "b": judged(golden=an_answer({}))}

    root = ET.fromstring(junit_xml(both))  # noqa: S314  # our own

    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("6", "2", "0")


def test_what_xml_cannot_hold_is_replaced() -> None:
    nasty = an_answer({"error": 'a "<&>\x00\x1b[31m\ud800\uffff'})

    text = ET.tostring(suite(judged(golden=nasty)), encoding="unicode")

    assert "a &quot;&lt;&amp;&gt;?" in text


def test_a_service_without_checks_has_its_verdict() -> None:
    unchecked = judge(RULES, [], at=NOON + timedelta(hours=1))

    assert results(unchecked) == {"verdict": ["failure"]}
