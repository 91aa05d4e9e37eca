"""One round of checks becomes one word, with the evidence nearest to the root cause."""

from datetime import timedelta

import pytest

from shared.scoring.evidence import SENTENCES, VERDICTS, Evidence
from shared.scoring.examined import examine_route, not_sent
from shared.scoring.judgement import Check, CheckKind, Judgement, Verdict
from shared.scoring.platform_evidence import ContainerState, PlatformEvidence
from shared.scoring.presets import ANYBODY
from shared.scoring.probe import Contact, Probe
from shared.scoring.service import Checks
from shared.scoring.verdict import judge
from tests.support.scoring import (
    LIVE,
    NOON,
    RIGHT,
    RULES,
    a_golden_check,
    a_live_check,
    a_probe,
    an_answer,
)

SILENT = a_probe(Contact.TIMED_OUT, seconds=10)


def judged(
    live: Probe | None, golden: Probe | None, *, platform: PlatformEvidence | None = None
) -> Judgement:
    """What is thought of a service whose live route and golden request came to this."""
    checks = [a_live_check(live), a_golden_check(golden)]
    return judge(RULES, checks, at=NOON, platform=platform)


def word(found: Judgement) -> tuple[str, str]:
    return str(found.verdict), str(found.evidence)


def test_every_evidence_belongs_to_one_verdict() -> None:
    listed = [evidence for sentences in SENTENCES.values() for evidence in sentences]

    assert sorted(listed) == sorted(Evidence)
    assert set(VERDICTS.values()) == set(Verdict)


def test_right_golden_answers_in_time_are_healthy() -> None:
    found = judged(None, None)

    assert word(found) == ("healthy", "golden_right")
    assert found.seconds == pytest.approx(0.05)


def test_without_a_golden_request_healthy_only_means_that_it_answers() -> None:
    found = judge(Checks(live=LIVE), [a_live_check()], at=NOON)

    assert word(found) == ("healthy", "answers_only")
    assert found.seconds is None


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        (Contact.UNRESOLVED, ("misconfigured", "name_unknown")),
        (Contact.REFUSED, ("down", "refused")),
        (Contact.UNREACHABLE, ("down", "unreachable")),
        (Contact.CONNECT_TIMED_OUT, ("down", "connect_timed_out")),
        (Contact.TLS_FAILED, ("down", "tls_failed")),
        (Contact.CERTIFICATE_INVALID, ("certificate", "certificate_invalid")),
        (Contact.TIMED_OUT, ("busy", "timed_out")),
        (Contact.CUT, ("down", "cut")),
        (Contact.MALFORMED, ("misconfigured", "not_http")),
        (Contact.TOO_LARGE, ("wrong", "too_large")),
    ],
)
def test_each_way_of_not_getting_an_answer_has_its_word(
    contact: Contact, expected: tuple[str, str]
) -> None:
    found = judged(a_probe(contact), a_probe(contact))

    assert word(found) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (302, ("misconfigured", "redirected")),
        (400, ("wrong", "request_refused")),
        (401, ("unauthorised", "key_refused")),
        (403, ("unauthorised", "forbidden")),
        (404, ("misconfigured", "route_absent")),
        (405, ("misconfigured", "route_absent")),
        (408, ("busy", "gateway_timed_out")),
        (422, ("wrong", "request_refused")),
        (429, ("busy", "overloaded")),
        (500, ("wrong", "error_status")),
        (503, ("wrong", "error_status")),
        (504, ("busy", "gateway_timed_out")),
    ],
)
def test_a_golden_status_that_is_no_success_has_its_word(
    status: int, expected: tuple[str, str]
) -> None:
    found = judged(None, an_answer({}, status=status))

    assert word(found) == expected


def test_a_run_that_raises_is_wrong_while_its_root_says_healthy() -> None:
    raised = an_answer(
        {"message": "An unexpected error occurred in scoring script."},
        status=500,
        headers={"x-ms-run-function-failed": "True"},
    )

    found = judged(a_probe(body=b"Healthy"), raised)

    assert word(found) == ("wrong", "error_status")
    assert "expected status 2xx, got 500" in found.text


def test_server_errors_everywhere_are_down() -> None:
    found = judged(a_probe(status=500), a_probe(status=500))

    assert word(found) == ("down", "error_everywhere")


@pytest.mark.parametrize(("status", "verdict"), [(500, "wrong"), (502, "down"), (503, "down")])
def test_of_one_golden_request_alone_only_a_gateway_error_is_down(
    status: int, verdict: str
) -> None:
    checks = [a_golden_check(a_probe(status=status))]

    found = judge(RULES, checks, at=NOON)

    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"No ready replicas for service", ("down", "no_replicas")),
        (b"Replica closed connection before replying", ("down", "cut")),
        (b"Too many requests for service weight (overloaded)", ("busy", "overloaded")),
    ],
)
def test_the_texts_of_a_front_end_say_what_its_status_does_not(
    body: bytes, expected: tuple[str, str]
) -> None:
    found = judged(None, a_probe(status=503, body=body))

    assert word(found) == expected


def test_another_number_is_wrong_and_told() -> None:
    found = judged(None, an_answer({"response": [161.1]}))

    assert word(found) == ("wrong", "golden_differs")
    assert "$.response: expected 161.8533, got 161.1" in found.text


def test_an_error_inside_a_success_is_wrong() -> None:
    found = judged(None, an_answer({"AML o16n run() function: error": "no kernlab"}))

    assert word(found) == ("wrong", "error_in_answer")
    assert "no kernlab" in found.text


