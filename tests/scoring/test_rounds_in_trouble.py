"""Rounds of health checks where the fault is ours: no service is blamed for it."""

import logging

import pytest

from shared.scoring.evidence import Evidence
from shared.scoring.judgement import Verdict
from shared.scoring.probe import Contact, Probe, ProbeRequest
from shared.scoring.round_report import RoundReport
from shared.scoring.state import Health
from tests.support.fake_prober import FakeProber
from tests.support.health_stage import DEAD, HealthStage, healthy, the, virtual_now
from tests.support.scripted import always
from tests.support.virtual_time import run_virtually


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
