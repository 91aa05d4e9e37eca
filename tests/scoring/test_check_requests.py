"""Checks on demand: one look each, and no crowd that a round has to wait for."""

import asyncio
import json
from dataclasses import replace

import pytest

from shared.replies import Reply
from shared.scoring.check_requests import CheckRequests
from shared.scoring.probe import Contact
from shared.scoring.round_report import RoundReport
from shared.scoring.service import Checks
from tests.support.health_stage import HealthStage, healthy
from tests.support.scripted import Behaviour, always
from tests.support.virtual_time import run_virtually

BARE = Checks.model_validate({"live": {"path": "/live"}})
SILENT = always(contact=Contact.TIMED_OUT)


def test_a_crowd_that_checks_a_hanging_service_does_not_keep_its_round_waiting() -> None:
    stage = HealthStage()
    stage.serve("hanging", SILENT)
    examiner = stage.rounds.examiner
    checks = CheckRequests(examiner=examiner)

    async def story() -> tuple[RoundReport, list[int]]:
        crowd = [asyncio.create_task(checks.check(stage.subjects[0], {})) for _ in range(20)]
        await asyncio.sleep(1)
        report = await stage.round()
        return report, [each.status for each in await asyncio.gather(*crowd)]

    report, statuses = run_virtually(story())

    assert [each.name for each in report.services] == ["hanging"]
    # Two questions of its own, and one of the crowd before each: ten seconds every time.
    assert (report.ended_at - report.started_at).total_seconds() <= 40
    assert statuses == [424] * 20


def checked(behaviour: Behaviour, rules: Checks | None, accept: str = "*/*") -> Reply:
    stage = HealthStage()
    stage.serve("weight", behaviour)
    (subject,) = stage.subjects
    checks = CheckRequests(examiner=stage.rounds.examiner)
    examined = replace(subject, rules=rules) if rules else subject
    return run_virtually(checks.check(examined, {"Accept": accept}))


@pytest.mark.parametrize(
    ("behaviour", "rules", "status", "proven"),
    [
        pytest.param(healthy, None, 200, "right_answers", id="golden requests answered right"),
        pytest.param(healthy, BARE, 200, "answers_only", id="nobody knows the right answer"),
        pytest.param(SILENT, BARE, 424, "nothing", id="silent"),
        pytest.param(always(status=500), None, 424, "nothing", id="fails"),
    ],
)
def test_an_answer_says_what_the_check_has_proven(
    behaviour: Behaviour, rules: Checks | None, status: int, proven: str
) -> None:
    reply = checked(behaviour, rules)

    assert (reply.status, json.loads(reply.body or "")["proven"]) == (status, proven)


def test_a_pipeline_does_not_see_green_where_nobody_knows_the_right_answer() -> None:
    reply = checked(healthy, BARE, accept="application/xml")

    assert 'skipped="1"' in str(reply.body)
    assert "no golden request says whether its answers are right" in str(reply.body)
