"""What a run leaves in storage, and what the next tick makes of a run that lost its worker."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from shared.compute.closing import OVERDUE_AFTER, compile_run
from shared.compute.clusters import ClusterMinimum
from shared.compute.exemptions import Exemption, ExemptionsInForce, KnownExemptions
from shared.compute.history import RunRecord
from shared.compute.order import RunOrder
from shared.compute.recording import WHOLE
from shared.compute.report import Outcome, Result, RunReport, Trigger
from shared.compute.run import Occasion
from shared.compute.run_id import new_run_id
from shared.compute.shutdown import Backing, Shutdown
from shared.errors import StorageUnavailableError
from shared.telemetry import Event
from tests.support.builders import NIGHT, an_instance
from tests.support.fake_storage import (
    FakeClusterMinimums,
    FakeExemptionStore,
    FakeRunHistory,
    FakeStopClaims,
)
from tests.support.night import Night, a_machine, an_estate, carry_out

ADA = an_estate(a_machine("ci-ada"))
TICK = Occasion(trigger=Trigger.TIMER)
GIVEN_UP_AFTER = 10.0


def spend(seed: Mapping[str, Any], **storage: Any) -> Night:
    """A tick over the estate, with some storage behind it."""

    async def tick(shutdown: Shutdown) -> RunReport:
        return await shutdown.run(RunOrder(respect_schedule=True), TICK)

    return carry_out(seed, tick, backing=Backing(**storage))


def a_lost_run() -> RunRecord:
    started_at = NIGHT - timedelta(hours=1)
    return RunRecord(
        run_id=new_run_id(started_at),
        trigger="timer",
        dry_run=False,
        reason="",
        order="{}",
        started_at=started_at,
        deadline=started_at + timedelta(minutes=25),
        shares=(WHOLE,),
        open_shares=frozenset({WHOLE}),
    )


def test_a_run_is_recorded_as_it_was_reported() -> None:
    history = FakeRunHistory()

    report = spend(ADA, history=history).report

    record = asyncio.run(history.get_run(report.run_id))
    assert record is not None
    assert record.result is Result.SUCCEEDED
    assert asyncio.run(compile_run(history, record)) == report


def test_a_tick_with_nothing_to_do_leaves_no_record() -> None:
    history = FakeRunHistory()

    spend(an_estate(a_machine("ci-off", state="Stopped")), history=history)

    assert asyncio.run(history.list_runs()).runs == []


def test_a_run_that_lost_its_worker_is_closed_by_the_next_tick() -> None:
    history, lost = FakeRunHistory(), a_lost_run()
    asyncio.run(history.open_run(lost, orders={}))

    night = spend(ADA, history=history)

    record = asyncio.run(history.get_run(lost.run_id))
    assert record is not None
    assert record.result is Result.FAILED
    told = [
        e for e in night.telemetry.named(Event.COMPUTE_RUN_FINISHED) if e["run_id"] == lost.run_id
    ]
    assert [each["result"] for each in told] == ["failed"]


def test_a_run_that_may_still_be_at_work_is_left_open() -> None:
    history = FakeRunHistory()
    lost = a_lost_run()
    running = RunRecord(**{**vars(lost), "deadline": NIGHT - OVERDUE_AFTER / 2})
    asyncio.run(history.open_run(running, orders={}))

    spend(an_estate(a_machine("ci-off", state="Stopped")), history=history)

    record = asyncio.run(history.get_run(running.run_id))
    assert record is not None
    assert not record.is_closed


def test_storage_that_is_away_loses_the_record_and_stops_the_machines() -> None:
    night = spend(ADA, history=FakeRunHistory(away=True), claims=FakeStopClaims(away=True))

    assert night.report.result is Result.SUCCEEDED
    lost = {each["operation"] for each in night.telemetry.named(Event.HISTORY_LOST)}
    assert any(str(operation).startswith("claims") for operation in lost)
    assert "history" in lost


class HangingHistory(FakeRunHistory):
    async def open_run(self, *_: object, **__: object) -> None:
        await hang()


class HangingExemptions(FakeExemptionStore):
    async def list_active(self, **_: object) -> Sequence[Exemption]:
        return await hang()


class HangingMinimums(FakeClusterMinimums):
    async def list(self) -> Sequence[ClusterMinimum]:
        return await hang()


async def hang() -> NoReturn:
    await asyncio.sleep(GIVEN_UP_AFTER)
    raise StorageUnavailableError("not done in time")


def test_storage_that_hangs_holds_the_machines_up_once_and_not_for_every_table() -> None:
    prompt = spend(ADA)

    night = spend(
        ADA,
        history=HangingHistory(),
        minimums=HangingMinimums(),
        exemptions=ExemptionsInForce(store=HangingExemptions(), known=KnownExemptions()),
    )

    lost = {each["operation"] for each in night.telemetry.named(Event.HISTORY_LOST)}
    assert lost == {"history", "exemptions", "cluster minimums"}
    assert night.report.result is Result.SUCCEEDED
    assert night.seconds == pytest.approx(prompt.seconds + GIVEN_UP_AFTER)


def test_two_runs_at_once_ask_once_and_the_second_names_the_first() -> None:
    reports: list[RunReport] = []

    async def both(shutdown: Shutdown) -> RunReport:
        runs = (shutdown.run(RunOrder(respect_schedule=True), TICK) for _ in range(2))
        reports.extend(await asyncio.gather(*runs))
        return reports[0]

    night = carry_out(ADA, both, backing=Backing(claims=FakeStopClaims()))

    assert [machine.stop_requests for machine in night.azure.machines.values()] == [1]
    by_outcome = {report.instances[0].outcome: report for report in reports}
    assert by_outcome.keys() == {Outcome.STOPPED, Outcome.ALREADY_STOPPED}
    other = by_outcome[Outcome.ALREADY_STOPPED].instances[0]
    assert by_outcome[Outcome.STOPPED].run_id in other.detail


def test_a_claim_without_effect_is_taken_over_after_a_look() -> None:
    claims = FakeStopClaims()
    machine = an_instance()

    async def after_a_lost_run(shutdown: Shutdown) -> RunReport:
        life = machine.last_operation.at if machine.last_operation else None
        await claims.claim(machine.id, life, run_id="another-run", now=NIGHT - timedelta(minutes=5))
        return await shutdown.run(RunOrder(respect_schedule=True), TICK)

    night = carry_out(ADA, after_a_lost_run, backing=Backing(claims=claims))

    assert [each.outcome for each in night.report.instances] == [Outcome.STOPPED]
