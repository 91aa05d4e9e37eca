"""Services that nobody names any more are forgotten: late, whole, and with a reason."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.errors import StorageUnavailableError
from shared.scoring.forgetting import MOST_AT_ONCE, Forgetting
from shared.scoring.maintenance import Maintenance
from shared.scoring.state import Health, ServiceState
from shared.scoring.uptime import RollUp
from shared.telemetry import Event
from tests.support.builders import NIGHT
from tests.support.fake_records import FakeHourHistory
from tests.support.health_stage import HealthStage
from tests.support.telemetry import RecordingTelemetry

DAY = timedelta(days=1)
KEEP = 90 * DAY


@dataclass
class Estate:
    """What is recorded of services that were last looked at so long ago."""

    stage: HealthStage = field(default_factory=HealthStage)
    hours: FakeHourHistory = field(default_factory=FakeHourHistory)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)

    def record(self, name: str, *, ago: timedelta) -> None:
        seen_at = NIGHT - ago
        self.stage.states.states[name] = ServiceState(health=Health.HEALTHY, checked_at=seen_at)
        self.hours.hours[name, seen_at] = RollUp(hour=seen_at, rounds=12)
        self.stage.maintenance.windows[name] = Maintenance(
            service=name, until=seen_at, reason="moved", opened_by="", opened_at=seen_at
        )

    async def forget(self, *looked_after: str) -> None:
        forgetting = Forgetting(
            records=self.stage.records, hours=self.hours, telemetry=self.telemetry, keep=KEEP
        )
        await forgetting.forget(looked_after, at=NIGHT)

    @property
    def known(self) -> list[set[str]]:
        hours = {name for name, _ in self.hours.hours}
        return [{*self.stage.states.states}, hours, {*self.stage.maintenance.windows}]


async def test_who_is_named_no_more_is_forgotten_whole_and_told_once_with_the_reason() -> None:
    estate = Estate()
    estate.record("gone", ago=KEEP + DAY)
    estate.record("here", ago=timedelta(minutes=5))

    await estate.forget("here")
    await estate.forget("here")

    (told,) = estate.telemetry.named(Event.SCORING_SERVICE_FORGOTTEN)
    assert estate.known == [{"here"}] * 3
    assert (told["service"], told["seen_at"]) == ("gone", "2026-08-21T22:00:00Z")
    assert "Neither file nor Azure has named it for more than 90 days" in str(told["text"])


@pytest.mark.parametrize(
    ("ago", "looked_after"),
    [
        pytest.param(timedelta(hours=1), (), id="a bad file lost it for an hour"),
        pytest.param(KEEP, (), id="to the day"),
        pytest.param(KEEP + DAY, ("weight",), id="named, though no round could judge it"),
    ],
)
async def test_who_may_be_back_is_remembered(ago: timedelta, looked_after: tuple[str, ...]) -> None:
    estate = Estate()
    estate.record("weight", ago=ago)

    await estate.forget(*looked_after)

    assert estate.known == [{"weight"}] * 3
    assert estate.telemetry.named(Event.SCORING_SERVICE_FORGOTTEN) == []


async def test_a_failure_in_between_leaves_the_rest_to_the_next_time() -> None:
    estate = Estate()
    estate.record("gone", ago=KEEP + DAY)
    estate.stage.maintenance.away = True

    with pytest.raises(StorageUnavailableError):
        await estate.forget()
    estate.stage.maintenance.away = False
    await estate.forget()

    assert estate.known == [set()] * 3
    assert len(estate.telemetry.named(Event.SCORING_SERVICE_FORGOTTEN)) == 1


async def test_a_large_estate_that_left_is_forgotten_bit_by_bit() -> None:
    estate = Estate()
    for number in range(MOST_AT_ONCE + 1):
        estate.record(f"s{number}", ago=KEEP + DAY)

    await estate.forget()
    left = len(estate.known[0])
    await estate.forget()

    assert (left, estate.known) == (1, [set()] * 3)
