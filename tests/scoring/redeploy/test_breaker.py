"""Which services the breaker weighs: those that fell together, and not what was ill long before."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from shared.scoring.redeploy.gate import Allowance, Estate, grounds_at_the_door
from shared.scoring.redeploy.record import Ground, Trigger
from shared.scoring.redeploy.surroundings import estate_around
from shared.scoring.state import Health, ServiceState
from tests.support.redeploy_stage import RedeployStage
from tests.support.redeploys import NOON, a_redeploy

HOUR = timedelta(hours=1)
MONTHS = timedelta(days=90)
HEALING = a_redeploy(trigger=Trigger.HEALING)


def states(name: str, count: int, *, ill_for: timedelta | None = None) -> dict[str, ServiceState]:
    """So many services, checked just now; healthy unless they are ill."""
    health = Health.HEALTHY if ill_for is None else Health.UNHEALTHY
    since = NOON - (ill_for or MONTHS)
    state = ServiceState(health=health, since=since, checked_at=NOON)
    return {f"{name}-{number}": state for number in range(count)}


def the_one(ill_for: timedelta) -> dict[str, ServiceState]:
    """The service in question."""
    return {"weight": states("any", 1, ill_for=ill_for)["any-0"]}


def estate(
    known: Mapping[str, ServiceState], *, trigger: Trigger = Trigger.HEALING, now: datetime = NOON
) -> Estate:
    return estate_around(replace(HEALING, trigger=trigger), known, now=now)


def test_relics_of_months_are_no_part_of_the_estate() -> None:
    known = states("relic", 60, ill_for=MONTHS) | states("well", 39) | the_one(HOUR)

    assert estate(known) == Estate(services=40, unhealthy=1)


def test_what_is_left_beside_relics_is_a_dead_estate_when_it_falls() -> None:
    known = states("relic", 60, ill_for=MONTHS) | states("dead", 39, ill_for=HOUR) | the_one(HOUR)

    assert estate(known) == Estate(services=40, unhealthy=40)


def test_one_by_one_within_a_day_is_together() -> None:
    known = states("dead", 20, ill_for=20 * HOUR) | states("well", 5) | the_one(HOUR)

    assert estate(known) == Estate(services=26, unhealthy=21)


def test_a_dead_estate_stays_one_however_long_it_is_dead() -> None:
    known = states("dead", 9, ill_for=MONTHS) | the_one(MONTHS)

    assert estate(known) == Estate(services=10, unhealthy=10)


def test_people_may_try_one_when_they_had_a_day() -> None:
    known = states("dead", 9, ill_for=30 * HOUR) | the_one(30 * HOUR)

    assert estate(known, trigger=Trigger.HTTP) == Estate(services=0, unhealthy=0)


def test_one_that_is_well_is_held_against_what_fell_within_the_last_day() -> None:
    known = states("dead", 9, ill_for=HOUR) | states("relic", 9, ill_for=MONTHS)
    known |= {"weight": ServiceState(health=Health.HEALTHY, since=NOON - MONTHS, checked_at=NOON)}

    assert estate(known, trigger=Trigger.SCHEDULE) == Estate(services=10, unhealthy=9)


def test_who_is_checked_no_more_is_no_part_of_the_estate() -> None:
    known = states("dead", 9, ill_for=HOUR) | the_one(HOUR)

    assert estate(known, now=NOON + 2 * HOUR) == Estate()


async def test_an_estate_that_falls_at_once_is_left_alone() -> None:
    stage = RedeployStage()
    stage.states.states |= states("dead", 9, ill_for=HOUR) | the_one(HOUR)

    seen = await stage.opening().surroundings.of(HEALING, now=NOON)

    (found,) = grounds_at_the_door(HEALING, seen, allowance=Allowance())
    assert found.ground is Ground.BREAKER_OPEN
    assert found.text.startswith("10 of 10 services became unhealthy within a day: ")
