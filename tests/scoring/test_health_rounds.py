"""Rounds of health checks: what counts, what is told, and that one failure spares nobody else."""

import asyncio
from datetime import timedelta

import pytest

from shared.scoring.attempts import REPEAT_AFTER_SECONDS
from shared.scoring.evidence import Evidence
from shared.scoring.finding import find
from shared.scoring.judgement import Judgement, Verdict
from shared.scoring.platform_evidence import ContainerState, PlatformEvidence
from shared.scoring.probe import Contact
from shared.scoring.service import Service
from shared.scoring.state import Change, Health
from tests.support.builders import NIGHT
from tests.support.health_stage import DEAD, EVERY, HealthStage, healthy, the
from tests.support.scoring_builders import WRONG
from tests.support.scripted import Asked, Behaviour, Scripted, always
from tests.support.virtual_time import run_virtually, seconds

SILENT = always(contact=Contact.TIMED_OUT)


def failing(times: int) -> Behaviour:
    """A service that refuses its first connections, and is well after these."""
    refused = 0

    def behave(asked: Asked) -> Scripted:
        nonlocal refused
        if refused < times:
            refused += 1
            return Scripted(contact=Contact.REFUSED)
        return healthy(asked)

    return behave


def test_a_healthy_estate_is_judged_in_one_look_and_kept() -> None:
    stage = HealthStage()
    for name in ("one", "two"):
        stage.serve(name, healthy)

    report = run_virtually(stage.round())

    assert report.succeeded
    assert [(each.name, each.judgement.verdict) for each in report.services] == [
        ("one", Verdict.HEALTHY),
        ("two", Verdict.HEALTHY),
    ]
    assert (report.started_at, report.ended_at) == (NIGHT, NIGHT)
    assert stage.states.states["one"].health is Health.HEALTHY
    assert {row.service for row in stage.history.rows.values()} == {"one", "two"}
    assert [each.change for each in report.services if each.change and each.change.alerts] == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_failure_that_passes_within_the_round_does_not_count(times: int) -> None:
    stage = HealthStage()
    stage.serve("weight", failing(times))

    report = run_virtually(stage.round())

    found = the(report, "weight")
    assert found.judgement.verdict is Verdict.HEALTHY
    assert [each.verdict for each in found.attempts] == [Verdict.DOWN] * times + [Verdict.HEALTHY]
    assert found.state.health is Health.HEALTHY


def test_a_failure_counts_when_it_was_seen_three_times_ten_seconds_apart() -> None:
    stage = HealthStage()
    stage.serve("weight", DEAD)

    report = run_virtually(stage.round())

    found = the(report, "weight")
    assert (found.judgement.verdict, len(found.attempts)) == (Verdict.DOWN, 3)
    times = [asked.at for asked in stage.prober.asked["http://weight.test"]]
    assert times == [0, REPEAT_AFTER_SECONDS, 2 * REPEAT_AFTER_SECONDS]
    assert found.state.health is Health.UNHEALTHY


def test_a_busy_service_is_not_asked_again() -> None:
    stage = HealthStage()
    stage.serve("weight", SILENT)

    report = run_virtually(stage.round())

    found = the(report, "weight")
    assert (found.judgement.verdict, len(found.attempts)) == (Verdict.BUSY, 1)
    assert found.state.health is Health.UNKNOWN
    assert report.succeeded


def test_a_service_that_dies_is_unhealthy_within_six_minutes_whatever_its_death_looks_like() -> (
    None
):
    for death in (DEAD, always(contact=Contact.CONNECT_TIMED_OUT)):
        stage = HealthStage()
        stage.serve("weight", healthy)

        async def story(stage: HealthStage = stage, death: Behaviour = death) -> float:
            await stage.round()
            stage.serve("weight", death)
            await asyncio.sleep(EVERY.total_seconds())
            report = await stage.round()
            assert the(report, "weight").state.health is Health.UNHEALTHY
            return seconds()

        assert run_virtually(story()) <= 360


def test_a_service_that_stays_silent_is_down_and_hung_after_its_limit() -> None:
    stage = HealthStage()
    stage.serve("weight", SILENT)

    async def story() -> list[Judgement]:
        found = []
        for _ in range(5):
            started = seconds()
            report = await stage.round()
            found.append(the(report, "weight").judgement)
            await asyncio.sleep(started + EVERY.total_seconds() - seconds())
        return found

    found = run_virtually(story())

    assert [each.verdict for each in found[:4]] == [Verdict.BUSY] * 4
    assert (found[4].verdict, found[4].evidence) == (Verdict.DOWN, "hung")
    assert stage.states.states["weight"].health is Health.UNHEALTHY


