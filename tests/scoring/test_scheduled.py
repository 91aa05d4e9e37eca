"""A tick: who is looked after, a round over them, and all of it told, whatever else fails."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import RunNotSucceededError
from shared.scoring.catalogue_source import CatalogueSource, KnownCatalogue
from shared.scoring.rolling import Rolling
from shared.scoring.roster import RosterSource
from shared.scoring.scheduled import ScheduledChecks
from shared.telemetry import Event
from tests.support.fake_catalogue import FakeServiceFile
from tests.support.fake_records import FakeHourHistory
from tests.support.health_stage import HealthStage
from tests.support.scripted import always
from tests.support.telemetry import RecordingTelemetry

ONE_SERVICE = (
    "{version: 1, services: [{name: one, kind: http, url: 'http://one.test', preset: plumber}]}"
)
MINUTE = timedelta(minutes=1)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Tick:
    """One healthy service of a file, and what was told when hours are rolled up."""

    hours: FakeHourHistory
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)

    async def run(self) -> None:
        stage = HealthStage()
        stage.prober.services["http://one.test"] = always()
        catalogue = CatalogueSource(
            file=FakeServiceFile(text=ONE_SERVICE),
            store=None,
            known=KnownCatalogue(),
            telemetry=self.telemetry,
            now=now,
        )
        checks = ScheduledChecks(
            roster=RosterSource(file=catalogue, discovery=None),
            rounds=stage.rounds,
            rolling=Rolling(history=stage.history, hours=self.hours),
            telemetry=self.telemetry,
            location="here",
        )
        await checks.tick(time_limit=MINUTE)

    @property
    def told(self) -> list[str]:
        return [result.name for result, _ in self.telemetry.results]


async def test_services_are_told_though_rolling_up_hours_breaks_this_apps_own_code() -> None:
    class Broken(FakeHourHistory):
        async def rolled_until(self) -> datetime | None:
            raise ZeroDivisionError

    tick = Tick(Broken())

    with pytest.raises(ZeroDivisionError):
        await tick.run()

    assert tick.told == ["one"]
    assert len(tick.telemetry.named(Event.SCORING_SERVICE_CHANGED)) == 1


async def test_hours_that_cannot_be_rolled_up_are_told_as_lost_and_the_tick_fails() -> None:
    hours = FakeHourHistory()
    hours.away = True
    tick = Tick(hours)

    with pytest.raises(RunNotSucceededError, match="hours could not be rolled up"):
        await tick.run()

    (lost,) = tick.telemetry.named(Event.HISTORY_LOST)
    (finished,) = tick.telemetry.named(Event.SCORING_ROUND_FINISHED)
    assert "hours could not be rolled up" in str(lost["error"])
    assert (finished["result"], tick.told) == ("partial", ["one"])
