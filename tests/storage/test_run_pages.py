"""Lists of runs: newest first, in pages, filtered."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from shared.compute.history import RunHistory
from shared.compute.report import Result
from tests.storage.runs import an_open_run
from tests.support.builders import NIGHT

HOUR = timedelta(hours=1)


async def some_runs(history: RunHistory) -> None:
    """Eight runs, an hour apart; every other one ended partial, the others go on."""
    for number in range(8):
        run_id = await an_open_run(history, "one", started_at=NIGHT + number * HOUR)
        if number % 2:
            await history.close_run(run_id, result=Result.PARTIAL, summary="")


async def pages(history: RunHistory, *, page_size: int, **chosen: Any) -> list[list[int]]:
    """Every page's starts, as hours; the filter is given with the first page only."""
    page = await history.list_runs(page_size=page_size, **chosen)
    found = [[(run.started_at - NIGHT) // HOUR for run in page.runs]]
    while page.continuation:
        page = await history.list_runs(page_size=page_size, continuation=page.continuation)
        found.append([(run.started_at - NIGHT) // HOUR for run in page.runs])
    return found


async def test_pages_hold_every_run_once_newest_first(history: RunHistory) -> None:
    await some_runs(history)

    assert await pages(history, page_size=3) == [[7, 6, 5], [4, 3, 2], [1, 0]]
    assert await pages(history, page_size=4) == [[7, 6, 5, 4], [3, 2, 1, 0]]
    assert await pages(history, page_size=50) == [[7, 6, 5, 4, 3, 2, 1, 0]]


@pytest.mark.parametrize(
    ("chosen", "hours"),
    [
        ({"started_from": NIGHT + 5 * HOUR}, [7, 6, 5]),
        ({"started_before": NIGHT + 2 * HOUR}, [1, 0]),
        ({"started_from": NIGHT + HOUR, "started_before": NIGHT + 4 * HOUR}, [3, 2, 1]),
        (
            {"started_from": NIGHT + timedelta(milliseconds=1), "page_size": 50},
            [7, 6, 5, 4, 3, 2, 1],
        ),
        ({"result": Result.PARTIAL}, [7, 5, 3, 1]),
        ({"result": Result.PARTIAL, "started_before": NIGHT + 5 * HOUR}, [3, 1]),
        ({"result": Result.SUCCEEDED}, []),
    ],
    ids=["from", "before", "between", "from is exact", "result", "result and before", "no such"],
)
async def test_a_filter_holds_on_every_page(
    history: RunHistory, chosen: dict[str, Any], hours: list[int]
) -> None:
    await some_runs(history)

    found = await pages(history, **{"page_size": 2, **chosen})

    assert [hour for page in found for hour in page] == hours
    assert all(found) or not hours


async def test_an_open_run_is_listed_with_its_open_shares(history: RunHistory) -> None:
    run_id = await an_open_run(history, "one", "two")
    await history.finish_share(run_id, "one", found=b"")

    (run,) = (await history.list_runs()).runs

    assert run == await history.get_run(run_id)
    assert run.open_shares == {"two"}


async def test_runs_that_start_meanwhile_do_not_shift_pages(history: RunHistory) -> None:
    await some_runs(history)
    first = await history.list_runs(page_size=3)
    await an_open_run(history, started_at=NIGHT + 9 * HOUR)

    second = await history.list_runs(page_size=3, continuation=first.continuation)

    assert [(run.started_at - NIGHT) // HOUR for run in second.runs] == [4, 3, 2]


async def test_a_continuation_belongs_to_its_filter(history: RunHistory) -> None:
    await some_runs(history)
    page = await history.list_runs(page_size=1, result=Result.PARTIAL)

    with pytest.raises(ValueError, match="another filter"):
        await history.list_runs(result=Result.FAILED, continuation=page.continuation)

    same = await history.list_runs(result=Result.PARTIAL, continuation=page.continuation)
    assert len(same.runs) == 3


def said(**changes: Any) -> str:
    """A continuation with something changed."""
    known = {"version": 1, "after": "0" * 32, "started_from": None, "started_before": None}
    text = json.dumps({**known, "result": None, **changes}).encode()
    return base64.urlsafe_b64encode(text).decode()


@pytest.mark.parametrize(
    "made_up",
    [
        "x",
        "next",
        "é",
        "AAAA",
        base64.urlsafe_b64encode(b"[1]").decode(),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[" * 50_000).decode(),
        said(version=2),
        said(after=""),
        said(after="0' or '1' eq '1" + "0" * 17),
        said(after=None),
        said(result="great"),
        said(started_from="yesterday"),
        said(started_from="2026-11-20T22:00:00"),
        said(started_before=7),
    ],
)
async def test_a_made_up_continuation_is_refused(history: RunHistory, made_up: str) -> None:
    with pytest.raises(ValueError, match="not made here"):
        await history.list_runs(continuation=made_up)
