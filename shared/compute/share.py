"""One subscription's share of a run: what it covers, carried out by whoever takes it up.

A share outlives its worker: taken up again it looks first, and asks for nothing twice. Failed machines
are outcomes; only our own infrastructure raises, so that the share comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from shared.compute import enumeration, narration
from shared.compute.closing import close_run
from shared.compute.history import RunHistory, RunRecord, ShareRecord
from shared.compute.instance import Compute, Workspace
from shared.compute.ledger import Ledger
from shared.compute.recording import head_of
from shared.compute.report import Trigger, WorkspaceReport
from shared.compute.run import Occasion, Run
from shared.compute.settling import settle_chosen
from shared.compute.shutdown import Shutdown
from shared.errors import CredentialError, OpsError, StorageUnavailableError
from shared.telemetry import Span, bound

PROGRESS_EVERY_SECONDS = 2.0
CLOSED_BEFORE = "the run was closed before a worker took it up"
RUN_GONE = "the record of a run; a share of it was not worked"
GIVEN_UP = "its share did not finish: every try failed"


class ShareOrder(BaseModel):
    """What a share covers: full ARM ids, None for all. `scheduled_at`: a tick's, in UTC.

    `unread`: what could not be read when names were looked up, and may hold one of them, too.
    """

    model_config = ConfigDict(frozen=True)

    workspaces: tuple[str, ...] | None = None
    instances: tuple[str, ...] | None = None
    respect_schedule: bool = False
    scheduled_at: datetime | None = None
    unread: tuple[WorkspaceReport, ...] = ()

    def covers_workspace(self, workspace: Workspace) -> bool:
        """Whether a workspace holds something that the share covers."""
        if self.instances is not None:
            prefix = f"{workspace.id.lower()}/"
            return any(each.lower().startswith(prefix) for each in self.instances)
        return self.workspaces is None or workspace.id.lower() in _keys(self.workspaces)

    def choose(self, computes: Sequence[Compute]) -> Sequence[Compute]:
        """Return the computes that the share covers."""
        if self.instances is None:
            return computes
        named = _keys(self.instances)
        return [compute for compute in computes if compute.id.lower() in named]


class ShareProgress(BaseModel):
    """How far a share is. `busy`: it found something to do; `open`: machines still on their way.

    `error`: why the last try failed, before the next one has more to say.
    """

    model_config = ConfigDict(frozen=True)

    busy: bool = False
    seen: int = 0
    open: int = 0
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Carries out shares of recorded runs. A share's id is its subscription's.

    `comes_back`: whether the platform tries a share again that raises.
    """

    shutdown: Shutdown
    history: RunHistory
    comes_back: bool = True

    async def work(self, run_id: str, share_id: str) -> None:
        """Do a share and record what it found; the last one closes its run.

        Raises StorageUnavailableError or CredentialError: then the share is to be tried again.
        """
        with bound(run_id=run_id):
            share = await self.history.begin_share(run_id, share_id)
            record = await self.history.get_run(run_id)
            if share is None or record is None:
                if share is not None:
                    lost = StorageUnavailableError(f"run {run_id} has shares and no record")
                    self.shutdown.tell_lost(RUN_GONE, lost)
                await self._finish(run_id, share_id, found=b"", came_back=True)
            elif record.is_closed:
                await self._finish(run_id, share_id, found=b"", error=CLOSED_BEFORE)
            else:
                await self._finish(run_id, share_id, found=await self._try(record, share))

    async def give_up(self, run_id: str, share_id: str) -> None:
        """Record that a share failed for good, and why; the last one closes its run."""
        with bound(run_id=run_id):
            said = [
                ShareProgress.model_validate_json(each.progress).error
                for each in await self.history.list_shares(run_id)
                if each.share_id == share_id and each.progress
            ]
            error = ": ".join([GIVEN_UP, *filter(None, said)])
            await self._finish(run_id, share_id, found=b"", error=error, came_back=True)

    async def _finish(
        self, run_id: str, share_id: str, *, found: bytes, error: str = "", came_back: bool = False
    ) -> None:
        last = await self.history.finish_share(run_id, share_id, found=found, error=error)
        if not last and not came_back:
            return
        # Who was told that its share was the last may be lost before it closes the run.
        record = await self.history.get_run(run_id)
        if record is not None and not record.open_shares:
            now = self.shutdown.now()
            notes = self.shutdown.backing.notes
            await close_run(self.history, self.shutdown.telemetry, record, now=now, notes=notes)

    async def _try(self, record: RunRecord, share: ShareRecord) -> bytes:
        # Side by side with a worker that was thought lost, both tell: the attempt keeps them apart.
        with bound(share_id=share.share_id, attempt=share.begun):
            try:
                return await self._settle(record, share)
            except CredentialError as error:
                failed = ShareProgress(error=str(error)).model_dump_json()
                with suppress(StorageUnavailableError):
                    await self.history.save_progress(share.run_id, share.share_id, failed)
                raise

    async def _settle(self, record: RunRecord, share: ShareRecord) -> bytes:
        telemetry = self.shutdown.telemetry
        order = ShareOrder.model_validate_json(share.order)
        # Whoever had it before may have asked for stops.
        begun_before = (share.share_id,) if share.begun > 1 else ()
        ledger = Ledger(head=head_of(record), spread_over=begun_before)
        trigger = ledger.head.trigger
        with telemetry.span(Span.COMPUTE_RUN, trigger=trigger, dry_run=record.dry_run):
            run = await self._begin(record, order, ledger)
            async with self._telling_progress(share, ledger):
                await settle_share(run, share.share_id, order)
        narration.tell_share(telemetry, ledger)
        return ledger.findings().model_dump_json().encode()

    async def _begin(self, record: RunRecord, order: ShareOrder, ledger: Ledger) -> Run:
        occasion = Occasion(
            trigger=Trigger(record.trigger),
            time_limit=record.deadline - record.started_at,
            scheduled_at=order.scheduled_at,
        )
        run = await self.shutdown.begin(
            ledger, occasion, deadline=record.deadline, by_the_book=order.respect_schedule
        )
        return replace(run, comes_back=self.comes_back)

    @asynccontextmanager
    async def _telling_progress(self, share: ShareRecord, ledger: Ledger) -> AsyncIterator[None]:
        telling = asyncio.create_task(self._tell_progress(share, ledger))
        try:
            yield
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling

    async def _tell_progress(self, share: ShareRecord, ledger: Ledger) -> None:
        said = ""
        while True:
            await asyncio.sleep(PROGRESS_EVERY_SECONDS)
            progress = _progress(ledger).model_dump_json()
            if progress != said:
                # Who watches sees less for a while; the share itself does not need it.
                with suppress(StorageUnavailableError):
                    await self.history.save_progress(share.run_id, share.share_id, progress)
                said = progress


