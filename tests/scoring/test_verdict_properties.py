"""Any checks, judged: always one word, and never a green one without proof."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.scoring.evidence import VERDICTS, Evidence
from shared.scoring.examined import not_sent
from shared.scoring.finding import find
from shared.scoring.judgement import Check, CheckKind, Verdict
from shared.scoring.platform_evidence import ContainerState, PlatformEvidence
from shared.scoring.probe import Contact, Probe
from shared.scoring.verdict import judge, may_become_right
from tests.support.scoring import (
    NOON,
    RIGHT,
    RULES,
    a_golden_check,
    a_live_check,
    a_probe,
    an_answer,
)

BODIES: st.SearchStrategy[Any] = st.sampled_from(
    [RIGHT, {"response": 1}, {"error": "no model"}, "No ready replicas", "(overloaded)", None]
)
SECONDS = st.floats(0, 15)


@st.composite
def probes(draw: st.DrawFn) -> Probe:
    contact = draw(st.sampled_from(Contact))
    if contact is not Contact.ANSWERED:
        return a_probe(contact, seconds=draw(SECONDS))
    status = draw(st.sampled_from([200, 200, 204, 301, 401, 403, 404, 429, 500, 502, 503, 504]))
    return an_answer(draw(BODIES), status=status, seconds=draw(SECONDS))


CHECKS = st.lists(
    st.one_of(
        probes().map(a_live_check),
        probes().map(a_golden_check),
        st.just(not_sent(CheckKind.GOLDEN, "height-138", "no such secret")),
    ),
    max_size=5,
)
PLATFORMS = st.none() | st.lists(st.sampled_from(ContainerState), max_size=3).map(
    lambda states: PlatformEvidence(at=NOON, containers=states)
)


@given(checks=CHECKS, platform=PLATFORMS)
def test_any_checks_get_one_word_with_its_evidence(
    checks: list[Check], platform: PlatformEvidence | None
) -> None:
    found = judge(RULES, checks, at=NOON, platform=platform)

    assert VERDICTS[Evidence(found.evidence)] is found.verdict
    assert 0 < len(found.text) <= 500


@given(checks=CHECKS, platform=PLATFORMS)
def test_healthy_and_slow_need_a_golden_answer_that_is_right(
    checks: list[Check], platform: PlatformEvidence | None
) -> None:
    found = judge(RULES, checks, at=NOON, platform=platform)

    goldens = [check for check in checks if check.kind is CheckKind.GOLDEN]
    if found.verdict in {Verdict.HEALTHY, Verdict.SLOW}:
        assert goldens
        assert not any(map(find, goldens))


@given(checks=CHECKS)
def test_what_may_become_right_is_right_once_a_golden_answer_is(checks: list[Check]) -> None:
    right = a_golden_check(an_answer(RIGHT, status=200))

    found = judge(RULES, [*checks, right], at=NOON)

    assert may_become_right(RULES, checks) is (found.verdict in {Verdict.HEALTHY, Verdict.SLOW})


@given(checks=CHECKS)
def test_busy_needs_something_that_came_too_late_and_nothing_worse(checks: list[Check]) -> None:
    found = judge(RULES, checks, at=NOON)

    if found.verdict is Verdict.BUSY:
        amiss = [evidence for evidence in map(find, checks) if evidence]
        assert amiss
        assert {VERDICTS[evidence] for evidence in amiss} == {Verdict.BUSY}


@given(checks=CHECKS)
def test_platform_evidence_changes_only_what_is_busy(checks: list[Check]) -> None:
    stopped = PlatformEvidence(at=NOON, containers=[ContainerState.TERMINATED])

    without, told = judge(RULES, checks, at=NOON), judge(RULES, checks, at=NOON, platform=stopped)

    assert told == without or without.verdict is Verdict.BUSY
