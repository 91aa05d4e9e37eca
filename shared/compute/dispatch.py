"""Spread a run over the platform's workers: one share and one message per subscription.

All of an order is checked before anything is sent. The run's record is waited on until its last share
closes it. Without the record the run goes inline, without the queue its shares are worked here: nothing
is dropped, and both is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.compute import narration
from shared.compute.closing import close_run, compile_run
from shared.compute.cutting import cut
from shared.compute.history import RunHistory, RunRecord
from shared.compute.ledger import Ledger
from shared.compute.order import RunOrder
from shared.compute.recording import RunSummary
from shared.compute.report import RunReport, Trigger
from shared.compute.run import Occasion, side_by_side
from shared.compute.share import ShareOrder, ShareProgress, Shares
from shared.compute.shutdown import Shutdown, time_limit
from shared.errors import NothingEnumeratedError, StorageUnavailableError
from shared.telemetry import bound

LOOK_EVERY_SECONDS = 1.0
# A message takes some ten milliseconds: hundreds one after another would keep the last machines waiting.
SENDS_AT_ONCE = 8
# Looks after the deadline, and the closing of the run.
GRACE = timedelta(seconds=12)
# An HTTP answer must leave before the platform's 230 s, also when the record is lost at the end.
LONGEST_ANSWER = timedelta(seconds=200)
# The functionTimeout of host.json, less five minutes.
LONGEST_TICK = timedelta(seconds=1500)
# A record that cannot be read for so long is lost: the machines do not wait for it.
RECORD_PATIENCE = timedelta(seconds=15)
# Whoever waits for a run forgets it, and nobody else does: then somebody took it away.
GONE = "the record of the run is gone"


class ShareQueue(Protocol):
    """The queue of shares; `shared.clients.share_queue` provides it."""

    async def send(self, run_id: str, share_id: str) -> None:
        """Ask some worker for a share. Raises StorageUnavailableError."""


@dataclass(frozen=True, kw_only=True)
class GoesOn:
    """A run that goes on without the caller. `asked_for`: as the caller preferred."""

    run_id: str
    asked_for: bool


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """A tick in which no share had anything to do: it leaves no report."""


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """Carries out runs in earnest, with a history and a queue."""

    shutdown: Shutdown
    history: RunHistory
    queue: ShareQueue

    async def run(
        self, order: RunOrder, occasion: Occasion, *, respond_async: bool = False
    ) -> RunReport | GoesOn | Nothing:
        """Carry out a run and wait for its end, if that comes in time.

        Raises InvalidRequestError, with nothing stopped, if the order names what is not there, and
        NothingEnumeratedError if no part of the estate could be read.
        """
        if not respond_async:
            occasion = _in_time(order, occasion)
        ledger = Ledger(head=self.shutdown.new_head(order, occasion))
        with bound(run_id=ledger.head.run_id):
            orders = await self._cut(ledger, order, occasion)
            if not orders:
                # Whoever can enumerate nothing says so, and is recorded, in one place.
                return await self.shutdown.run(order, occasion, ledger=ledger)
            try:
                record = await self._open(ledger, order, occasion, orders)
                return await self._spread(ledger, record, respond_async=respond_async)
            except StorageUnavailableError as error:
                if ledger.spread_over:
                    # What its workers did may be all that there was to do.
                    narration.get_busy(self.shutdown.telemetry, ledger)
                return await self.shutdown.run(order, occasion, ledger=ledger, lost=error)

    async def _spread(
        self, ledger: Ledger, record: RunRecord, *, respond_async: bool
    ) -> RunReport | GoesOn | Nothing:
        """Send a run's shares out, and wait for its end. Raises StorageUnavailableError."""
        ledger.spread_over = record.shares
        sent_all = await self._send(record)
        if respond_async and sent_all:
            return GoesOn(run_id=record.run_id, asked_for=True)
        async with self.shutdown.tidying(ledger.head):
            return await self._wait(ledger, record)

    async def _cut(
        self, ledger: Ledger, order: RunOrder, occasion: Occasion
    ) -> Mapping[str, ShareOrder]:
        """Check the order and cut it into shares, by subscription; none if nothing could be read."""
        run = self.shutdown.survey(
            Ledger(head=ledger.head),
            occasion,
            deadline=_deadline(ledger, order, occasion),
        )
        try:
            return await cut(run, order, scheduled_at=occasion.scheduled_at)
        except NothingEnumeratedError as error:
            ledger.unlisted = error
            return {}

    async def _open(
        self,
        ledger: Ledger,
        order: RunOrder,
        occasion: Occasion,
        orders: Mapping[str, ShareOrder],
    ) -> RunRecord:
        head = ledger.head
        record = RunRecord(
            run_id=head.run_id,
            trigger=head.trigger,
            dry_run=head.dry_run,
            reason=head.reason,
            order=order.model_dump_json(),
            started_at=head.started_at,
            deadline=_deadline(ledger, order, occasion),
            shares=tuple(orders),
            open_shares=frozenset(orders),
        )
        shares = {share_id: each.model_dump_json() for share_id, each in orders.items()}
        await self.history.open_run(record, orders=shares)
        narration.tell_started(
            self.shutdown.telemetry, ledger, deadline=record.deadline, past_due=occasion.past_due
        )
        return record

    async def _send(self, record: RunRecord) -> bool:
        """Send a message per share, a few at once; work those here whose message could not be sent."""
        # One for all who send: each takes the next, and whoever fails takes what is left.
        waiting = iter(record.shares)
        unsent = await side_by_side(self._send_some(record, waiting) for _ in range(SENDS_AT_ONCE))
        return not any(unsent)

    async def _send_some(self, record: RunRecord, waiting: Iterator[str]) -> int:
        """Send until none waits; if one fails, work it and all that wait. Returns how many it worked."""
        for share_id in waiting:
            try:
                await self.queue.send(record.run_id, share_id)
            except StorageUnavailableError as error:
                self.shutdown.tell_lost("the queue; its shares are worked here", error)
                # Machines do not wait while a queue that is away fails once for each subscription.
                return await self._work_here(record, [share_id, *waiting])
        return 0

    async def _work_here(self, record: RunRecord, share_ids: Sequence[str]) -> int:
        shares = Shares(shutdown=self.shutdown, history=self.history, comes_back=False)
        await side_by_side(shares.work(record.run_id, share_id) for share_id in share_ids)
        return len(share_ids)

    async def _wait(self, ledger: Ledger, record: RunRecord) -> RunReport | GoesOn | Nothing:
        """Look at the record until it is closed. Raises StorageUnavailableError once it is lost."""
        until, last_seen = _wait_until(record), self.shutdown.now()
        while True:
            try:
                seen = await self.history.get_run(record.run_id)
                last_seen = self.shutdown.now()
                if seen is None:
                    break
                if seen.is_closed:
                    return await self._end(ledger, seen)
                await self._tell_if_busy(ledger)
            except StorageUnavailableError:
                if self.shutdown.now() - last_seen > RECORD_PATIENCE:
                    raise
            if self.shutdown.now() >= until:
                return await self._last_look(ledger, record)
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        raise StorageUnavailableError(GONE)

    async def _last_look(self, ledger: Ledger, record: RunRecord) -> RunReport | GoesOn | Nothing:
        seen = await self.history.get_run(record.run_id)
        if seen is not None and not seen.open_shares:
            # All are in, and whoever finished the last was lost before it closed the run.
            now = self.shutdown.now()
            notes = self.shutdown.backing.notes
            await close_run(self.history, self.shutdown.telemetry, seen, now=now, notes=notes)
            seen = await self.history.get_run(record.run_id)
        if seen is None:
            raise StorageUnavailableError(GONE)
        if seen.is_closed:
            return await self._end(ledger, seen)
        return GoesOn(run_id=record.run_id, asked_for=False)

    async def _tell_if_busy(self, ledger: Ledger) -> None:
        """Say that a tick began, once a share found something to do."""
        if not ledger.is_routine:
            return
        shares = await self.history.list_shares(ledger.head.run_id)
        said = [
            ShareProgress.model_validate_json(each.progress) for each in shares if each.progress
        ]
        if any(progress.busy for progress in said):
            narration.get_busy(self.shutdown.telemetry, ledger)

    async def _end(self, ledger: Ledger, record: RunRecord) -> RunReport | Nothing:
        summary = RunSummary.model_validate_json(record.summary)
        if summary.routine:
            await self._forget(record)
            return Nothing()
        narration.get_busy(self.shutdown.telemetry, ledger)
        report = await compile_run(self.history, record)
        if report is None:
            said = summary.error or "it left no report"
            raise NothingEnumeratedError(said, run_id=record.run_id, retryable=summary.retryable)
        return report

    async def _forget(self, record: RunRecord) -> None:
        try:
            await self.history.delete_run(record.run_id)
        except StorageUnavailableError as error:
            narration.log_not_tidied(record.run_id, error)


def _in_time(order: RunOrder, occasion: Occasion) -> Occasion:
    """Let the deadline leave room for the last looks before whoever waits has to be answered."""
    at_most = _longest(occasion.trigger) - GRACE
    return replace(occasion, time_limit=min(time_limit(order, occasion), at_most))


def _deadline(ledger: Ledger, order: RunOrder, occasion: Occasion) -> datetime:
    return ledger.head.started_at + time_limit(order, occasion)


def _wait_until(record: RunRecord) -> datetime:
    return min(record.deadline + GRACE, record.started_at + _longest(record.trigger))


def _longest(trigger: str) -> timedelta:
    return LONGEST_TICK if trigger == Trigger.TIMER else LONGEST_ANSWER
