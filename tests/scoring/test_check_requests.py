"""Checks on demand: one look each, and no crowd that a round has to wait for."""

import asyncio

from shared.scoring.check_requests import CheckRequests
from shared.scoring.probe import Contact
from shared.scoring.round_report import RoundReport
from tests.support.health_stage import HealthStage
from tests.support.scripted import always
from tests.support.virtual_time import run_virtually

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
