"""The record of runs that outlives a worker: the ports a run needs from storage.

`shared.clients.run_history` provides them on Azure Tables. A run is cut into shares, one per
subscription; whoever finishes the last share closes the run. Every method raises
StorageUnavailableError when the storage cannot be reached: a shutdown then goes on without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.compute.report import Result


class ShareState(StrEnum):
    """How far a share of a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run as stored.

    `order` is the caller's order as JSON; `open_shares` the subscriptions not finished yet;
    `result` is None while the run goes on; `summary` is a JSON object with the report's head
    (ended_at, counts, saved), empty while it goes on.
    """

    run_id: str
    trigger: str
    dry_run: bool
    reason: str
    order: str
    started_at: datetime
    deadline: datetime
    shares: tuple[str, ...]
    open_shares: frozenset[str]
    result: Result | None = None
    summary: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether the run has its result."""
        return self.result is not None


@dataclass(frozen=True, kw_only=True)
class ShareRecord:
    """One subscription's share of a run. `begun` counts the workers that took it up.

    `order` narrows it, as JSON. `progress` is JSON for whoever watches; `error` says why it failed.
    """

    run_id: str
    share_id: str
    state: ShareState
    order: str
    begun: int = 0
    progress: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """A page of runs, newest first; `continuation` is opaque, empty on the last page."""

    runs: Sequence[RunRecord]
    continuation: str


class RunHistory(Protocol):
    """Runs, their shares, and what the shares found."""

    async def open_run(self, run: RunRecord, *, orders: Mapping[str, str]) -> None:
        """Record a run and its queued shares; `orders` by share id."""

    async def get_run(self, run_id: str) -> RunRecord | None:
        """Return a run, None if there is none of that id."""

    async def list_runs(
        self,
        *,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        result: Result | None = None,
        page_size: int = 50,
        continuation: str = "",
    ) -> RunPage:
        """List runs, newest first. Raises ValueError for a continuation it did not make."""

    async def list_overdue(self, *, now: datetime) -> Sequence[RunRecord]:
        """List runs that go on past their deadline: their workers are gone."""

    async def list_shares(self, run_id: str) -> Sequence[ShareRecord]:
        """List a run's shares."""

    async def begin_share(self, run_id: str, share_id: str) -> ShareRecord | None:
        """Take up a share that is queued or was left running; None if it is finished or unknown."""

    async def save_progress(self, run_id: str, share_id: str, progress: str) -> None:
        """Say how far a share is, for whoever watches."""

    async def finish_share(
        self, run_id: str, share_id: str, *, found: bytes, error: str = ""
    ) -> bool:
        """Record what a share found (any size), DONE, or FAILED with `error`.

        Returns True to exactly one caller of a run: the one whose share was the last open one.
        Finishing a finished share again changes nothing and returns False.
        """

    async def read_found(self, run_id: str) -> Mapping[str, bytes]:
        """Return what each finished share found, by share id; nothing where a part of it is gone."""

    async def close_run(self, run_id: str, *, result: Result, summary: str) -> bool:
        """Give a run its result; True to exactly one caller."""

    async def delete_run(self, run_id: str) -> None:
        """Forget a run and its shares: one that found nothing to do."""

    async def prune(self, *, started_before: datetime) -> int:
        """Forget old runs; returns how many."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Who asked for the stop of an instance in its present `life`. `version` is opaque.

    `state`: in which it was seen when it was first claimed, empty where that was not said.
    """

    run_id: str
    claimed_at: datetime
    granted: bool
    version: str = field(default="", repr=False)
    life: datetime | None = None
    state: str = ""


class StopClaims(Protocol):
    """One stop request per instance and life, whatever runs side by side."""

    async def prune(self, *, claimed_before: datetime) -> int:
        """Forget old claims, a bounded number at a time; returns how many."""

    async def list_claimed(self, subscription_id: str, *, run_id: str) -> Mapping[str, Claim]:
        """Return a run's claims of the stops of a subscription, by lower-cased instance id.

        For a share that is taken up again: what its lost worker may have asked for.
        """

    async def claim(
        self,
        instance_id: str,
        life: datetime | None,
        *,
        run_id: str,
        now: datetime,
        state: str = "",
    ) -> Claim:
        """Claim the stop of an instance seen in a state; `life` is its lastOperation's time.

        `granted` is False where another claim (of any run) stands: it is returned then.
        """

    async def take_over(
        self, instance_id: str, life: datetime | None, *, held: Claim, run_id: str, now: datetime
    ) -> Claim:
        """Replace a claim that had no effect; not granted if somebody else was faster."""

    async def release(self, instance_id: str, *, held: Claim) -> bool:
        """Forget a claim whose stop did nothing; False if somebody has taken it over."""
