"""Two workers in one round: neither's look replaces the other's unseen, and the later look counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shared.scoring.judgement import Verdict
from shared.scoring.probe import Contact
from shared.scoring.state import Health, ServiceState
from tests.support.builders import NIGHT
from tests.support.fake_records import FakeServiceStates
from tests.support.health_stage import DEAD, HealthStage, healthy, the, virtual_now
from tests.support.scripted import always
from tests.support.virtual_time import run_virtually

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass
class ContestedStates(FakeServiceStates):
    """Something happens before each of the next writes."""

    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    async def save(self, states: Mapping[str, ServiceState]) -> list[str]:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return [*await super().save(states)]

    def another_writes(self, name: str, **changes: Any) -> None:
        self.states[name] = replace(self.states[name], **changes)


def a_stage(*names: str) -> tuple[HealthStage, ContestedStates]:
    """Healthy services that were checked five minutes ago, and a worker that knows nothing yet."""
    states = ContestedStates()
    stage = HealthStage(states=states)
    for name in names:
        states.states[name] = ServiceState(
            health=Health.HEALTHY, told=Health.HEALTHY, since=NIGHT, checked_at=NIGHT - 5 * MINUTE
        )
        stage.serve(name, healthy)
    return stage, states


def test_what_another_worker_wrote_in_between_is_built_upon() -> None:
    stage, states = a_stage("one", "two")
    fell = {"health": Health.UNHEALTHY, "told": Health.UNHEALTHY, "checked_at": NIGHT - MINUTE}
    states.meanwhile = [lambda: states.another_writes("one", **fell)]

    report = run_virtually(stage.round())

    assert report.succeeded
    # One good look after another worker's bad one makes nobody healthy again, nor is it news.
    assert states.states["one"].health is Health.UNHEALTHY
    assert states.states["one"].verdict is Verdict.HEALTHY
    assert the(report, "one").change is None
    assert states.states["two"].checked_at == the(report, "two").judgement.at


def test_a_look_that_is_older_than_the_recorded_one_changes_nothing() -> None:
    stage, states = a_stage("one")
    stage.serve("one", DEAD)
    # The round waits for it, and another worker's round is over by then.
    stage.serve("slow", always(contact=Contact.TIMED_OUT), checks={"timeout_seconds": 60})
    states.meanwhile = [lambda: states.another_writes("one", checked_at=virtual_now())]

    report = run_virtually(stage.round())

    assert states.states["one"].health is Health.HEALTHY
    assert the(report, "one").change is None
    # It was a look all the same.
    rows = [row.verdict for row in stage.history.rows.values() if row.service == "one"]
    assert rows == [Verdict.DOWN]


def test_a_worker_whose_clock_was_ahead_holds_up_nobody() -> None:
    stage, states = a_stage("one")
    states.another_writes("one", checked_at=NIGHT + DAY)

    report = run_virtually(stage.round())

    assert states.states["one"].checked_at == the(report, "one").judgement.at


def test_where_others_write_again_and_again_the_round_says_what_is_lost() -> None:
    stage, states = a_stage("one")
    states.meanwhile = [
        lambda text=text: states.another_writes("one", text=text)  # type: ignore[misc]  # bound now
        for text in ("first", "second", "third")
    ]

    report = run_virtually(stage.round())

    (lost,) = report.lost
    assert lost.startswith("1 states were not written: others wrote at the same time")
    assert states.states["one"].text == "third"


def test_a_write_whose_answer_was_lost_is_known_as_ones_own() -> None:
    class LosesAnswers(FakeServiceStates):
        async def save(self, states: Mapping[str, ServiceState]) -> list[str]:
            await super().save(states)
            return [*states]

    stage, states = a_stage("one")
    stage.states = LosesAnswers(states=states.states)
    stage.serve("one", DEAD)

    report = run_virtually(stage.round())

    change = the(report, "one").change
    assert change is not None
    assert change.alerts
    assert stage.states.states["one"].health is Health.UNHEALTHY
    assert not any("states were not written" in each for each in report.lost)


def test_that_people_were_told_is_written_although_others_write() -> None:
    stage, states = a_stage("one")
    stage.serve("one", DEAD)
    states.meanwhile = [lambda: None, lambda: states.another_writes("one", text="seen by another")]

    report = run_virtually(stage.round())

    assert report.lost == ()
    assert (states.states["one"].told, states.states["one"].text) == (
        Health.UNHEALTHY,
        "seen by another",
    )


def test_states_that_are_deleted_under_a_worker_are_written_anew() -> None:
    stage, states = a_stage("one")

    async def story() -> None:
        await stage.round()
        states.states.clear()
        await stage.round()

    run_virtually(story())

    assert states.states["one"].verdict is Verdict.HEALTHY
