"""Rounds of health checks: what counts, what is told, and that one failure spares nobody else."""

import asyncio
import logging
from datetime import timedelta

import pytest

from shared.scoring.attempts import REPEAT_AFTER_SECONDS
from shared.scoring.evidence import Evidence
from shared.scoring.finding import find
from shared.scoring.judgement import Judgement, Verdict
from shared.scoring.platform_evidence import ContainerState, PlatformEvidence
from shared.scoring.probe import Contact, Probe, ProbeRequest
from shared.scoring.round_report import RoundReport
from shared.scoring.service import Service
from shared.scoring.state import Change, Health
from tests.support.builders import NIGHT
from tests.support.fake_prober import FakeProber
from tests.support.health_stage import HealthStage, healthy, the, virtual_now
from tests.support.scoring_builders import WRONG
from tests.support.scripted import Asked, Behaviour, Scripted, always
from tests.support.virtual_time import run_virtually, seconds

EVERY = timedelta(minutes=5)
SILENT = always(contact=Contact.TIMED_OUT)
DEAD = always(contact=Contact.REFUSED)


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


class BrokenFor(FakeProber):
    """A prober with a bug that one service meets."""

    async def probe(self, request: ProbeRequest) -> Probe:
        if "broken" in request.url:
            raise ZeroDivisionError
        return await super().probe(request)


def test_an_error_of_our_own_is_the_outcome_of_one_service(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = HealthStage(prober=BrokenFor(now=virtual_now))
    stage.serve("broken", healthy)
    stage.serve("well", healthy)

    with caplog.at_level(logging.ERROR):
        report = run_virtually(stage.round())

    (unchecked,) = report.unchecked
    assert (unchecked.name, "ZeroDivisionError" in unchecked.reason) == ("broken", True)
    assert the(report, "well").judgement.verdict is Verdict.HEALTHY
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert not report.succeeded


def test_when_it_is_us_nobody_is_blamed_and_nothing_is_kept() -> None:
    stage = HealthStage()
    for name in ("one", "two", "three"):
        stage.serve(name, always(contact=Contact.UNREACHABLE))

    report = run_virtually(stage.round())

    assert "our own network is sick" in report.outage
    assert [each.change for each in report.services] == [None] * 3
    assert {each.state.health for each in report.services} == {Health.UNKNOWN}
    assert {each.judgement.verdict for each in report.services} == {Verdict.DOWN}
    assert all(each.during_outage for each in report.services)
    assert (stage.states.states, stage.history.rows) == ({}, {})
    assert not report.succeeded


def test_one_service_that_answers_shows_that_it_is_not_us() -> None:
    stage = HealthStage()
    for name in ("one", "two", "three"):
        stage.serve(name, always(contact=Contact.UNREACHABLE))
    stage.serve("well", healthy)

    report = run_virtually(stage.round())

    assert report.outage == ""
    assert the(report, "one").state.health is Health.UNHEALTHY
    assert the(report, "well").state.health is Health.HEALTHY


def test_when_our_identity_is_sick_services_without_a_key_are_judged_as_ever() -> None:
    stage = HealthStage()
    credential = {"secret": "a-key", "allow_plain_http": True}
    for name in ("one", "two", "three"):
        stage.serve(name, healthy, credential=credential)
        stage.credentials.problems[name] = "the vault cannot be reached"
    stage.serve("open", DEAD)

    report = run_virtually(stage.round())

    assert "our own identity is sick" in report.outage
    assert the(report, "one").during_outage
    assert the(report, "one").state.health is Health.UNKNOWN
    assert the(report, "open").state.health is Health.UNHEALTHY
    assert set(stage.states.states) == {"open"}


def test_nobody_is_blamed_for_a_key_while_the_vault_is_away() -> None:
    stage = HealthStage()
    stage.serve("keyed", healthy, credential={"secret": "a-key", "allow_plain_http": True})
    stage.credentials.keys["keyed"] = ["k1"]
    stage.serve("open", healthy)

    async def story() -> tuple[RoundReport, RoundReport]:
        first = await stage.round()
        stage.credentials.problems["keyed"] = "its key cannot be had: Key Vault answered 503"
        stage.credentials.unavailable.add("keyed")
        return first, await stage.round()

    first, second = run_virtually(story())

    keyed = the(second, "keyed")
    assert second.outage.endswith("does not answer, so 1 of 2 services could not be asked")
    assert (keyed.judgement.evidence, keyed.during_outage) == (Evidence.SOURCE_UNAVAILABLE, True)
    assert keyed.state == the(first, "keyed").state
    assert "Key Vault answered 503" in keyed.judgement.text
    assert the(second, "open").during_outage is False


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


def test_what_could_not_be_read_is_not_overwritten_by_a_worker_that_does_not_know_it() -> None:
    veteran = HealthStage()
    veteran.serve("weight", DEAD)
    run_virtually(veteran.round())
    fresh = HealthStage(states=veteran.states)
    fresh.serve("weight", healthy)

    async def story() -> tuple[RoundReport, RoundReport]:
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
