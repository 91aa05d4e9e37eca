"""What a round of health checks leaves to the next, and what it does when storage is away."""

import asyncio
from datetime import timedelta

from shared.scoring.judgement import Verdict
from shared.scoring.round_report import RoundReport
from shared.scoring.state import Health
from tests.support.builders import NIGHT
from tests.support.health_stage import DEAD, EVERY, HealthStage, healthy, the
from tests.support.virtual_time import run_virtually


def test_a_state_is_carried_from_worker_to_worker() -> None:
    stage = HealthStage()
    stage.serve("weight", healthy)
    run_virtually(stage.round())
    successor = HealthStage(states=stage.states)
    successor.serve("weight", DEAD)

    report = run_virtually(successor.round())

    change = the(report, "weight").change
    assert change is not None
    assert (change.before, change.after, change.alerts) == (
        Health.HEALTHY,
        Health.UNHEALTHY,
        True,
    )


def test_what_is_lost_is_said_and_the_worker_remembers() -> None:
    stage = HealthStage()
    stage.serve("weight", DEAD)

    async def story() -> tuple[RoundReport, RoundReport]:
        await stage.round()
        for storage in (stage.states, stage.history, stage.maintenance):
            storage.away = True
        lost = await stage.round()
        for storage in (stage.states, stage.history, stage.maintenance):
            storage.away = False
        return lost, await stage.round()

    lost, found_again = run_virtually(story())

    assert len(lost.lost) == 4
    assert sum("503" in each for each in lost.lost) == 3
    assert not lost.succeeded
    assert the(lost, "weight").judgement.verdict is Verdict.DOWN
    # It was unhealthy before, and this worker knows it: no news, so no alert.
    assert the(lost, "weight").change is None
    assert found_again.succeeded


def test_a_maintenance_window_that_was_read_ends_by_itself_although_storage_is_lost() -> None:
    stage = HealthStage()
    stage.serve("weight", healthy)
    stage.rest("weight", until=NIGHT + timedelta(minutes=7))

    async def story() -> list[bool]:
        found = []
        for _ in range(3):
            report = await stage.round()
            found.append(the(report, "weight").in_maintenance)
            stage.maintenance.away = True
            await asyncio.sleep(EVERY.total_seconds())
        return found

    assert run_virtually(story()) == [True, True, False]


def test_what_could_not_be_read_is_not_overwritten_by_a_worker_that_does_not_know_it() -> None:
    veteran = HealthStage()
    veteran.serve("weight", DEAD)
    fresh = HealthStage(states=veteran.states)
    fresh.serve("weight", healthy)

    async def story() -> tuple[RoundReport, RoundReport]:
        await veteran.round()
        fresh.states.away = True
        lost = await fresh.round()
        fresh.states.away = False
        # It is healthy again, and the round that could not be read does not hide the news.
        return lost, (await fresh.round(), await fresh.round())[1]

    lost, last = run_virtually(story())

    assert "states were not written, since they could not be read" in lost.lost
    change = the(last, "weight").change
    assert change is not None
    assert (change.before, change.after, change.alerts) == (Health.UNHEALTHY, Health.HEALTHY, True)


def test_a_change_whose_state_could_not_be_written_is_not_told_twice() -> None:
    stage = HealthStage()
    stage.serve("weight", healthy)

    async def story() -> list[bool]:
        await stage.round()
        stage.serve("weight", DEAD)
        told = []
        for away in (True, False):
            await asyncio.sleep(EVERY.total_seconds())
            stage.states.away = away
            report = await stage.round()
            told.append(the(report, "weight").change is not None)
        return told

    assert run_virtually(story()) == [True, False]
    assert stage.states.states["weight"].health is Health.UNHEALTHY
