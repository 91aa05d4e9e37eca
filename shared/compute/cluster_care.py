"""Scale idle clusters to no node outside their windows, and give them their minimum back inside.

Nothing is scaled down before what it had is durably recorded, so a night is never the end of a
cluster. Level-triggered: every tick starts from what a list shows and from what is remembered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.compute.cluster_policy import ClusterDecision, decide_cluster
from shared.compute.cluster_report import ClusterOutcome, ClusterReport, Tended, tell_cluster
from shared.compute.clusters import ClusterMinimum, ClusterMinimums
from shared.compute.instance import Compute, Workspace
from shared.compute.mishap import Contain
from shared.compute.native_settings import ScaleSettings
from shared.compute.rulebook import Rulebook
from shared.errors import AzureRequestError, OpsError, StorageUnavailableError
from shared.telemetry import Event, Telemetry

logger = logging.getLogger(__name__)

BAD_REQUESTS = range(400, 500)
TRANSIENT = frozenset({408, 429})


class ClusterAzure(Protocol):
    """What is needed of Azure Machine Learning. Raises AzureRequestError or CredentialError."""

    async def list_computes(self, workspace: Workspace, *, deadline: datetime) -> Sequence[Compute]:
        """Every compute of a workspace, of every kind, with its state."""

    async def scale_cluster(
        self, compute: Compute, scale: ScaleSettings, *, deadline: datetime
    ) -> None:
        """Ask once for other bounds. Returns before they hold."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The minimums that are remembered, by lower-cased ARM id; None while storage is away."""

    minimums: ClusterMinimums | None
    known: Mapping[str, ClusterMinimum] | None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class ClusterCare:
    """What a tick tends clusters with.

    `off_hours`: the setting; False only gives back what is remembered. `patience`: how long a
    change is looked for, every `poll`, and never beyond `deadline`.
    """

    azure: ClusterAzure
    memory: Memory
    telemetry: Telemetry
    book: Rulebook
    now: Callable[[], datetime]
    deadline: datetime
    off_hours: bool = False
    dry_run: bool = False
    poll: timedelta = timedelta(seconds=5)
    patience: timedelta = timedelta(seconds=60)
    _lost: set[str] = field(init=False, default_factory=set)

    def lost(self, error: StorageUnavailableError) -> None:
        """Say once that storage is away."""
        if not self._lost:
            logger.error("went on without the minimums of clusters: %s", error)
            self.telemetry.event(Event.HISTORY_LOST, operation="cluster minimums", error=str(error))
        self._lost.add(str(error))


async def recall(minimums: ClusterMinimums | None, *, telemetry: Telemetry) -> Memory:
    """Read what is remembered: once for each share of a run. `minimums` None: no storage is set."""
    if minimums is None:
        return Memory(minimums=None, known=None, error="the app has no storage account")
    try:
        listed = await minimums.list()
    except StorageUnavailableError as error:
        logger.error("went on without the minimums of clusters: %s", error)  # noqa: TRY400  # said in full
        telemetry.event(Event.HISTORY_LOST, operation="cluster minimums", error=str(error))
        return Memory(minimums=minimums, known=None, error=str(error))
    return Memory(minimums=minimums, known={each.cluster_id.lower(): each for each in listed})


async def tend_clusters(
    workspace: Workspace,
    computes: Sequence[Compute],
    *,
    care: ClusterCare,
    at: datetime,
    contain: Contain,
) -> tuple[ClusterReport, ...]:
    """Tend the clusters of one workspace's list and report each; () for a shutdown "now".

    Raises nothing for a cluster, for Azure or for storage: each is an outcome. `contain` keeps a
    mistake about one cluster from the others; one of which nothing could be decided has no report.
    """
    if not care.book.by_the_book:
        return ()
    # A project lists its hub's computes, too: each is tended where it is at home.
    home = f"{workspace.id.lower()}/"
    ours = [c for c in computes if c.is_cluster and c.key.startswith(home)]
    tended = []
    for compute in ours:
        with contain(compute.name):
            tended.append(_decide(compute, care, at))
    await asyncio.gather(*(_change(each, care, contain) for each in tended))
    await _look_until_done(workspace, tended, care, contain)
    await asyncio.gather(*(_conclude(each, care, contain) for each in tended))
    return tuple(each.report() for each in tended)


