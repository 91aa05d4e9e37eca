"""Settle a part of the estate: list it, decide, ask for stops and see them done, tend its clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.compute import enumeration, narration
from shared.compute.cluster_care import tend_clusters
from shared.compute.cluster_report import FAILED_CLUSTER_OUTCOMES, ClusterOutcome
from shared.compute.containment import contained
from shared.compute.guardrails import audit
from shared.compute.instance import Compute, Workspace
from shared.compute.pursuit import pursue
from shared.compute.renewal import renewing_exemptions
from shared.compute.run import Run, side_by_side

QUIET_CLUSTER_OUTCOMES = frozenset({ClusterOutcome.LEFT, ClusterOutcome.PLANNED})


async def settle_subscription(run: Run, subscription_id: str) -> None:
    """Settle all of a subscription."""
    workspaces = await enumeration.list_workspaces(run, subscription_id)
    await settle_chosen(run, workspaces, choose=lambda computes: computes)


async def settle_chosen(
    run: Run,
    workspaces: Sequence[Workspace],
    *,
    choose: Callable[[Sequence[Compute]], Sequence[Compute]],
) -> None:
    """Settle what is chosen of each workspace.

    No barrier between workspaces: one that hangs does not hold up the others.
    """

    async def settle_one(workspace: Workspace) -> None:
        computes = await enumeration.list_computes(run, workspace)
        await settle(run, workspace, choose(computes))

    await side_by_side(settle_one(workspace) for workspace in workspaces)


async def settle(run: Run, workspace: Workspace, computes: Sequence[Compute]) -> None:
    """Settle these computes of a workspace, as just listed."""
    watches = enumeration.watch(run, computes)
    prices = enumeration.read_prices(run, computes)
    if run.ledger.guardrails is not None:
        with contained(run, workspace.id):
            run.ledger.guardrails += audit(computes, book=run.book, at=run.decides_at(run.now()))
    pursued, tended = pursue(run, workspace, watches), _tend(run, workspace, computes)
    async with renewing_exemptions(run, workspace):
        await side_by_side([prices, pursued, tended])


async def _tend(run: Run, workspace: Workspace, computes: Sequence[Compute]) -> None:
    if run.care is None:
        return
    at = run.decides_at(run.now())
    with contained(run, workspace.id, about="clusters"):
        tended = await tend_clusters(
            workspace,
            computes,
            care=run.care,
            at=at,
            contain=lambda name: contained(run, workspace.id, about=name or "clusters"),
        )
        for cluster in tended:
            if cluster.outcome not in QUIET_CLUSTER_OUTCOMES:
                narration.get_busy(run.telemetry, run.ledger)
            if cluster.outcome in FAILED_CLUSTER_OUTCOMES:
                run.ledger.trouble(workspace.id, f"cluster {cluster.name}: {cluster.detail}")
