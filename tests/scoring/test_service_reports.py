"""Services as callers see them."""

from datetime import timedelta

import pytest

from shared.scoring.judgement import Proven, Verdict
from shared.scoring.service_reports import report_of
from shared.scoring.state import Health, ServiceState
from tests.support.scoring import NOON
from tests.support.scoring_builders import a_subject


@pytest.mark.parametrize(
    ("ago", "stale"),
    [(None, False), (timedelta(minutes=15), False), (timedelta(minutes=16), True)],
)
def test_what_was_seen_too_long_ago_is_told_as_stale(ago: timedelta | None, *, stale: bool) -> None:
    state = ServiceState(health=Health.HEALTHY, checked_at=NOON - ago if ago else None)

    shown = report_of(a_subject(), state, maintenance_until=None, at=NOON)

    assert (shown.state, shown.stale) == (Health.HEALTHY, stale)


@pytest.mark.parametrize(
    ("verdict", "evidence", "proven"),
    [
        (Verdict.HEALTHY, "golden_right", Proven.RIGHT_ANSWERS),
        (Verdict.SLOW, "over_budget", Proven.RIGHT_ANSWERS),
        (Verdict.HEALTHY, "answers_only", Proven.ANSWERS_ONLY),
        (Verdict.BUSY, "timed_out", Proven.NOTHING),
        (Verdict.HEALTHY, "of a later version", Proven.NOTHING),
        (None, "", None),
    ],
)
def test_a_service_says_what_its_verdict_rests_on(
    verdict: Verdict | None, evidence: str, proven: Proven | None
) -> None:
    state = ServiceState(verdict=verdict, evidence=evidence, checked_at=NOON)

    assert report_of(a_subject(), state, maintenance_until=None, at=NOON).proven is proven