def _decide(compute: Compute, care: ClusterCare, at: datetime) -> Tended:
    known = care.memory.known
    verdict = decide_cluster(
        compute,
        remembered=(known or {}).get(compute.key),
        book=care.book,
        at=at,
        off_hours=care.off_hours,
    )
    tended = Tended(
        compute=compute,
        verdict=verdict,
        remembered=(known or {}).get(compute.key),
        seen_at=care.now(),
    )
    if verdict.decision is ClusterDecision.LEAVE:
        tended.close(ClusterOutcome.LEFT)
    elif care.dry_run:
        tended.close(ClusterOutcome.PLANNED)
    elif known is None:
        detail = f"Left: its minimum cannot be recorded ({care.memory.error})."
        tended.close(ClusterOutcome.NOT_RECORDED, detail)
    return tended


async def _change(tended: Tended, care: ClusterCare, contain: Contain) -> None:
    if not tended.is_open or tended.verdict.decision is ClusterDecision.FORGET:
        return
    with contain(tended.compute.name) as mishap:
        await _record_and_ask(tended, care)
    # It may have been asked for: the looks go on, and show that.
    tended.detail = mishap.why or tended.detail


async def _record_and_ask(tended: Tended, care: ClusterCare) -> None:
    """Record first, then ask: whatever happens in between, the minimum can be given back."""
    if not await _record(tended, care):
        return
    scale = tended.cluster.scale
    wanted = replace(scale, minimum=tended.verdict.minimum)
    try:
        await care.azure.scale_cluster(tended.compute, wanted, deadline=care.deadline)
    except AzureRequestError as error:
        tended.detail = str(error)
        if error.status in BAD_REQUESTS and error.status not in TRANSIENT:
            tended.refused = True
    except OpsError as error:
        tended.detail = str(error)
        tended.refused = True


async def _record(tended: Tended, care: ClusterCare) -> bool:
    if tended.verdict.decision is not ClusterDecision.SCALE_DOWN or tended.remembered:
        return True
    minimum = ClusterMinimum(
        cluster_id=tended.compute.id,
        minimum=tended.cluster.scale.minimum,
        recorded_at=care.now(),
    )
    try:
        await _minimums(care).remember(minimum)
    except StorageUnavailableError as error:
        care.lost(error)
        detail = f"Left: its minimum cannot be recorded ({error})."
        tended.close(ClusterOutcome.NOT_RECORDED, detail)
        return False
    tended.remembered = minimum
    return True


async def _look_until_done(
    workspace: Workspace, tended: Sequence[Tended], care: ClusterCare, contain: Contain
) -> None:
    """List again until every change is seen: the list is the verdict, not the answer."""
    give_up = min(care.deadline, care.now() + care.patience)
    while any(each.is_awaited for each in tended) and care.now() < give_up:
        await asyncio.sleep(min(care.poll, give_up - care.now()).total_seconds())
        with contain(""):
            await _look(workspace, tended, care)


async def _look(workspace: Workspace, tended: Sequence[Tended], care: ClusterCare) -> None:
    try:
        computes = await care.azure.list_computes(workspace, deadline=care.deadline)
    except OpsError as error:
        logger.warning("could not look at %s again: %s", workspace.id, error)
        return
    by_key = {compute.key: compute for compute in computes}
    for each in tended:
        each.look(by_key.get(each.compute.key), seen_at=care.now())


async def _conclude(tended: Tended, care: ClusterCare, contain: Contain) -> None:
    """Bring what is remembered in line with what was seen, close, and tell."""
    with contain(tended.compute.name) as mishap:
        await _bring_in_line(tended, care)
    if tended.is_open:
        tended.close(tended.outcome_seen, mishap.why)
    with contain(tended.compute.name):
        tell_cluster(care.telemetry, tended)


async def _bring_in_line(tended: Tended, care: ClusterCare) -> None:
    decision, done = tended.verdict.decision, tended.is_done
    if care.dry_run or care.memory.known is None:
        return
    try:
        if decision in {ClusterDecision.SCALE_DOWN, ClusterDecision.LEAVE}:
            await _mark_lowered(tended, care)
        elif done:
            await _minimums(care).forget(tended.compute.id)
    except StorageUnavailableError as error:
        # The next tick finds the cluster as it is now, and does it then.
        care.lost(error)


async def _mark_lowered(tended: Tended, care: ClusterCare) -> None:
    # What was refused stays remembered, too: another tick's change may have been the reason.
    record = tended.remembered
    if record and record.lowered_at is None and tended.minimum == 0:
        await _minimums(care).remember(replace(record, lowered_at=tended.seen_at))


def _minimums(care: ClusterCare) -> ClusterMinimums:
    if care.memory.minimums is None:
        raise StorageUnavailableError(care.memory.error)
    return care.memory.minimums