async def settle_share(run: Run, subscription_id: str, order: ShareOrder) -> None:
    """Settle what a share covers of its subscription."""
    workspaces = await enumeration.list_workspaces(run, subscription_id)
    covered = [workspace for workspace in workspaces if order.covers_workspace(workspace)]
    listed = {workspace.id.lower() for workspace in workspaces}

    def choose(computes: Sequence[Compute]) -> Sequence[Compute]:
        listed.update(compute.key for compute in computes)
        return order.choose(computes)

    await settle_chosen(run, covered, choose=choose)
    _miss(run, order, listed)
    # Read by now or not: which of the names it holds was not known when they were looked up.
    for scope in order.unread:
        run.ledger.unreadable(scope.id, scope.error or "", retryable=False)


def _miss(run: Run, order: ShareOrder, listed: Collection[str]) -> None:
    """Write down what was there when the order was checked, and no list showed since.

    It may be deleted, or the lists lag behind: nobody looked at it, so it is no success.
    """
    unread = tuple(f"{scope.lower()}/" for scope in run.ledger.unread_ids)
    missed = [
        each
        for each in (*(order.workspaces or ()), *(order.instances or ()))
        if each.lower().rstrip("/") not in listed and not each.lower().startswith(unread)
    ]
    for each in missed:
        workspace_id, _, name = each.rstrip("/").partition("/computes/")
        if name:
            run.ledger.trouble(workspace_id, f"{name} was named, and is not listed")
        else:
            enumeration.unreadable(run, workspace_id, OpsError("it was named, and is not listed"))


def _progress(ledger: Ledger) -> ShareProgress:
    watches = ledger.watches.values()
    return ShareProgress(
        busy=not ledger.is_routine,
        seen=len(watches),
        open=sum(watch.is_open for watch in watches),
    )


def _keys(ids: Sequence[str]) -> frozenset[str]:
    return frozenset(each.lower().rstrip("/") for each in ids)
