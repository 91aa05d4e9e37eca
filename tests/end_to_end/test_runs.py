"""What became of runs: the history over HTTP, from records in a real storage account."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from typing import Any
from urllib.parse import quote

import pytest

from local_host.azurite.process import Azurite
from shared.clients.run_history import RunHistoryClient
from shared.clients.storage import StorageAccount
from shared.compute.history import RunRecord
from shared.compute.recording import RunSummary, head_of
from shared.compute.report import (
    Findings,
    Result,
    WorkspaceReport,
    WorkspaceResult,
    compile_report,
)
from tests.storage.runs import a_run
from tests.support.builders import OTHER_SUBSCRIPTION, SUBSCRIPTION, a_workspace
from tests.support.local_host import LocalHost

HOUR = timedelta(hours=1)


@pytest.fixture
def host(remembering_process: LocalHost) -> LocalHost:
    return remembering_process


@pytest.fixture
def night() -> datetime:
    """A night that no other test has runs in."""
    days = SystemRandom().randrange(100_000)
    return datetime(2100, 1, 1, 22, tzinfo=UTC) + timedelta(days=days)


@pytest.fixture
def account(remembering_storage: Azurite) -> StorageAccount:
    return StorageAccount(connection_string=remembering_storage.connection_string)


async def record(
    account: StorageAccount, started_at: datetime, result: Result | None = None, *, error: str = ""
) -> RunRecord:
    """Write a run down: one that goes on if it has no result, without a report if it has an error."""
    run = a_run(SUBSCRIPTION, started_at=started_at, reason="nightly")
    async with RunHistoryClient(account) as history:
        await history.open_run(run, orders={})
        if result is None:
            await history.begin_share(run.run_id, SUBSCRIPTION)
            await history.save_progress(run.run_id, SUBSCRIPTION, '{"stopped": 3}')
        else:
            await close(history, run, result, error=error)
    return run


async def close(history: RunHistoryClient, run: RunRecord, result: Result, *, error: str) -> None:
    found = WorkspaceReport(id=a_workspace().id, result=WorkspaceResult.READ, error=None)
    findings = Findings(workspaces=(found,), instances=(), other_computes=2)
    report = compile_report(head_of(run), [findings], ended_at=run.started_at + HOUR)
    summary = RunSummary(ended_at=report.ended_at, counts=report.counts, saved=report.saved)
    if error:
        summary = RunSummary(ended_at=report.ended_at, error=error)
    await history.finish_share(
        run.run_id, SUBSCRIPTION, found=findings.model_dump_json().encode(), error=error
    )
    await history.close_run(run.run_id, result=result, summary=summary.model_dump_json())


def listed(host: LocalHost, night: datetime, **query: str) -> dict[str, Any]:
    """The runs of that night, and of the two hours after it."""
    window = {"started_from": night, "started_before": night + 3 * HOUR}
    chosen = {name: at.isoformat() for name, at in window.items()} | query
    answer = host.get(f"/api/compute/runs?{encoded(chosen)}")
    assert answer.status == 200, answer.body
    page: dict[str, Any] = answer.json()
    return page


def encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())


async def test_runs_are_listed_newest_first_with_how_they_ended(
    host: LocalHost, night: datetime, account: StorageAccount
) -> None:
    first = await record(account, night, Result.SUCCEEDED)
    second = await record(account, night + HOUR)

    page = listed(host, night)

    going_on, ended = page["runs"]
    assert [each["run_id"] for each in page["runs"]] == [second.run_id, first.run_id]
    assert (ended["result"], ended["reason"], ended["trigger"]) == ("succeeded", "nightly", "timer")
    assert ended["counts"]["other_computes"] == 2
    assert datetime.fromisoformat(ended["ended_at"]) == night + HOUR
    assert (going_on["result"], going_on["ended_at"], going_on["counts"]) == (None, None, None)
    assert page["continuation"] is None


async def test_runs_are_paged_until_there_are_no_more(
    host: LocalHost, night: datetime, account: StorageAccount
) -> None:
    runs = [await record(account, night + n * timedelta(minutes=1)) for n in range(3)]

    first = listed(host, night, page_size="2")
    again = host.get(f"/api/compute/runs?page_size=2&continuation={first['continuation']}").json()

    found = [each["run_id"] for page in (first, again) for each in page["runs"]]
    assert found == [run.run_id for run in reversed(runs)]
    assert again["continuation"] is None


async def test_runs_are_filtered_by_time_and_result(
    host: LocalHost, night: datetime, account: StorageAccount
) -> None:
    await record(account, night, Result.SUCCEEDED)
    partial = await record(account, night + HOUR, Result.PARTIAL)
    await record(account, night + 3 * HOUR, Result.PARTIAL)

    page = listed(host, night, result="partial")

    assert [each["run_id"] for each in page["runs"]] == [partial.run_id]


async def test_a_closed_run_is_answered_with_its_report(
    host: LocalHost, night: datetime, account: StorageAccount
) -> None:
    run = await record(account, night, Result.SUCCEEDED)

    answer = host.get(f"/api/compute/runs/{run.run_id}")

    report = answer.json()
    assert answer.status == 200
    assert (report["run_id"], report["result"]) == (run.run_id, "succeeded")
    assert [each["id"] for each in report["workspaces"]] == [a_workspace().id]
    assert (report["instances"], report["counts"]["other_computes"]) == ([], 2)
    assert datetime.fromisoformat(report["started_at"]) == night


async def test_a_run_that_goes_on_is_answered_with_its_progress(
    host: LocalHost, night: datetime, account: StorageAccount
) -> None:
    run = await record(account, night)

    progress = host.get(f"/api/compute/runs/{run.run_id}").json()

    (share,) = progress["shares"]
    assert (progress["run_id"], progress["result"]) == (run.run_id, None)
    assert (share["share_id"], share["state"], share["begun"]) == (SUBSCRIPTION, "running", 1)
    assert share["progress"] == {"stopped": 3}


async def test_a_run_that_left_no_report_says_why(
    host: LocalHost, night: datetime, account: StorageAccount
) -> None:
    run = await record(account, night, Result.FAILED, error="its worker was lost")

    found = host.get(f"/api/compute/runs/{run.run_id}").json()

    assert (found["result"], found["error"]) == ("failed", "its worker was lost")


@pytest.mark.parametrize(
    "run_id", ["0198c0de-0000-7000-8000-000000000000", OTHER_SUBSCRIPTION, "latest", "none"]
)
def test_a_run_that_is_not_there_is_a_404(host: LocalHost, run_id: str) -> None:
    answer = host.get(f"/api/compute/runs/{run_id}")

    assert (answer.status, answer.json()["field"]) == (404, "run_id")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("result=good", "result"),
        ("result=", "result"),
        ("started_from=2026-11-20T22:00:00", "started_from"),
        ("started_before=yesterday", "started_before"),
        ("page_size=0", "page_size"),
        ("page_size=201", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=ten", "page_size"),
        ("page_size=9999999999999999999999", "page_size"),
        ("continuation=bm9uc2Vuc2U", "continuation"),
        ("state=open", "state"),
    ],
)
def test_a_list_is_refused_for(host: LocalHost, query: str, field: str) -> None:
    answer = host.get(f"/api/compute/runs?{query}")

    assert (answer.status, answer.json()["field"]) == (400, field)
    assert answer.headers["content-type"] == "application/problem+json"


def test_without_a_key_nobody_is_let_in(host: LocalHost) -> None:
    paths = ("/api/compute/runs", f"/api/compute/runs/{SUBSCRIPTION}", "/api/compute/explain")

    assert {host.get(path, key=None).status for path in paths} == {401}
