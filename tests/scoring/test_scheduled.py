"""A tick: who is looked after, a round over them, and all of it told, whatever else fails."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from shared.compute.ticks import first_tick
from shared.errors import RunNotSucceededError
from shared.scoring.catalogue_source import CatalogueSource, KnownCatalogue
from shared.scoring.forgetting import Forgetting
from shared.scoring.rolling import Rolling
from shared.scoring.roster import RosterSource
from shared.scoring.round_log import LastRounds, RoundsDue, recall, rounds_of
from shared.scoring.scheduled import ScheduledChecks
from shared.scoring.state import ServiceState
from shared.telemetry import Event
from tests.support.builders import NIGHT
from tests.support.fake_catalogue import FakeServiceFile
from tests.support.fake_notes import FakeNotes
from tests.support.fake_records import FakeHourHistory, FakeServiceStates
from tests.support.health_stage import HealthStage, virtual_now
from tests.support.scripted import always
from tests.support.telemetry import RecordingTelemetry

ONE_SERVICE = (
    "{version: 1, services: [{name: one, kind: http, url: 'http://one.test', preset: plumber}]}"
)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
EVERY_FIVE_MINUTES = RoundsDue(
    first=lambda at: first_tick("0 */5 * * * *", not_before=at), longest=9 * MINUTE
)
UNKNOWN_WHEN = RoundsDue(first=lambda _: None, longest=9 * MINUTE)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Tick:
    """One healthy service of a file, and what was told when hours are rolled up."""

    hours: FakeHourHistory
    notes: FakeNotes = field(default_factory=FakeNotes)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    states: FakeServiceStates = field(default_factory=FakeServiceStates)
    text: str = ONE_SERVICE

    async def run(self) -> None:
        stage = HealthStage(states=self.states)
        stage.prober.services["http://one.test"] = always()
        catalogue = CatalogueSource(
            file=FakeServiceFile(text=self.text),
            store=None,
            known=KnownCatalogue(),
            telemetry=self.telemetry,
            now=now,
        )
        checks = ScheduledChecks(
            roster=RosterSource(file=catalogue, discovery=None),
            rounds=stage.rounds,
            rolling=Rolling(history=stage.history, hours=self.hours),
            forgetting=Forgetting(
                records=stage.records, hours=self.hours, telemetry=self.telemetry, keep=90 * DAY
            ),
            notes=self.notes,
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


async def test_how_the_last_rounds_went_is_recorded_whatever_they_found() -> None:
    tick = Tick(FakeHourHistory())
    await tick.run()
    good = rounds_of(await recall(tick.notes), due=EVERY_FIVE_MINUTES, at=virtual_now())
    tick.hours.away = True

    with pytest.raises(RunNotSucceededError):
        await tick.run()

    bad = rounds_of(await recall(tick.notes), due=EVERY_FIVE_MINUTES, at=virtual_now())
    assert (good.result, good.error, good.last_failed_at) == ("succeeded", None, None)
    assert good.last_succeeded_at == good.last_ended_at == bad.last_succeeded_at
    assert (bad.result, bad.last_failed_at) == ("partial", bad.last_ended_at)
    assert "hours could not be rolled up" in str(bad.error)


async def test_a_round_that_could_not_be_recorded_did_not_succeed() -> None:
    tick = Tick(FakeHourHistory())
    tick.notes.away = True

    with pytest.raises(RunNotSucceededError, match="could not be recorded"):
        await tick.run()

    assert tick.told == ["one"]


def test_before_the_first_round_nobody_knows_whether_one_is_overdue() -> None:
    rounds = rounds_of(None, due=EVERY_FIVE_MINUTES, at=NIGHT + MINUTE)

    assert (rounds.overdue, rounds.due_at) == (None, NIGHT + 5 * MINUTE)


@pytest.mark.parametrize(
    ("later", "overdue"),
    [(4 * MINUTE, False), (13 * MINUTE, False), (15 * MINUTE, True), (DAY, True)],
    ids=["not due yet", "due, and may go on", "due, and had its time", "the app slept"],
)
def test_a_round_is_overdue_when_it_was_due_and_had_its_time(
    later: timedelta, *, overdue: bool
) -> None:
    last = LastRounds(ended_at=NIGHT + MINUTE, result="succeeded")

    rounds = rounds_of(last, due=EVERY_FIVE_MINUTES, at=NIGHT + later)

    assert (rounds.overdue, rounds.due_at) == (overdue, NIGHT + 5 * MINUTE)


@pytest.mark.parametrize(
    ("ended_at", "due"),
    [(NIGHT - MINUTE, UNKNOWN_WHEN), (NIGHT + DAY, EVERY_FIVE_MINUTES)],
    ids=["no schedule", "some clock is wrong"],
)
def test_what_cannot_be_known_of_rounds_is_not_said(ended_at: datetime, due: RoundsDue) -> None:
    last = LastRounds(ended_at=ended_at, result="succeeded")

    assert rounds_of(last, due=due, at=NIGHT).overdue is None


@pytest.mark.parametrize("text", ["", "{}", "no JSON", '{"ended_at": 1, "result": null}'])
async def test_a_record_that_is_none_counts_as_unknown(text: str) -> None:
    notes = FakeNotes(texts={"rounds.scoring": text})

    assert await recall(notes) is None


async def test_while_the_file_is_broken_nobody_is_forgotten() -> None:
    tick = Tick(FakeHourHistory(), text="version: 1")
    tick.states.states["gone"] = ServiceState(checked_at=NIGHT - 200 * DAY)

    with pytest.raises(RunNotSucceededError):
        await tick.run()
    meanwhile = set(tick.states.states)
    tick.text, tick.hours.until = ONE_SERVICE, None
    await tick.run()

    assert (meanwhile, set(tick.states.states)) == ({"gone"}, {"one"})
