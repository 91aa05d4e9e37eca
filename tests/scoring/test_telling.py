"""Whether people were told: a worker that dies in between leaves it to the next one to tell them."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.scoring.catalogue_source import CatalogueSource, KnownCatalogue
from shared.scoring.forgetting import Forgetting
from shared.scoring.rolling import Rolling
from shared.scoring.roster import RosterSource
from shared.scoring.round_report import RoundReport
from shared.scoring.scheduled import ScheduledChecks
from shared.scoring.state import Health, ServiceState
from shared.telemetry import Event
from tests.support.fake_catalogue import FakeServiceFile
from tests.support.fake_notes import FakeNotes
from tests.support.fake_records import FakeHourHistory
from tests.support.health_stage import HealthStage, healthy, virtual_now
from tests.support.scripted import always
from tests.support.telemetry import RecordingTelemetry
from tests.support.virtual_time import run_virtually

EVERY = timedelta(minutes=5)
FILE = "{version: 1, services: [{name: one, kind: http, url: 'http://one.test', preset: plumber}]}"
DEAD = always(status=500)


class Died(Exception):  # noqa: N818  # a worker, not an error
    """The worker is gone."""


@dataclass
class Nights:
    """Rounds of one service, by workers that may die; what reached people."""

    stage: HealthStage = field(default_factory=HealthStage)
    alerts: list[str] = field(default_factory=list)

    async def round(self, *, dies: bool = False, is_sent: bool = True) -> RoundReport:
        async def tell(report: RoundReport) -> bool:
            if dies:
                raise Died
            told = [each.state.standing for each in report.services if each.alerts]
            self.alerts.extend(map(str, told if is_sent else []))
            return is_sent

        await asyncio.sleep(EVERY.total_seconds())
        subjects, limit = self.stage.subjects, timedelta(minutes=4)
        return await self.stage.rounds.run(subjects, time_limit=limit, tell=tell)

    async def round_that_dies(self) -> None:
        try:
            await self.round(dies=True)
        except Died:
            self.stage = HealthStage(
                states=self.stage.states,
                history=self.stage.history,
                prober=self.stage.prober,
                subjects=self.stage.subjects,
            )


def test_a_worker_that_dies_before_it_told_people_leaves_it_to_the_next_round() -> None:
    nights = Nights()

    async def story() -> None:
        nights.stage.serve("one", healthy)
        await nights.round()
        nights.stage.serve("one", DEAD)
        await nights.round_that_dies()
        assert nights.stage.states.states["one"].health is Health.UNHEALTHY
        await nights.round()
        await nights.round()

    run_virtually(story())

    assert nights.alerts == ["unhealthy"]


def test_what_could_not_be_sent_is_told_again_until_it_could() -> None:
    nights = Nights()

    async def story() -> None:
        nights.stage.serve("one", DEAD)
        for is_sent in (False, False, True, True):
            await nights.round(is_sent=is_sent)

    run_virtually(story())

    assert nights.alerts == ["unhealthy"]


def test_who_told_people_but_lost_the_record_of_it_says_so_and_tells_them_again() -> None:
    nights = Nights()

    async def story() -> RoundReport:
        nights.stage.serve("one", DEAD)

        async def tell(_: RoundReport) -> bool:
            nights.stage.states.away = True
            return True

        subjects, limit = nights.stage.subjects, timedelta(minutes=4)
        report = await nights.stage.rounds.run(subjects, time_limit=limit, tell=tell)
        nights.stage.states.away = False
        await nights.round()
        return report

    report = run_virtually(story())

    assert "that people were told could not be written" in report.lost[0]
    assert nights.alerts == ["unhealthy"]


def test_what_another_worker_saw_while_people_were_told_is_not_overwritten() -> None:
    nights = Nights()

    async def story() -> None:
        nights.stage.serve("one", healthy)
        await nights.round()
        nights.stage.serve("one", DEAD)

        async def tell(_: RoundReport) -> bool:
            seen = nights.stage.states.states["one"]
            nights.stage.states.states["one"] = replace(
                seen, health=Health.HEALTHY, checked_at=virtual_now() + timedelta(seconds=1)
            )
            return True

        await asyncio.sleep(EVERY.total_seconds())
        subjects, limit = nights.stage.subjects, timedelta(minutes=4)
        await nights.stage.rounds.run(subjects, time_limit=limit, tell=tell)

    run_virtually(story())

    state = nights.stage.states.states["one"]
    assert (state.health, state.told) == (Health.HEALTHY, Health.UNHEALTHY)


async def test_a_tick_tells_again_what_its_telemetry_could_not_send() -> None:
    stage, telemetry = HealthStage(), RecordingTelemetry()
    stage.states.states["one"] = ServiceState(health=Health.UNHEALTHY, told=Health.UNHEALTHY)
    stage.prober.services["http://one.test"] = always()
    file, known = FakeServiceFile(text=FILE), KnownCatalogue()
    catalogue = CatalogueSource(
        file=file, store=None, known=known, telemetry=telemetry, now=virtual_now
    )
    checks = ScheduledChecks(
        roster=RosterSource(file=catalogue, discovery=None),
        rounds=stage.rounds,
        rolling=Rolling(history=stage.history, hours=FakeHourHistory()),
        forgetting=Forgetting(
            records=stage.records, hours=FakeHourHistory(), telemetry=telemetry, keep=EVERY
        ),
        notes=FakeNotes(),
        telemetry=telemetry,
        location="here",
    )

    for telemetry.is_sending in (True, False, True, True):
        await checks.tick(time_limit=timedelta(minutes=1))

    told = telemetry.named(Event.SCORING_SERVICE_CHANGED)
    assert [(each["standing"], each["alerts"]) for each in told] == [("healthy", True)] * 2
    assert telemetry.flushes == 2
