"""What comes too late, or is lost on its way, is never green, and changes no report that was given."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.compute.closing import OVERDUE_AFTER, close_overdue, close_run, compile_run
from shared.compute.dispatch import GoesOn
from shared.compute.history import Claim
from shared.compute.order import RunOrder
from shared.compute.report import Outcome, Result, RunReport, WorkspaceResult
from shared.telemetry import Event
from tests.support.builders import OTHER_SUBSCRIPTION, SUBSCRIPTION, a_workspace, an_instance
from tests.support.fake_notes import FakeNotes
from tests.support.fake_storage import FakeStopClaims
from tests.support.platform import BOTH, HTTP, Platform, an_estate, spend


async def the_report(platform: Platform, run_id: str) -> RunReport:
    report = await compile_run(platform.history, platform.history.runs[run_id])
    assert report is not None
    return report


def unread(report: RunReport) -> dict[str, str | None]:
    return {
        each.id.rpartition("/")[2]: each.error
        for each in report.workspaces
        if each.result is WorkspaceResult.UNREADABLE
    }


def test_what_a_share_found_after_its_run_was_closed_changes_no_report() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        await platform.shares.work(run_id, SUBSCRIPTION)
        asleep = await platform.history.begin_share(run_id, OTHER_SUBSCRIPTION)
        assert asleep is not None
        late = platform.history.runs[run_id].deadline + OVERDUE_AFTER + timedelta(seconds=1)
        await close_overdue(platform.history, platform.telemetry, now=late)
        told = await the_report(platform, run_id)

        found = platform.history.found[run_id, SUBSCRIPTION]
        await platform.history.finish_share(run_id, OTHER_SUBSCRIPTION, found=found)

        assert told.result is Result.PARTIAL
        assert await the_report(platform, run_id) == told

    spend(story())


def test_a_share_whose_findings_are_lost_reads_as_unreadable() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        await platform.shares.work(run_id, SUBSCRIPTION)
        platform.history.found.clear()
        await platform.shares.work(run_id, OTHER_SUBSCRIPTION)

        report = await the_report(platform, run_id)

        assert report.result is Result.PARTIAL
        assert unread(report) == {SUBSCRIPTION: "what its share found was lost"}

    spend(story())


def test_a_run_that_cannot_be_closed_is_closed_as_failed_and_spares_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        first, second = await platform.open(), await platform.open()
        for run_id in (first, second):
            await platform.shares.work(run_id, SUBSCRIPTION)
        platform.history.found[first, SUBSCRIPTION] = b'{"instances": "sig=canary"}'
        late = platform.history.runs[second].deadline + OVERDUE_AFTER + timedelta(seconds=1)

        await close_overdue(platform.history, platform.telemetry, now=late)

        results = [platform.history.runs[each].result for each in (first, second)]
        assert results == [Result.FAILED, Result.PARTIAL]
        told = platform.telemetry.named(Event.COMPUTE_RUN_FINISHED)
        assert [said["result"] for said in told] == results
        assert "an unexpected error of this app, ValidationError" in str(told[0]["error"])
        assert "canary" not in str(told)

    spend(story())

    assert len([record for record in caplog.records if record.exc_info]) == 1


@pytest.mark.parametrize("deleted", [False, True], ids=["lists lag behind", "deleted"])
@pytest.mark.parametrize("name", ["ci-ada", an_instance("ci-ada").id])
def test_a_machine_that_was_named_and_is_listed_no_more_is_not_passed_over(
    name: str,
    deleted: bool,  # noqa: FBT001  # a case
) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        begun = await platform.dispatch.run(RunOrder(instances=[name]), HTTP, respond_async=True)
        assert isinstance(begun, GoesOn)
        if deleted:
            del platform.azure.machines[an_instance("ci-ada").key]
        else:
            platform.azure.unlisted.add("ci-ada")

        await platform.shares.work(*platform.queue.sent[0])

        report = await the_report(platform, begun.run_id)
        (workspace,) = report.workspaces
        assert workspace.error == "ci-ada was named, and is not listed"
        assert report.result is Result.PARTIAL

    spend(story())


def test_a_workspace_that_was_named_and_is_listed_no_more_is_not_passed_over() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        order = RunOrder(workspaces=["mlw-churn"])
        begun = await platform.dispatch.run(order, HTTP, respond_async=True)
        assert isinstance(begun, GoesOn)
        platform.azure.workspaces.clear()

        await platform.shares.work(*platform.queue.sent[0])

        assert platform.finished() == [Result.PARTIAL]
        (told,) = platform.telemetry.named(Event.COMPUTE_WORKSPACE_UNREADABLE)
        assert told["error"] == "it was named, and is not listed"

    spend(story())


def test_a_share_whose_run_is_lost_says_so() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        await platform.open()
        platform.history.runs.clear()

        await platform.shares.work(*platform.queue.sent[0])

        assert platform.lost() == ["the record of a run; a share of it was not worked"]
        assert platform.asked == []

    spend(story())


@pytest.mark.parametrize("again", [True, False], ids=["claims emptied", "claims away"])
def test_a_share_taken_up_again_without_claims_says_what_azure_began_to_stop_since(
    again: bool,  # noqa: FBT001  # a case
) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        await platform.lose_worker(run_id, SUBSCRIPTION)
        platform.claims.claims.clear()
        platform.claims.away = not again
        platform.shutdown.backing.own_stops.forget(an_instance("ci-ada"), run_id=run_id)

        await asyncio.gather(*(platform.shares.work(run_id, share) for share in BOTH))

        report = await the_report(platform, run_id)
        ada = next(each for each in report.instances if each.name == "ci-ada")
        assert ada.outcome is Outcome.ALREADY_STOPPED
        assert ada.detail.endswith("one of its workers may have asked for it.")
        assert platform.asked == ["ci-ada", "ci-bob"]

    spend(story())


class LateClaims(FakeStopClaims):
    """Claims that another worker makes right after they were read for the first time."""

    async def list_claimed(self, subscription_id: str, *, run_id: str) -> Mapping[str, Claim]:
        found = await super().list_claimed(subscription_id, run_id=run_id)
        await asyncio.sleep(0.5)
        return found


def test_a_worker_that_is_side_by_side_with_another_loses_nothing_that_was_stopped() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate(), claims=LateClaims())
        run_id = await platform.open()
        await platform.shares.work(run_id, OTHER_SUBSCRIPTION)
        await platform.history.begin_share(run_id, SUBSCRIPTION)
        second = asyncio.create_task(platform.shares.work(run_id, SUBSCRIPTION))
        await asyncio.sleep(0.2)
        ada = platform.azure.machine("ci-ada")
        life = ada.compute.last_operation.at if ada.compute.last_operation else None
        await platform.claims.claim(
            ada.compute.id, life, run_id=run_id, now=platform.now(), state="Running"
        )
        ada.stop(platform.now())

        await second

        report = await the_report(platform, run_id)
        assert {each.outcome for each in report.instances} == {Outcome.STOPPED}

    spend(story())


def test_a_share_taken_up_again_by_the_same_process_knows_what_that_asked_for() -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        run_id = await platform.open()
        await platform.lose_worker(run_id, SUBSCRIPTION)
        platform.claims.away = True

        await asyncio.gather(*(platform.shares.work(run_id, share) for share in BOTH))

        report = await the_report(platform, run_id)
        assert {each.outcome for each in report.instances} == {Outcome.STOPPED}
        assert platform.asked == ["ci-ada", "ci-bob"]

    spend(story())


@pytest.mark.parametrize("late", [0, 100], ids=["side by side", "once it is off"])
def test_a_machine_that_two_shares_list_is_told_of_by_the_one_that_is_its_home(late: float) -> None:
    async def story() -> None:
        platform = Platform(seed=an_estate())
        project = a_workspace("mlw-risk", subscription_id=OTHER_SUBSCRIPTION)
        platform.azure.mirrors[project.id.lower()] = a_workspace().id.lower()
        run_id = await platform.open()

        async def work_late() -> None:
            await asyncio.sleep(late)
            await platform.shares.work(run_id, OTHER_SUBSCRIPTION)

        await asyncio.gather(platform.shares.work(run_id, SUBSCRIPTION), work_late())

        report = await the_report(platform, run_id)
        ada = next(each for each in report.instances if each.name == "ci-ada")
        assert (ada.outcome, ada.detail) == (Outcome.STOPPED, "")
        assert report.counts.stopped == 2

    spend(story())


def test_only_whoever_closes_a_tick_leaves_what_it_saw() -> None:
    async def story() -> None:
        platform, notes = Platform(seed=an_estate()), FakeNotes()
        run_id = await platform.open()
        await asyncio.gather(*(platform.shares.work(run_id, share) for share in BOTH))
        still_open = replace(platform.history.runs[run_id], trigger="timer", result=None)

        await close_run(
            platform.history, platform.telemetry, still_open, now=platform.now(), notes=notes
        )

        assert await notes.list() == {}

    spend(story())