def test_a_right_answer_over_its_budget_is_slow() -> None:
    found = judged(None, an_answer(RIGHT, seconds=2.5))

    assert word(found) == ("slow", "over_budget")
    assert found.seconds == pytest.approx(2.5)


def test_a_right_answer_that_takes_all_its_budget_is_in_time() -> None:
    assert word(judged(None, an_answer(RIGHT, seconds=2.0))) == ("healthy", "golden_right")


def test_the_slowest_of_several_golden_answers_counts() -> None:
    checks = [a_golden_check(an_answer(RIGHT, seconds=seconds)) for seconds in (0.1, 3, 0.2)]

    found = judge(RULES, checks, at=NOON)

    assert (found.verdict, found.seconds) == (Verdict.SLOW, 3)


def test_without_a_cheap_route_a_silent_golden_request_is_all_there_is() -> None:
    found = judge(RULES, [a_golden_check(SILENT)], at=NOON)

    assert word(found) == ("busy", "timed_out")


def test_a_live_route_behind_a_slow_request_makes_no_failure() -> None:
    found = judged(SILENT, None)

    assert word(found) == ("slow", "route_timed_out")


def test_a_golden_request_behind_a_slow_one_makes_no_failure() -> None:
    found = judged(None, SILENT)

    assert word(found) == ("busy", "golden_timed_out")


@pytest.mark.parametrize("contact", [Contact.REFUSED, Contact.CUT, Contact.UNRESOLVED])
def test_a_right_golden_answer_overrules_a_live_route_without_an_answer(contact: Contact) -> None:
    found = judged(a_probe(contact), None)

    assert word(found) == ("healthy", "golden_right")


def test_a_right_golden_answer_does_not_overrule_a_live_route_that_answers_otherwise() -> None:
    found = judged(a_probe(status=404), None)

    assert word(found) == ("misconfigured", "route_absent")


def test_a_guessed_live_route_condemns_no_right_golden_answer() -> None:
    rules = RULES.model_copy(update={"live": ANYBODY})
    live = examine_route(CheckKind.LIVE, ANYBODY, a_probe(status=500))

    right = judge(rules, [live, a_golden_check()], at=NOON)
    wrong = judge(rules, [live, a_golden_check(an_answer({}))], at=NOON)

    assert word(right) == ("healthy", "golden_right")
    assert word(wrong) == ("wrong", "golden_differs")


def test_a_cut_golden_request_is_down_though_the_live_route_answered() -> None:
    found = judged(None, a_probe(Contact.CUT))

    assert word(found) == ("down", "cut")


def test_a_credential_that_cannot_be_had_is_misconfigured() -> None:
    checks = [
        not_sent(CheckKind.LIVE, "/live", "there is no secret weight-key"),
        not_sent(CheckKind.GOLDEN, "height-138", "there is no secret weight-key"),
    ]

    found = judge(RULES, checks, at=NOON)

    assert word(found) == ("misconfigured", "not_sent")
    assert "there is no secret weight-key" in found.text


def test_no_check_is_no_health() -> None:
    assert word(judge(Checks(), [], at=NOON)) == ("misconfigured", "no_check")


def test_a_golden_request_that_was_not_sent_is_no_health() -> None:
    found = judge(RULES, [a_live_check()], at=NOON)

    assert word(found) == ("misconfigured", "golden_not_asked")


@pytest.mark.parametrize(
    ("days", "verdict"), [(13.9, "certificate"), (14, "healthy"), (-1, "certificate")]
)
def test_a_certificate_with_fewer_days_left_than_allowed_is_told(days: float, verdict: str) -> None:
    ends = NOON + timedelta(days=days)

    found = judged(None, an_answer(RIGHT, certificate_ends=ends))

    assert found.verdict == verdict


def test_whatever_else_is_amiss_is_more_pressing_than_a_certificate_that_ends_soon() -> None:
    ends = NOON + timedelta(days=1)

    found = judged(None, an_answer({"response": [1]}, certificate_ends=ends))

    assert found.verdict is Verdict.WRONG


def says(*containers: ContainerState) -> PlatformEvidence:
    return PlatformEvidence(at=NOON, containers=containers, ready=0)


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        (None, ("busy", "timed_out")),
        (says(), ("busy", "timed_out")),
        (says(ContainerState.RUNNING, ContainerState.WAITING), ("busy", "timed_out")),
        (says(ContainerState.WAITING), ("down", "not_running")),
        (says(ContainerState.TERMINATED), ("down", "not_running")),
    ],
)
def test_a_platform_without_a_running_container_shortens_the_doubt(
    platform: PlatformEvidence | None, expected: tuple[str, str]
) -> None:
    assert word(judged(SILENT, SILENT, platform=platform)) == expected


def test_a_platform_does_not_talk_a_right_answer_down() -> None:
    found = judged(None, None, platform=says(ContainerState.TERMINATED))

    assert found.verdict is Verdict.HEALTHY


def test_a_text_is_short_whatever_was_answered() -> None:
    found = judged(None, an_answer({"response": "x" * 100_000}))

    assert len(found.text) <= 500


def test_a_judgement_keeps_the_checks_it_was_made_from() -> None:
    checks: list[Check] = [a_live_check(), a_golden_check()]

    assert judge(RULES, checks, at=NOON).checks == tuple(checks)


@pytest.mark.parametrize(("status", "evidence"), [(302, "redirected"), (304, "golden_differs")])
def test_only_what_leads_elsewhere_is_called_a_redirect(status: int, evidence: str) -> None:
    checks = [a_live_check(), a_golden_check(a_probe(status=status))]

    assert judge(RULES, checks, at=NOON).evidence == evidence
