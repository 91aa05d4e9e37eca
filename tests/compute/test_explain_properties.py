"""For any rules and any machine an explanation is what is decided, and its change the first one.

The oracle asks for the decision once a minute; everything that a case has lies on whole minutes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from shared.compute.exemptions import Exemption
from shared.compute.explain import explain, next_decision
from shared.compute.instance import Compute, InstanceState
from shared.compute.policy import decide
from shared.compute.rulebook import Allowances, Rulebook
from shared.compute.schedule import parse_schedule
from tests.support.builders import a_workspace, an_instance, an_operation

MINUTE = timedelta(minutes=1)
MINUTES_JUDGED = 3 * 1440
# Europe's clocks go back on this Sunday, America's a week later.
START = datetime(2026, 10, 24, tzinfo=UTC)
STATES = [*(str(state) for state in InstanceState), None, "Hibernating"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
WORKSPACE = a_workspace().id
BERLIN = parse_schedule("Mon-Sun 06:00-22:00 Europe/Berlin")
# 02:30 there, for the first time.
TWICE_IN_BERLIN = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

moments = st.integers(-3 * 1440, 4 * 1440).map(lambda minutes: START + minutes * MINUTE)
spans = st.one_of(st.just(0), st.integers(1, 3000)).map(lambda minutes: minutes * MINUTE)
clocks = st.integers(0, 1439).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")


@dataclass(frozen=True, kw_only=True)
class Case:
    compute: Compute
    book: Rulebook
    at: datetime


@st.composite
def weekly_windows(draw: st.DrawFn) -> str:
    start, end = draw(st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1]))
    days = draw(st.sampled_from(["Mon-Sun", "Mon-Fri", "Sat-Sun", "Sun", "Mon+Wed", "Sat"]))
    return f"{days} {start}-{end} {draw(st.sampled_from(ZONES))}"


schedules = st.one_of(
    st.sampled_from(["always", "none", "2026-10-24T12:00/2026-10-25T02:30 Europe/Berlin"]),
    st.lists(weekly_windows(), min_size=1, max_size=3).map(", ".join),
)
tags: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    schedules.map(lambda text: {"uptime": text}),
    st.sampled_from([{"shutdown": "never"}, {"uptime": "never"}, {"Team": "pricing"}]),
)
exemptions = st.builds(
    Exemption,
    exemption_id=st.sampled_from(["a", "b"]),
    resource_id=st.sampled_from(
        [f"{WORKSPACE}/computes/ci-ada", WORKSPACE.upper(), f"{WORKSPACE}/computes/ci-bob"]
    ),
    until=moments,
    reason=st.just("training"),
    claimed_by=st.just(""),
    created_at=st.just(START),
)
operations = st.builds(
    an_operation,
    st.sampled_from(["Start", "Restart", "Create", "Stop"]),
    at=st.one_of(st.none(), moments),
    trigger=st.sampled_from(["User", "Schedule"]),
)
allowances = st.builds(
    Allowances,
    late_start=spans,
    min_uptime=spans,
    job_deadline=spans,
    stop_overdue_jobs=st.booleans(),
    stop_job_running=st.sampled_from([False, False, True]),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    home = a_workspace(tags=draw(tags))
    state = draw(st.one_of(st.sampled_from(["Running", "JobRunning"]), st.sampled_from(STATES)))
    compute = an_instance(
        state=state, workspace=home, tags=draw(tags), last_operation=draw(operations)
    )
    book = Rulebook(
        default=parse_schedule(draw(schedules)),
        exemptions=draw(st.lists(exemptions, max_size=3)),
        allowances=draw(allowances),
        by_the_book=draw(st.sampled_from([True, True, True, False])),
    )
    return Case(compute=compute, book=book, at=draw(moments))


thorough = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@thorough
@given(case=cases())
def test_the_next_change_is_the_first_minute_in_which_the_decision_differs(case: Case) -> None:
    decisions = [
        decide(case.compute, book=case.book, at=case.at + n * MINUTE).decision
        for n in range(MINUTES_JUDGED)
    ]
    differs = [n for n, decision in enumerate(decisions) if decision is not decisions[0]]

    found = next_decision(case.compute, book=case.book, at=case.at)

    event(f"changes: {bool(differs)}")
    if differs:
        assert found is not None
        assert found[0] == case.at + differs[0] * MINUTE
        assert found[1].decision is decisions[differs[0]]
    else:
        assert found is None or found[0] >= case.at + MINUTES_JUDGED * MINUTE


@thorough
@given(case=cases(), seconds=st.floats(0, 59.9))
def test_an_explanation_says_what_is_decided_now_and_at_its_change(
    case: Case, seconds: float
) -> None:
    at = case.at + timedelta(seconds=seconds)
    now = decide(case.compute, book=case.book, at=at)

    found = explain(case.compute, book=case.book, at=at, seen_at=at, ticks="0 */15 * * * *")

    assert (found.decision, found.reason, found.reason_text) == (
        now.decision,
        now.reason,
        now.text,
    )
    if found.changes_at is None:
        assert (found.decision_then, found.acts_at) == (None, None)
        return
    just_before = found.changes_at - timedelta(microseconds=1)
    before = decide(case.compute, book=case.book, at=max(at, just_before))
    then = decide(case.compute, book=case.book, at=found.changes_at)
    assert before.decision is now.decision is not then.decision
    assert (found.decision_then, found.reason_then) == (then.decision, then.reason)
    assert found.acts_at is not None
    assert timedelta(0) <= found.acts_at - found.changes_at < timedelta(minutes=15)


@thorough
@given(case=cases())
@example(case=Case(compute=an_instance(), book=Rulebook(default=BERLIN), at=TWICE_IN_BERLIN))
def test_an_explanation_names_the_rule_that_was_decided_by(case: Case) -> None:
    verdict = decide(case.compute, book=case.book, at=case.at)

    found = explain(case.compute, book=case.book, at=case.at, seen_at=case.at, ticks=None)

    rule = verdict.rule or case.book.rule(case.compute, at=case.at)
    assert (found.source, found.rule) == (rule.source, rule.text)
    assert (found.exemption is None) == (rule.exemption is None)
    assert _instant(found.local_time) == case.at
    assert str(found.local_time.tzinfo) == found.zone
    assert _instant(found.changes_at_local) == found.changes_at
    assert (found.next_tick_at, found.acts_at) == (None, None)


def _instant(local: datetime | None) -> datetime | None:
    """Return a local time as UTC: one that exists twice equals none of another zone (PEP 495)."""
    return local.astimezone(UTC) if local else None
