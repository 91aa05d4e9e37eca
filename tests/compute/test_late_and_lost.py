"""What comes too late, or is lost on its way, is never green, and changes no report that was given."""

from datetime import timedelta

import pytest

from shared.compute.closing import OVERDUE_AFTER, close_overdue, compile_run
from shared.compute.dispatch import GoesOn
from shared.compute.order import RunOrder
from shared.compute.report import Result, RunReport, WorkspaceResult
from shared.telemetry import Event
from tests.support.builders import OTHER_SUBSCRIPTION, SUBSCRIPTION, an_instance
from tests.support.platform import HTTP, Platform, an_estate, spend


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
