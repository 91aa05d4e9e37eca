"""What Azure says of a service counts where it answers and nobody knows which answer is right."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import AzureRequestError
from shared.scoring.attempts import Examiner
from shared.scoring.azure import FoundService
from shared.scoring.azure_word import AzureWord, ReadAnew
from shared.scoring.evidence import SENTENCES, Evidence
from shared.scoring.examined import examine_route
from shared.scoring.judgement import CheckKind, Judgement, Verdict
from shared.scoring.presets import ANYBODY
from shared.scoring.probe import Contact
from shared.scoring.service import Checks, Kind
from shared.scoring.verdict import judge
from tests.support.builders import NIGHT
from tests.support.fake_scoring import FakeScoring
from tests.support.found_services import WORKSPACE, azure_word, found
from tests.support.health_stage import HealthStage, healthy, the, virtual_now
from tests.support.scoring import NOON, RULES, a_golden_check, a_live_check, a_probe, an_answer
from tests.support.virtual_time import run_virtually

MINUTE = timedelta(minutes=1)
BARE = Checks(live=ANYBODY)
ANSWERS = SENTENCES[Verdict.HEALTHY][Evidence.ANSWERS_ONLY]
FAILED: dict[str, Any] = {"state": "Failed", "error": "DeploymentTimedOut: polling has TimedOut."}


def judged(word: AzureWord) -> Judgement:
    """What is thought of a service that answers 401 to anybody, and of which Azure says this."""
    check = examine_route(CheckKind.LIVE, ANYBODY, an_answer({}, status=401))
    return judge(BARE, [check], at=NOON, azure=word)


@pytest.mark.parametrize("state", ["Failed", "Unhealthy", "Unschedulable", "failed"])
def test_what_azure_calls_broken_is_down_in_azures_words(state: str) -> None:
    found = judged(azure_word(seen_at=NOON - MINUTE, state=state, error="No pods: out of memory."))

    assert (found.verdict, found.evidence) == (Verdict.DOWN, Evidence.AZURE_UNHEALTHY)
    assert found.text == (
        f"It answers, but Azure calls it {state} (seen 2026-11-21 11:59 UTC): "
        "No pods: out of memory."
    )


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"state": "Transitioning"}, "calls it Transitioning"),
        ({"kind": Kind.AML_ONLINE, "state": "Failed"}, "calls it Failed"),
        ({"kind": Kind.AML_ONLINE, "state": "Updating"}, "calls it Updating"),
        (
            {"kind": Kind.AML_ONLINE, "gets_traffic": False},
            "shows no deployment that gets traffic",
        ),
        (
            {"kind": Kind.AML_ONLINE, "state": "Creating", "gets_traffic": False},
            "calls it Creating and shows no deployment that gets traffic",
        ),
    ],
)
def test_what_is_no_word_of_health_stands_beside_the_verdict(
    said: dict[str, Any], text: str
) -> None:
    found = judged(azure_word(seen_at=NOON - MINUTE, **said))

    assert (found.verdict, found.evidence) == (Verdict.HEALTHY, Evidence.ANSWERS_ONLY)
    assert found.text == f"{ANSWERS} Azure {text} (seen 2026-11-21 11:59 UTC)."


@pytest.mark.parametrize(
    "said",
    [
        {"state": "Healthy"},
        {"state": ""},
        {"kind": Kind.AML_ONLINE, "state": "Succeeded", "gets_traffic": True},
        {"kind": Kind.AML_ONLINE, "state": "Succeeded", "gets_traffic": None},
    ],
)
def test_where_azure_sees_nothing_amiss_nothing_is_added(said: dict[str, Any]) -> None:
    assert judged(azure_word(seen_at=NOON, **said)).text == ANSWERS


def test_a_word_too_old_to_count_is_told_with_its_time() -> None:
    found = judged(azure_word(seen_at=NOON - 16 * MINUTE, **FAILED))

    assert found.evidence == Evidence.ANSWERS_ONLY
    assert "Azure calls it Failed (seen 2026-11-21 11:44 UTC): DeploymentTimedOut" in found.text


def test_a_right_golden_answer_beats_azures_word() -> None:
    checks = [a_live_check(), a_golden_check()]

    found = judge(RULES, checks, at=NOON, azure=azure_word(seen_at=NOON, **FAILED))

    assert (found.evidence, "Azure" in found.text) == (Evidence.GOLDEN_RIGHT, False)


@pytest.mark.parametrize("contact", [Contact.REFUSED, Contact.TIMED_OUT])
def test_who_does_not_answer_is_judged_by_that(contact: Contact) -> None:
    checks = [a_live_check(a_probe(contact))]
    word = azure_word(seen_at=NOON, **FAILED)

    assert judge(BARE, checks, at=NOON, azure=word) == judge(BARE, checks, at=NOON)


class Story:
    """A service that answers, found in a list of some minutes ago; Azure may say something else now."""

    def __init__(self, *, minutes: int = 5, **listed: Any) -> None:
        self.listed = found(kind=Kind.AML_V1, **listed)
        self.azure = FakeScoring(now=virtual_now, workspaces={WORKSPACE: [self.listed]})
        self.stage = HealthStage(azure=ReadAnew(azure={Kind.AML_V1: self.azure}, now=virtual_now))
        self.stage.serve("weight", healthy)
        (subject,) = self.stage.subjects
        word = AzureWord(found=self.listed, seen_at=NIGHT - minutes * MINUTE)
        self.stage.subjects = [replace(subject, rules=BARE, azure=word)]

    def now_said(self, found_now: FoundService) -> None:
        self.azure.workspaces[WORKSPACE] = [found_now]

    def judged(self) -> Judgement:
        return the(run_virtually(self.stage.round()), "weight").judgement


def test_what_would_call_a_service_down_is_read_anew_once_before_it_counts() -> None:
    story = Story(**FAILED)
    story.now_said(replace(story.listed, state="Unhealthy", error=""))

    judgement = story.judged()

    assert judgement.evidence == Evidence.AZURE_UNHEALTHY
    assert "calls it Unhealthy (seen " in judgement.text
    assert story.azure.calls == [f"get_service {story.listed.id}"]


def test_a_service_that_has_recovered_since_the_list_is_not_down() -> None:
    story = Story(**FAILED)
    story.now_said(replace(story.listed, state="Healthy", error=""))

    judgement = story.judged()

    assert (judgement.verdict, judgement.text) == (Verdict.HEALTHY, ANSWERS)


@pytest.mark.parametrize(
    ("minutes", "evidence"),
    [(5, Evidence.AZURE_UNHEALTHY), (16, Evidence.ANSWERS_ONLY)],
)
def test_where_azure_cannot_be_asked_its_last_word_counts_as_long_as_a_list_does(
    minutes: int, evidence: Evidence
) -> None:
    story = Story(minutes=minutes, **FAILED)
    story.azure.failures[story.listed.id] = AzureRequestError("503", status=503)

    judgement = story.judged()

    assert judgement.evidence == evidence
    assert "Azure calls it Failed" in judgement.text
    assert story.azure.calls


def test_azure_that_does_not_answer_delays_a_round_by_seconds_alone() -> None:
    story = Story(**FAILED)
    story.azure.hanging.add(story.listed.id)

    judgement = story.judged()

    assert judgement.evidence == Evidence.AZURE_UNHEALTHY
    assert judgement.at - NIGHT < MINUTE


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, FAILED), (5, {"state": "Transitioning"}), (5, {"state": "Healthy"})]
)
def test_what_is_of_now_or_calls_nobody_down_is_not_read_again(
    minutes: int, said: dict[str, Any]
) -> None:
    story = Story(minutes=minutes, **said)

    story.judged()

    assert story.azure.calls == []


async def test_an_examiner_without_azure_takes_the_lists_word() -> None:
    story = Story(**FAILED)
    examiner: Examiner = replace(story.stage.examiner(), azure=None, now=lambda: NIGHT)

    (judgement,) = await examiner.judge(story.stage.subjects[0])

    assert judgement.evidence == Evidence.AZURE_UNHEALTHY
