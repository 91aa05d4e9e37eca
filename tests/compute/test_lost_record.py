"""A run that loses its record in mid-run reports what its workers did, as far as anything shows it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.compute.instance import LastOperation
from shared.compute.order import RunOrder
from shared.compute.own_stops import RUNS_KEPT, OwnStops
from shared.compute.policy import Reason
from shared.compute.report import Outcome, Result, RunReport
from shared.compute.run import Occasion, Rules
from shared.compute.share import Shares
from shared.compute.shutdown import Backing, Shutdown
from shared.telemetry import Event
from tests.support.builders import NIGHT, OTHER_SUBSCRIPTION, SUBSCRIPTION, an_instance
from tests.support.fake_azure import Seed
from tests.support.night import a_machine
from tests.support.platform import HTTP, TICK, Platform, spend

STOPPED = {"ci-ada": Outcome.STOPPED, "ci-bob": Outcome.STOPPED}


def an_estate(*others: dict[str, Any], stop_seconds: float = 27) -> Seed:
    """Machine ci-ada, and these, in one subscription, ci-bob in the other."""
    homes = [
        (SUBSCRIPTION, [a_machine("ci-ada", stop_seconds=stop_seconds), *others]),
        (OTHER_SUBSCRIPTION, [a_machine("ci-bob", stop_seconds=stop_seconds)]),
    ]
    listed = [
        {"id": guid, "workspaces": [{"name": f"mlw-{guid[:4]}", "computes": machines}]}
        for guid, machines in homes
    ]
    return {"vm_sizes": [], "subscriptions": listed}


def lose(platform: Platform, *parts: str, after: float = 6) -> None:
    """Let parts of the storage go away."""
    for part in parts:
        asyncio.get_running_loop().call_later(after, setattr, getattr(platform, part), "away", True)  # noqa: FBT003  # setattr's own


def with_other_workers(seed: Seed) -> Platform:
    """A platform whose shares are worked by processes with a memory of their own."""
    platform = Platform(seed=seed)
    elsewhere = Shutdown(
        platform.azure,
        platform.telemetry,
        now=platform.now,
        rules=Rules(),
        backing=Backing(history=platform.history, claims=platform.claims),
    )
    platform.shares = Shares(shutdown=elsewhere, history=platform.history)
    return platform


def outcomes(report: RunReport) -> dict[str, Outcome]:
    return {instance.name: instance.outcome for instance in report.instances}


@pytest.mark.parametrize("stop_seconds", [3, 27], ids=["stopped by then", "stopping"])
def test_what_this_process_asked_for_is_stopped_by_the_run(stop_seconds: float) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate(stop_seconds=stop_seconds))
        # Just before its worker would record that a share is done.
        lose(platform, "history", "claims", after=3)

        report = await platform.report()

        assert outcomes(report) == STOPPED
        assert {i.reason for i in report.instances} == {Reason.RUNNING}
        assert {i.state_before for i in report.instances} == {"Running"}
        assert (report.counts.stopped, report.result) == (2, Result.SUCCEEDED)
        assert platform.asked == ["ci-ada", "ci-bob"]

    spend(story())


def test_what_other_workers_asked_for_is_known_by_the_claims() -> None:
    async def story() -> None:
        platform = with_other_workers(an_estate())
        lose(platform, "history")

        report = await platform.report()

        assert outcomes(report) == STOPPED
        assert all("what it saw was lost" in i.detail for i in report.instances)
        assert platform.asked == ["ci-ada", "ci-bob"]

    spend(story())


@pytest.mark.parametrize("stop_seconds", [3, 27], ids=["stopped by then", "stopping"])
def test_without_claims_it_is_said_who_stopped_a_machine_and_that_it_may_have_been_the_run(
    stop_seconds: float,
) -> None:
    async def story() -> None:
        platform = with_other_workers(an_estate(stop_seconds=stop_seconds))
        lose(platform, "history", "claims", after=3)

        report = await platform.report()

        assert set(outcomes(report).values()) == {Outcome.ALREADY_STOPPED}
        (detail,) = {i.detail for i in report.instances}
        assert detail.startswith("Stop by User at ")
        assert detail.endswith("one of its workers may have asked for it.")
        assert platform.asked == ["ci-ada", "ci-bob"]

    spend(story())


def test_what_azure_stopped_by_itself_is_not_said_to_be_perhaps_the_runs() -> None:
    async def story() -> None:
        platform = with_other_workers(an_estate())
        ada = platform.azure.machine("ci-ada")

        def idle() -> None:
            stopped = LastOperation(
                name="Stop", at=platform.now(), status="Succeeded", trigger="IdleShutdown"
            )
            ada.compute = replace(ada.compute, state="Stopped", last_operation=stopped)

        asyncio.get_running_loop().call_later(0.2, idle)
        lose(platform, "history", "claims", after=3)

        report = await platform.report()

        instance = next(i for i in report.instances if i.name == "ci-ada")
        assert instance.outcome is Outcome.ALREADY_STOPPED
        assert instance.detail == "Stop by IdleShutdown at 2026-11-20T22:00:00Z."

    spend(story())


def test_what_was_off_before_the_run_is_left() -> None:
    async def story() -> None:
        platform = with_other_workers(an_estate(a_machine("ci-off", state="Stopped")))
        lose(platform, "history", "claims")

        report = await platform.report()

        off = next(i for i in report.instances if i.name == "ci-off")
        assert (off.outcome, off.detail) == (Outcome.LEFT, "")

    spend(story())


def test_a_stop_that_was_refused_is_asked_for_again_and_refused_again() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate(a_machine("ci-full", disk_full=True)))
        lose(platform, "history", "claims")

        report = await platform.report()

        assert outcomes(report) == {**STOPPED, "ci-full": Outcome.REFUSED}
        assert platform.asked == ["ci-ada", "ci-bob", "ci-full", "ci-full"]

    spend(story())


def test_a_tick_whose_workers_did_everything_is_told_all_the_same() -> None:
    async def story() -> None:
        platform = with_other_workers(an_estate(stop_seconds=0.5))
        lose(platform, "history", "claims", after=1)

        report = await platform.report(TICK)

        assert report.result is Result.SUCCEEDED
        assert platform.finished() == [Result.SUCCEEDED]
        assert len(platform.telemetry.named(Event.COMPUTE_RUN_STARTED)) == 1

    spend(story())


def test_a_run_that_could_not_be_recorded_at_all_takes_nothing_for_its_own() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate(a_machine("ci-off", state="Stopped")))
        platform.history.away = True

        report = await platform.dispatch.run(RunOrder(), HTTP)

        assert isinstance(report, RunReport)
        assert outcomes(report) == {**STOPPED, "ci-off": Outcome.LEFT}
        assert all(not i.detail for i in report.instances)

    spend(story())


@pytest.mark.parametrize("occasion", [HTTP, TICK], ids=["caller", "tick"])
@pytest.mark.parametrize("after", [0.2, 6], ids=["before any share began", "in its middle"])
def test_a_record_that_somebody_takes_away_is_lost_and_not_a_run_that_had_nothing_to_do(
    occasion: Occasion, after: float
) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())

        def take_away() -> None:
            platform.history.runs.clear()
            platform.history.shares.clear()

        asyncio.get_running_loop().call_later(after, take_away)

        report = await platform.report(occasion)

        assert outcomes(report) == STOPPED
        assert platform.lost() == ["history"]
        assert platform.asked == ["ci-ada", "ci-bob"]

    spend(story())


def test_a_process_remembers_the_stops_of_its_last_runs_only() -> None:
    own, ada = OwnStops(), an_instance("ci-ada")

    for number in range(RUNS_KEPT + 1):
        own.note(ada, run_id=f"run-{number}", at=NIGHT + timedelta(minutes=number))

    assert own.of_run("run-0") == {}
    assert own.of_run("run-1").keys() == {ada.key}
    own.forget(ada, run_id="run-1")
    own.forget(ada, run_id="run-0")
    assert own.of_run("run-1") == {}
