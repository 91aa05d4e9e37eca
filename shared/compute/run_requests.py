"""Answer what became of runs: the list, newest first, and one run's report or live progress."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.callers import parse_moment, refuse_unknown
from shared.compute.closing import compile_run
from shared.compute.history import RunHistory, RunRecord, ShareRecord, ShareState
from shared.compute.recording import RunSummary, head_of
from shared.compute.report import Counts, Result, RunHead, Saving
from shared.errors import InvalidRequestError
from shared.replies import Reply, json_reply

PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
_KNOWN = frozenset({"result", "started_from", "started_before", "page_size", "continuation"})


class RunListed(RunHead):
    """A run in the list; all below are None while it goes on. `error`: why it has no report."""

    ended_at: datetime | None = None
    result: Result | None = None
    counts: Counts | None = None
    saved: Saving | None = None
    error: str | None = None


class RunList(BaseModel):
    """A page of runs, newest first; `continuation` is opaque, None on the last page."""

    model_config = ConfigDict(frozen=True)

    runs: tuple[RunListed, ...]
    continuation: str | None


class ShareProgress(BaseModel):
    """One share of a run. `begun` counts the workers that took it up.

    `progress` is what its worker last said, None before it said anything.
    """

    model_config = ConfigDict(frozen=True)

    share_id: str
    state: ShareState
    begun: int
    progress: Any
    error: str | None


class RunProgress(RunHead):
    """A run that goes on: it has no result yet, and is closed at its deadline at the latest."""

    deadline: datetime
    result: None = None
    shares: tuple[ShareProgress, ...]


@dataclass(frozen=True, kw_only=True)
class RunRequests:
    """Answers about the runs that the history has."""

    history: RunHistory

    async def list(self, query: Mapping[str, str]) -> Reply:
        """200: a page of runs. Filters: `result`, `started_from` (inclusive), `started_before`.

        Raises InvalidRequestError (400) naming the parameter that is wrong.
        """
        refuse_unknown(query, known=_KNOWN)
        started_from, started_before = (
            _moment(query, "started_from"),
            _moment(query, "started_before"),
        )
        result, page_size = _result(query), _page_size(query)
        try:
            page = await self.history.list_runs(
                started_from=started_from,
                started_before=started_before,
                result=result,
                page_size=page_size,
                continuation=query.get("continuation", ""),
            )
        except ValueError as error:
            raise InvalidRequestError("continuation", str(error)) from error
        found = RunList(
            runs=tuple(listed(run) for run in page.runs), continuation=page.continuation or None
        )
        return json_reply(found.model_dump_json(), status=HTTPStatus.OK)

    async def get(self, run_id: str) -> Reply:
        """200: the report of a run that is closed, the progress of one that goes on; else 404.

        A run that left no report is answered as the list shows it, with its `error`.
        """
        run = await self.history.get_run(run_id)
        if run is None:
            said = f"there is no run {run_id}"
            raise InvalidRequestError("run_id", said, status=HTTPStatus.NOT_FOUND)
        if not run.is_closed:
            shares = await self.history.list_shares(run.run_id)
            return json_reply(_progress(run, shares).model_dump_json(), status=HTTPStatus.OK)
        answer = await compile_run(self.history, run) or listed(run)
        return json_reply(answer.model_dump_json(), status=HTTPStatus.OK)


def listed(run: RunRecord) -> RunListed:
    """Return a run as the list shows it."""
    head = dict(head_of(run))
    if not run.is_closed:
        return RunListed(**head)
    summary = RunSummary.model_validate_json(run.summary)
    ended = summary.model_dump(include={"ended_at", "counts", "saved", "error"})
    return RunListed(**head, **ended, result=run.result)


def _progress(run: RunRecord, shares: Sequence[ShareRecord]) -> RunProgress:
    return RunProgress(
        **dict(head_of(run)),
        deadline=run.deadline,
        shares=tuple(
            ShareProgress(
                share_id=share.share_id,
                state=share.state,
                begun=share.begun,
                progress=json.loads(share.progress) if share.progress else None,
                error=share.error or None,
            )
            for share in shares
        ),
    )


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    return parse_moment(name, query[name]) if name in query else None


def _result(query: Mapping[str, str]) -> Result | None:
    try:
        return Result(query["result"]) if "result" in query else None
    except ValueError:
        raise InvalidRequestError("result", f"must be one of {', '.join(Result)}") from None


def _page_size(query: Mapping[str, str]) -> int:
    text = query.get("page_size", str(PAGE_SIZE))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MAX_PAGE_SIZE):
        raise InvalidRequestError("page_size", f"must be a whole number from 1 to {MAX_PAGE_SIZE}")
    return int(text)
