"""A service over its rounds: when it is called unhealthy, and what people are told."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.scoring.judgement import Judgement, Verdict
from shared.scoring.service import Thresholds
from shared.scoring.state import Advanced, Health, ServiceState, advance
from tests.support.scoring import NOON, a_judgement

EVERY_MINUTES = 5
WORDS = {
    "g": Verdict.HEALTHY,
    "f": Verdict.DOWN,
    "b": Verdict.BUSY,
    "s": Verdict.SLOW,
    "w": Verdict.WRONG,
}


def rounds(
    letters: str, *, state: ServiceState | None = None, maintenance: Sequence[int] = (), **more: int
) -> list[Advanced]:
    """Take in one round per letter, five minutes apart: good, failed, busy, slow, wrong."""
    thresholds = Thresholds.model_validate(more)
    taken: list[Advanced] = []
    current = state or ServiceState()
    for place, letter in enumerate(letters):
        found = advance(
            current,
            judgement(letter, place),
            thresholds=thresholds,
            in_maintenance=place in maintenance,
        )
        taken.append(found)
        current = found.state
    return taken


def judgement(letter: str, place: int) -> Judgement:
    return a_judgement(WORDS[letter], minutes=EVERY_MINUTES * place)


def healths(taken: list[Advanced]) -> str:
    return "".join(each.state.health[0] for each in taken)


def alerts(taken: list[Advanced]) -> list[str]:
    return [str(each.change.standing) for each in taken if each.change and each.change.alerts]


def test_a_service_is_unknown_until_it_is_checked() -> None:
    assert ServiceState().health is Health.UNKNOWN


def test_the_first_good_round_makes_it_healthy_and_is_news_to_nobody() -> None:
    taken = rounds("gg")

    assert healths(taken) == "hh"
    assert taken[0].change is not None
    assert alerts(taken) == []
    assert taken[1].change is None


def test_by_default_one_failed_round_is_enough_and_two_good_ones_heal() -> None:
    taken = rounds("gfgg")

    assert healths(taken) == "huuh"
    assert alerts(taken) == ["unhealthy", "healthy"]


def test_x_failed_rounds_of_the_last_y_are_needed() -> None:
    taken = rounds("gfggfgf", failed_rounds=2, of_last_rounds=3)

    assert healths(taken) == "hhhhhhu"


def test_failures_that_made_it_unhealthy_once_do_not_count_again() -> None:
    taken = rounds("gffggf", failed_rounds=2, of_last_rounds=10)

    assert healths(taken) == "hhuuhh"


def test_good_rounds_heal_however_many_failures_the_window_still_holds() -> None:
    taken = rounds("gffgg", of_last_rounds=10)

    assert healths(taken) == "huuuh"


def test_good_rounds_are_counted_in_a_row() -> None:
    taken = rounds("fggfggg", good_rounds=3)

    assert healths(taken) == "uuuuuuh"


@pytest.mark.parametrize("neutral", ["s", "b"])
def test_a_neutral_round_neither_fails_nor_heals(neutral: str) -> None:
    taken = rounds(f"g{neutral}fg{neutral}g")

    assert healths(taken) == "hhuuuh"


def test_only_neutral_rounds_leave_it_unknown() -> None:
    assert {each.state.health for each in rounds("ssss")} == {Health.UNKNOWN}


def test_busy_for_longer_than_its_limit_is_down_and_hung() -> None:
    taken = rounds("gbbbbb")

    assert [str(each.judgement.verdict) for each in taken[1:]] == ["busy"] * 4 + ["down"]
    assert taken[-1].judgement.evidence == "hung"
    assert taken[-1].state.health is Health.UNHEALTHY
    assert "20 minutes" in taken[-1].judgement.text


def test_an_answer_in_between_ends_being_busy() -> None:
    taken = rounds("gbbbbsbbbb")

    assert {str(each.judgement.verdict) for each in taken} == {"healthy", "busy", "slow"}


def test_a_hung_service_stays_hung_until_it_answers() -> None:
    taken = rounds("bbbbbbbgg")

    assert [each.judgement.evidence for each in taken[4:7]] == ["hung"] * 3
    assert taken[-1].state.health is Health.HEALTHY


def test_hours_without_a_look_are_not_held_against_it() -> None:
    before = rounds("gb")[-1].state

    later = advance(before, a_judgement(Verdict.BUSY, minutes=600), thresholds=Thresholds())

    assert later.judgement.verdict is Verdict.BUSY


def test_flapping_is_told_once_and_its_changes_are_not() -> None:
    taken = rounds("g" + "fg" * 9, good_rounds=1, flapping_changes=6)

    changes = [each.change for each in taken if each.change]
    assert alerts(taken) == ["unhealthy", "healthy"] * 2 + ["unhealthy", "flapping"]
    assert len(changes) == 19


def test_what_it_came_to_is_told_when_the_flapping_ends() -> None:
    taken = rounds("g" + "fg" * 4 + "g" * 30, good_rounds=1, flapping_changes=6)

    assert alerts(taken)[-2:] == ["flapping", "healthy"]
    assert taken[-1].state.standing is Health.HEALTHY


def test_flapping_ends_when_half_of_what_began_it_is_left_of_24_rounds() -> None:
    taken = rounds("g" + "fg" * 3 + "g" * 30, good_rounds=1, flapping_changes=6)

    flapping = [place for place, each in enumerate(taken) if each.state.flapping]
    # Changes in rounds 1 to 6; with round 27 that of round 3 is forgotten, and three are left.
    assert flapping == list(range(6, 27))


def test_in_maintenance_changes_are_recorded_and_alert_nobody() -> None:
    taken = rounds("gfgg", maintenance=range(1, 4))

    recorded = [each.change for each in taken[1:] if each.change]
    assert [str(change.after) for change in recorded] == ["unhealthy", "healthy"]
    assert all(change.in_maintenance for change in recorded)
    assert alerts(taken) == []


def test_what_is_still_broken_after_maintenance_is_told_then() -> None:
    taken = rounds("gfff", maintenance=range(1, 3))

    assert alerts(taken) == ["unhealthy"]
    assert taken[-1].change is not None
    assert taken[-1].change.before is taken[-1].change.after is Health.UNHEALTHY


def test_a_state_survives_between_rounds() -> None:
    state = rounds("gfgb")[-1].state

    assert ServiceState.from_json(state.to_json()) == state


def test_a_later_versions_fields_are_tolerated() -> None:
    document = rounds("gf")[-1].state.to_json() | {"mood": "sunny"}

    assert ServiceState.from_json(document).health is Health.UNHEALTHY


@pytest.mark.parametrize("document", [None, [], "healthy", {"health": "fine"}, {"rounds": 3}])
def test_what_is_no_state_is_an_error(document: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ServiceState.from_json(document)


def test_a_change_says_when_and_why() -> None:
    change = rounds("gw")[-1].change

    assert change is not None
    assert (change.before, change.after) == (Health.HEALTHY, Health.UNHEALTHY)
    assert (change.verdict, change.text) == (Verdict.WRONG, "seen")
    assert (change.at - NOON).total_seconds() == 300


def test_a_look_speaks_for_a_quarter_of_an_hour_and_one_that_is_ahead_for_none() -> None:
    state = ServiceState(health=Health.HEALTHY, checked_at=NOON)

    stale = [state.is_stale(NOON + timedelta(minutes=minutes)) for minutes in (-16, 14, 16)]

    assert stale == [True, False, True]
