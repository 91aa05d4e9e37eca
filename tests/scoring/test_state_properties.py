"""Any sequence of rounds, compared with what the thresholds promise."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from shared.scoring.judgement import FAILURES, Verdict
from shared.scoring.service import Thresholds
from shared.scoring.state import FLAPPING_ROUNDS, Advanced, Health, ServiceState, advance
from tests.support.scoring import a_judgement

VERDICTS = st.lists(st.sampled_from(Verdict), max_size=60)


@dataclass(frozen=True, kw_only=True)
class Limits:
    failed: int
    last: int
    good: int
    flapping: int

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(
            failed_rounds=self.failed,
            of_last_rounds=self.last,
            good_rounds=self.good,
            flapping_changes=self.flapping,
        )


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    last = draw(st.integers(1, 10))
    failed = draw(st.integers(1, last))
    good = draw(st.integers(1, 5))
    return Limits(failed=failed, last=last, good=good, flapping=draw(st.integers(2, 12)))


def taken_in(verdicts: list[Verdict], given_limits: Limits) -> list[Advanced]:
    state, taken = ServiceState(), []
    for place, verdict in enumerate(verdicts):
        found = advance(
            state, a_judgement(verdict, minutes=5 * place), thresholds=given_limits.thresholds
        )
        taken.append(found)
        state = found.state
    return taken


def failures(taken: list[Advanced]) -> list[bool]:
    return [each.judgement.verdict in FAILURES for each in taken]


@given(verdicts=VERDICTS, given_limits=limits())
def test_never_unhealthy_without_x_failures_in_the_last_y(
    verdicts: list[Verdict], given_limits: Limits
) -> None:
    taken = taken_in(verdicts, given_limits)

    failed = failures(taken)
    for place, each in enumerate(taken):
        became = each.change and each.change.before is not each.change.after
        if became and each.state.health is Health.UNHEALTHY:
            window = failed[max(0, place + 1 - given_limits.last) : place + 1]
            assert sum(window) >= given_limits.failed
            assert failed[place]


@given(verdicts=VERDICTS, given_limits=limits())
def test_x_failures_in_a_row_always_make_it_unhealthy(
    verdicts: list[Verdict], given_limits: Limits
) -> None:
    taken = taken_in([*verdicts, *[Verdict.DOWN] * given_limits.failed], given_limits)

    assert taken[-1].state.health is Health.UNHEALTHY


@given(verdicts=VERDICTS, given_limits=limits())
def test_z_good_rounds_in_a_row_always_make_it_healthy(
    verdicts: list[Verdict], given_limits: Limits
) -> None:
    taken = taken_in([*verdicts, *[Verdict.HEALTHY] * given_limits.good], given_limits)

    assert taken[-1].state.health is Health.HEALTHY


@given(minutes=st.lists(st.floats(0, 15), min_size=1, max_size=20), given_limits=limits())
def test_busy_alone_is_never_unhealthy_before_its_limit(
    minutes: list[float], given_limits: Limits
) -> None:
    state = ServiceState()
    for minute in sorted(minutes):
        found = advance(
            state, a_judgement(Verdict.BUSY, minutes=minute), thresholds=given_limits.thresholds
        )
        state = found.state

    assert state.health is Health.UNKNOWN
    assert state.verdict is Verdict.BUSY


@given(given_limits=limits())
def test_a_service_that_alternates_long_enough_flaps_and_is_told_so_once(
    given_limits: Limits,
) -> None:
    one_each = Limits(failed=1, last=1, good=1, flapping=given_limits.flapping)
    taken = taken_in([Verdict.HEALTHY, Verdict.DOWN] * 30, one_each)

    told = [each for each in taken if each.change and each.change.alerts]
    assert taken[-1].state.flapping
    assert [each.state.standing for each in told].count(Health.FLAPPING) == 1
    assert told[-1].state.standing is Health.FLAPPING


@given(verdicts=VERDICTS, given_limits=limits())
def test_any_state_survives_json(verdicts: list[Verdict], given_limits: Limits) -> None:
    for each in taken_in(verdicts, given_limits):
        assert ServiceState.from_json(each.state.to_json()) == each.state
        assert len(each.state.rounds) <= FLAPPING_ROUNDS


@given(verdicts=VERDICTS, given_limits=limits(), cut=st.integers(0, 60))
def test_what_is_told_outside_maintenance_is_always_how_it_stands(
    verdicts: list[Verdict], given_limits: Limits, cut: int
) -> None:
    state = ServiceState()
    for place, verdict in enumerate(verdicts):
        found = advance(
            state,
            a_judgement(verdict, minutes=5 * place),
            thresholds=given_limits.thresholds,
            in_maintenance=place < cut,
        )
        state = found.state
        assert place < cut or state.told is state.standing
        assert not (found.change and found.change.alerts and place < cut)
