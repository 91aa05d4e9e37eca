"""What operators are told of a round: each service once, its changes, and how the round went."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.metrics import Metric
from shared.scoring.narration import RoundResult, result_of, tell_round, tell_services
from shared.scoring.probe import Contact
from shared.scoring.round_report import RoundReport
from shared.telemetry import Event
from tests.support.builders import NIGHT
from tests.support.health_stage import HealthStage, healthy
from tests.support.scoring_builders import WRONG
from tests.support.scripted import Behaviour, always
from tests.support.telemetry import RecordingTelemetry
from tests.support.virtual_time import run_virtually

DEAD = always(contact=Contact.REFUSED)
SILENT = always(contact=Contact.TIMED_OUT)


async def rounds(stage: HealthStage, behaviours: Sequence[Behaviour]) -> RecordingTelemetry:
    telemetry = RecordingTelemetry()
    for behaviour in behaviours:
        stage.serve("weight", behaviour, owner="ada", group="r")
        report = await stage.round()
        tell_services(telemetry, report, location="here")
        tell_round(telemetry, report, trigger="timer", past_due=False)
        await asyncio.sleep(300)
    return telemetry


def told(*behaviours: Behaviour, stage: HealthStage | None = None) -> RecordingTelemetry:
    return run_virtually(rounds(stage or HealthStage(), behaviours))


def test_each_service_is_told_as_an_availability_result_with_its_verdict() -> None:
    (result, recorded), (wrong, _) = told(healthy, always(body=WRONG)).results

    assert (result.name, result.succeeded, result.location) == ("weight", True, "here")
    assert result.message.startswith("healthy: Every golden request")
    assert recorded.properties == {
        "group": "r",
        "owner": "ada",
        "kind": "http",
        "verdict": "healthy",
        "evidence": "golden_right",
    }
    assert (wrong.succeeded, wrong.message.split(":")[0]) == (False, "wrong")


def test_a_busy_service_is_no_failure_of_the_availability_test() -> None:
    ((result, recorded),) = told(SILENT).results

    assert result.succeeded
    assert recorded.properties["verdict"] == "busy"


def test_a_change_is_told_once_and_says_whether_people_are_to_be_told() -> None:
    telemetry = told(healthy, DEAD, DEAD, healthy, healthy)

    changes = telemetry.named(Event.SCORING_SERVICE_CHANGED)
    steps = [(each["state_before"], each["state_after"], each["alerts"]) for each in changes]
    assert steps == [
        ("unknown", "healthy", False),
        ("healthy", "unhealthy", True),
        ("unhealthy", "healthy", True),
    ]
    assert changes[1]["evidence"] == "refused"


def test_a_change_in_maintenance_alerts_nobody() -> None:
    stage = HealthStage()
    stage.rest("weight", until=NIGHT + timedelta(hours=1))

    changes = told(healthy, DEAD, stage=stage).named(Event.SCORING_SERVICE_CHANGED)

    assert [each["state_after"] for each in changes] == ["healthy", "unhealthy"]
    assert {(each["alerts"], each["in_maintenance"]) for each in changes} == {(False, True)}


def test_every_round_ends_with_an_event_that_counts() -> None:
    (finished,) = told(DEAD).named(Event.SCORING_ROUND_FINISHED)

    assert finished == {
        "trigger": "timer",
        "past_due": False,
        "result": "succeeded",
        "seconds": 20.0,
        "services": 1,
        "good": 0,
        "neutral": 0,
        "failed": 1,
        "unchecked": 0,
    }


def test_our_own_outage_is_told_once_and_is_no_services_lack_of_availability() -> None:
    unreachable = always(contact=Contact.UNREACHABLE)
    stage = HealthStage()
    for name in ("one", "two"):
        stage.serve(name, unreachable)

    telemetry = told(unreachable, stage=stage)

    text = "our own network is sick: none of 3 services on 3 hosts can be reached"
    assert telemetry.results == []
    assert telemetry.named(Event.SCORING_SERVICE_CHANGED) == []
    assert telemetry.named(Event.SCORING_ESTATE_UNREACHABLE) == [
        {"services": 3, "failed": 3, "text": text}
    ]
    (finished,) = telemetry.named(Event.SCORING_ROUND_FINISHED)
    assert (finished["result"], finished["error"]) == ("failed", text)


def test_an_outage_fails_the_round_though_it_spares_some_services() -> None:
    stage = HealthStage()
    stage.serve("keyed", healthy, credential={"secret": "a-key", "allow_plain_http": True})
    stage.credentials.problems["keyed"] = "Key Vault answered 503"
    stage.credentials.unavailable.add("keyed")

    telemetry = told(healthy, stage=stage)

    (finished,) = telemetry.named(Event.SCORING_ROUND_FINISHED)
    assert [result.name for result, _ in telemetry.results] == ["weight"]
    assert finished["result"] == "failed"
    assert "our own identity is sick" in str(finished["error"])


def test_lost_history_is_told_and_the_round_is_partial() -> None:
    stage = HealthStage()
    stage.history.away = True

    telemetry = told(healthy, stage=stage)

    (lost,) = telemetry.named(Event.HISTORY_LOST)
    assert "history could not be written" in str(lost["error"])
    (finished,) = telemetry.named(Event.SCORING_ROUND_FINISHED)
    assert finished["result"] == "partial"
    assert telemetry.total(Metric.SCORING_SERVICES_CHECKED) == 1


@pytest.mark.parametrize("services", [0, 1])
def test_a_round_whose_time_was_too_short_failed_if_nothing_was_judged(services: int) -> None:
    stage = HealthStage()
    stage.serve("hanging", always(seconds=60))
    for number in range(services):
        stage.serve(f"quick-{number}", healthy)

    report: RoundReport = run_virtually(stage.round(time_limit=timedelta(seconds=1)))

    assert result_of(report) is (RoundResult.PARTIAL if services else RoundResult.FAILED)