class Platform:
    """A platform that says that nothing runs."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def evidence_of(self, service: Service) -> PlatformEvidence:
        self.asked.append(service.name)
        return PlatformEvidence(at=NIGHT, containers=(ContainerState.TERMINATED,))


def test_the_platform_is_asked_about_a_silent_service_alone_and_ends_the_doubt() -> None:
    platform = Platform()
    stage = HealthStage(platform=platform)
    stage.serve("silent", SILENT)
    stage.serve("well", healthy)

    report = run_virtually(stage.round())

    assert the(report, "silent").judgement.evidence == "not_running"
    assert the(report, "well").judgement.verdict is Verdict.HEALTHY
    assert set(platform.asked) == {"silent"}


def test_services_are_checked_side_by_side_and_one_that_hangs_delays_nobody() -> None:
    stage = HealthStage()
    stage.serve("hung", SILENT)
    for number in range(50):
        stage.serve(f"s{number}", always(seconds=1, body=b'{"response":[161.8533]}'))

    report = run_virtually(stage.round())

    assert {the(report, f"s{n}").judgement.verdict for n in range(50)} == {Verdict.HEALTHY}
    assert max(the(report, f"s{n}").judgement.at for n in range(50)) == NIGHT + timedelta(seconds=2)
    assert report.ended_at == NIGHT + timedelta(seconds=20)


def test_who_is_not_judged_in_time_is_named_and_stays_as_it_was() -> None:
    stage = HealthStage()
    stage.serve("slow", SILENT)
    stage.serve("well", healthy)

    report = run_virtually(stage.round(time_limit=timedelta(seconds=15)))

    (unchecked,) = report.unchecked
    assert unchecked.name == "slow"
    assert "time" in unchecked.reason
    assert [each.name for each in report.services] == ["well"]
    assert "slow" not in stage.states.states
    assert not report.succeeded


def test_a_change_in_maintenance_alerts_nobody() -> None:
    stage = HealthStage()
    stage.serve("weight", DEAD)
    stage.rest("weight", until=NIGHT + timedelta(hours=1))

    report = run_virtually(stage.round())

    found = the(report, "weight")
    assert found.in_maintenance
    assert found.change is not None
    assert (found.change.after, found.change.alerts) == (Health.UNHEALTHY, False)
    assert [row.in_maintenance for row in stage.history.rows.values()] == [True]


def test_an_estate_without_services_is_a_round_too() -> None:
    report = run_virtually(HealthStage().round())

    assert report.succeeded
    assert report.services == ()


def test_a_round_that_is_cancelled_leaves_nothing_running() -> None:
    stage = HealthStage()
    stage.serve("weight", SILENT)

    async def story() -> set[asyncio.Task[object]]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await stage.round()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert run_virtually(story()) == set()


def test_a_wrong_model_is_told_with_what_it_answered() -> None:
    stage = HealthStage()
    stage.serve("weight", always(body=WRONG))

    report = run_virtually(stage.round())

    found = the(report, "weight")
    assert found.judgement.verdict is Verdict.WRONG
    assert "161.1" in found.judgement.text
    change: Change | None = found.change
    assert change is not None
    assert change.after is Health.UNHEALTHY


def test_a_report_keeps_no_bodies() -> None:
    stage = HealthStage()
    stage.serve("weight", healthy)

    report = run_virtually(stage.round())

    probes = [check.probe for check in the(report, "weight").judgement.checks]
    assert {probe.body for probe in probes if probe} == {b""}


@pytest.mark.parametrize(
    ("said", "evidence"),
    [
        (b"No ready replicas for service weight", Evidence.NO_REPLICAS),
        (b"Too many requests for service weight (overloaded)", Evidence.OVERLOADED),
        (b"a traceback", Evidence.ERROR_STATUS),
    ],
)
def test_a_check_says_the_same_in_a_report_as_in_the_verdict(
    said: bytes, evidence: Evidence
) -> None:
    stage = HealthStage()
    stage.serve("weight", lambda asked: _failing_model(asked, said))

    report = run_virtually(stage.round())

    judgement = the(report, "weight").judgement
    assert judgement.evidence == evidence
    assert find(judgement.checks[-1]) is evidence


def _failing_model(asked: Asked, said: bytes) -> Scripted:
    return Scripted(status=503, body=said) if "weight" in asked.target else healthy(asked)


def test_no_service_gets_the_key_of_another() -> None:
    stage = HealthStage()
    credential = {"secret": "a-key", "allow_plain_http": True}
    for name in ("one", "two"):
        stage.serve(name, healthy, credential=credential)
        stage.credentials.keys[name] = [f"key-of-{name}"]
    stage.serve("open", healthy)

    run_virtually(stage.round())

    seen = {
        origin: {each.headers.get("authorization") for each in asked}
        for origin, asked in stage.prober.asked.items()
    }
    assert seen == {
        "http://one.test": {"Bearer key-of-one"},
        "http://two.test": {"Bearer key-of-two"},
        "http://open.test": {None},
    }
