"""Services in the summary: the worst first, and none is well that was not seen to answer right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.dashboard.status import Severity, Status
from shared.scoring.judgement import Proven, Verdict
from shared.scoring.state import Health, ServiceState
from shared.scoring.uptime import RollUp
from tests.dashboard.seen import ANSWERS, DOWN, WELL, a_round
from tests.dashboard.stage import MINUTE, Overview
from tests.support.builders import NIGHT


async def test_services_are_worst_first_and_one_in_maintenance_wakes_nobody(calm: Overview) -> None:
    names = ("well", "answers", "down", "rests", "new", "stale", "weight")
    calm.notes.texts["seen.scoring"] = a_round(*names).model_dump_json()
    stale = ServiceState(
        health=Health.HEALTHY, verdict=Verdict.HEALTHY, checked_at=NIGHT - 16 * MINUTE
    )
    calm.states.states |= {
        "well": WELL,
        "answers": ANSWERS,
        "down": DOWN,
        "rests": DOWN,
        "stale": stale,
    }
    await calm.rest("rests", until=NIGHT + MINUTE)

    summary = await calm.summary()

    assert [each.name for each in summary.scoring.services] == [
        *("down", "new", "stale", "answers", "weight", "well", "rests"),
    ]
    assert summary.scoring.counts == {
        Status.OK: 2,
        Status.UNPROVEN: 1,
        Status.TROUBLE: 2,
        Status.UNKNOWN: 2,
    }
    assert [(each.severity, each.text, each.reason) for each in summary.troubles] == [
        (Severity.CRITICAL, "down is unhealthy: down.", "Connection refused."),
        (Severity.UNKNOWN, "How new is: not known yet.", None),
        (Severity.UNKNOWN, "How stale is: it was not checked in the last 15 minutes.", None),
    ]


@pytest.mark.parametrize(
    ("state", "proven"),
    [
        (ANSWERS, Proven.ANSWERS_ONLY),
        (replace(WELL, verdict=Verdict.BUSY, evidence="timed_out"), Proven.NOTHING),
    ],
)
async def test_a_service_not_seen_to_answer_right_is_neither_ok_nor_a_trouble(
    calm: Overview, state: ServiceState, proven: Proven
) -> None:
    calm.states.states["weight"] = state

    summary = await calm.summary()

    (service,) = summary.scoring.services
    assert (service.status, service.proven, service.verdict) == (
        Status.UNPROVEN,
        proven,
        state.verdict,
    )
    assert summary.status is summary.scoring.status is Status.UNPROVEN
    assert summary.troubles == ()


async def test_a_service_in_maintenance_does_not_keep_the_rest_from_being_ok(
    calm: Overview,
) -> None:
    calm.notes.texts["seen.scoring"] = a_round("weight", "rests").model_dump_json()
    calm.states.states["rests"] = ANSWERS
    await calm.rest("rests", until=NIGHT + MINUTE)

    summary = await calm.summary()

    assert summary.status is Status.OK


async def test_a_service_that_gets_well_is_called_unhealthy_in_words_that_say_so(
    calm: Overview,
) -> None:
    calm.states.states["weight"] = replace(WELL, health=Health.UNHEALTHY)

    summary = await calm.summary()

    assert [each.text for each in summary.troubles] == [
        "weight is still called unhealthy: its last check said healthy.",
    ]


@pytest.mark.parametrize(
    ("hours", "told"),
    [(2, ["No longer looked after: svm, weight."]), (25, [])],
    ids=["within a day", "long ago"],
)
async def test_services_that_are_named_no_more_are_told_for_a_day(
    calm: Overview, hours: int, told: list[str]
) -> None:
    before = replace(WELL, checked_at=NIGHT - 60 * hours * MINUTE)
    calm.states.states |= {"weight": before, "svm": before}
    calm.notes.texts["seen.scoring"] = a_round().model_dump_json()

    summary = await calm.summary()

    assert [each.text for each in summary.troubles] == told
    assert summary.scoring.status is (Status.UNKNOWN if told else Status.OK)


async def test_a_service_newer_than_the_last_note_is_not_called_dropped(calm: Overview) -> None:
    calm.states.states["new"] = replace(WELL, checked_at=NIGHT)

    assert (await calm.summary()).status is Status.OK


async def test_a_healthy_service_that_failed_once_is_a_warning_and_not_ok(calm: Overview) -> None:
    failed = ServiceState(
        health=Health.HEALTHY, verdict=Verdict.WRONG, text="It said 161.1.", checked_at=NIGHT
    )
    calm.states.states["weight"] = failed

    summary = await calm.summary()

    (trouble,) = summary.troubles
    assert (trouble.severity, trouble.text) == (
        Severity.WARNING,
        "weight failed its last check: wrong.",
    )


async def test_uptime_is_that_of_the_known_hours_and_nothing_where_none_is(calm: Overview) -> None:
    calm.notes.texts["seen.scoring"] = a_round("weight", "new").model_dump_json()
    hour = NIGHT - timedelta(hours=2)
    rolled = RollUp(hour=hour, up_seconds=2700, down_seconds=900)
    await calm.hours.save_hour(hour, {"weight": rolled})

    summary = await calm.summary()

    shown = {each.name: each.uptime_percent for each in summary.scoring.services}
    assert shown == {"weight": 75.0, "new": None}
