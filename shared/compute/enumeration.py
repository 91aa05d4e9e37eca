"""Read the estate: subscriptions, their workspaces, the computes in them, and prices.

A scope that cannot be read is written down in the ledger, and reads as empty. Only where the
platform tries again (`Run.comes_back`) does a failing sign-in raise CredentialError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from shared.compute import narration, selection
from shared.compute.azure import Price
from shared.compute.containment import contained
from shared.compute.instance import Compute, Workspace
from shared.compute.lost_record import learn_of_late_claims
from shared.compute.order import RunOrder
from shared.compute.run import Run, side_by_side
from shared.compute.watch import Watch
from shared.errors import AzureRequestError, CredentialError, NothingEnumeratedError, OpsError

# Nobody's machine waits for a price.
PRICE_PATIENCE = timedelta(seconds=20)


async def list_subscriptions(run: Run) -> Sequence[str]:
    """Return the subscriptions to look at; without any, the run has failed."""
    if run.ledger.unlisted:
        # Asked again with no time left, Azure's own words would be lost.
        raise run.ledger.unlisted
    try:
        visible = await run.azure.list_subscriptions(deadline=run.deadline)
    except OpsError as error:
        raise NothingEnumeratedError(
            f"The subscriptions could not be listed: {error}",
            run_id=run.ledger.head.run_id,
            retryable=error.retryable,
        ) from error
    if not visible:
        raise NothingEnumeratedError(
            "The service principal can see no subscription: it may have lost its role.",
            run_id=run.ledger.head.run_id,
            retryable=False,
        )
    return visible


async def list_workspaces(run: Run, subscription_id: str) -> Sequence[Workspace]:
    """Return a subscription's workspaces, none if they cannot be listed."""
    scope_id = f"/subscriptions/{subscription_id}"
    try:
        with contained(run, scope_id) as mishap:
            workspaces = await run.azure.list_workspaces(subscription_id, deadline=run.deadline)
    except OpsError as error:
        unreadable(run, scope_id, error)
        return ()
    if mishap.why:
        unreadable(run, scope_id, OpsError(mishap.why))
        return ()
    run.homes.update({workspace.id.lower(): workspace for workspace in workspaces})
    run.ledger.empty_subscriptions += not workspaces
    return workspaces


async def list_computes(run: Run, workspace: Workspace) -> Sequence[Compute]:
    """Return a workspace's computes, none if they cannot be listed."""
    try:
        with contained(run, workspace.id) as mishap:
            computes = await run.azure.list_computes(workspace, deadline=run.deadline)
    except OpsError as error:
        unreadable(run, workspace.id, error)
        return ()
    if mishap.why:
        unreadable(run, workspace.id, OpsError(mishap.why))
        return ()
    run.ledger.read(workspace.id)
    with contained(run, workspace.id, about="claims"):
        await learn_of_late_claims(run, computes)
    return [run.at_home(compute) for compute in computes]


async def choose(run: Run, order: RunOrder) -> Sequence[tuple[Workspace, Sequence[Compute]]]:
    """Return the computes that the caller named, workspace by workspace, all checked first."""
    visible = await list_subscriptions(run)
    subscriptions = selection.choose_subscriptions(visible, order.subscriptions)
    listed = await side_by_side(list_workspaces(run, s) for s in subscriptions)
    workspaces = selection.choose_workspaces(
        [workspace for group in listed for workspace in group],
        order.workspaces,
        unread=run.ledger.unread_ids,
    )
    computes = await side_by_side(list_computes(run, w) for w in workspaces)
    chosen = selection.choose_instances(
        [compute for group in computes for compute in group],
        order.instances,
        unread=run.ledger.unread_ids,
    )
    _forget_unasked(run, order, workspaces, chosen)
    return _by_lister(workspaces, computes, chosen)


def _by_lister(
    workspaces: Sequence[Workspace],
    computes: Sequence[Sequence[Compute]],
    chosen: Sequence[Compute],
) -> Sequence[tuple[Workspace, Sequence[Compute]]]:
    """Return what was chosen under the workspace that lists it: there it is looked at again."""
    keys = {compute.key for compute in chosen}
    listed = zip(workspaces, computes, strict=True)
    return [(w, [c for c in group if c.key in keys]) for w, group in listed]


def _forget_unasked(
    run: Run, order: RunOrder, workspaces: Sequence[Workspace], chosen: Sequence[Compute]
) -> None:
    """Keep what was chosen, and what could not be read and holds something that was named."""
    names = order.instances or order.workspaces
    if names is None:
        return
    chosen_ids = {c.workspace.id for c in chosen} if order.instances else {w.id for w in workspaces}
    named = [f"{name.lower().rstrip('/')}/" for name in names]
    unread = [
        scope
        for scope in run.ledger.unread_ids
        if may_hide_namesake(scope, order)
        or any(name.startswith(f"{scope.lower()}/") for name in named)
    ]
    run.ledger.keep_scopes([*unread, *chosen_ids])


def may_hide_namesake(scope: str, order: RunOrder) -> bool:
    """Whether a bare name that was found may stand for something unread in this scope, too."""
    if any("/" not in name for name in order.instances or ()):
        return True
    is_subscription = "/workspaces/" not in scope.lower()
    return is_subscription and any("/" not in name for name in order.workspaces or ())


def watch(run: Run, computes: Sequence[Compute]) -> list[Watch]:
    """Start to watch a workspace's instances; count the other kinds. Each compute only once."""
    watches = []
    for compute in computes:
        if not compute.is_instance:
            run.ledger.other_computes.add(compute.key)
        elif compute.key not in run.ledger.watches:
            with contained(run, compute.workspace.id, about=compute.name):
                watches.append(_begin_to_watch(run, compute))
                _note_misconfigured(run, compute)
    return watches


def _begin_to_watch(run: Run, compute: Compute) -> Watch:
    claimed = run.claimed.get(compute.key)
    started = Watch(
        compute, seen_at=run.now(), judge=run.judge, patience=run.rules.patience, lost=claimed
    )
    if run.ledger.spread_over and claimed is None:
        started.may_be_stopped_since(run.ledger.head.started_at)
    run.ledger.watches[compute.key] = started
    return started


def _note_misconfigured(run: Run, compute: Compute) -> None:
    for resource_id, wrong in run.book.misconfigured(compute):
        run.ledger.misconfigured[(resource_id.lower(), wrong.tag)] = resource_id, wrong


async def read_prices(run: Run, computes: Sequence[Compute]) -> None:
    """Learn what the computes cost. A missing price never harms a run: it reads as unknown."""
    places = {
        (compute.workspace.subscription_id.lower(), compute.location.lower())
        for compute in computes
        if compute.is_instance and compute.location
    }
    await side_by_side(_read_price(run, *p) for p in places - run.ledger.prices.keys())


async def _read_price(run: Run, subscription_id: str, location: str) -> None:
    # Claimed before the request, so that two workspaces of a region ask once.
    run.ledger.prices[(subscription_id, location)] = {}
    deadline = min(run.deadline, run.now() + PRICE_PATIENCE)
    prices: Mapping[str, Price] = {}
    try:
        with contained(run, f"/subscriptions/{subscription_id}"):
            prices = await run.azure.list_prices(subscription_id, location, deadline=deadline)
    except OpsError as error:
        narration.log_prices_unknown(location, error)
    else:
        run.ledger.prices[(subscription_id, location)] = prices


def unreadable(run: Run, scope_id: str, error: OpsError) -> None:
    """Write down and tell what could not be read. Raises CredentialError where that comes back."""
    if run.comes_back and isinstance(error, CredentialError):
        raise error
    run.ledger.unreadable(scope_id, str(error), retryable=error.retryable)
    status = error.status if isinstance(error, AzureRequestError) else None
    code = error.code if isinstance(error, AzureRequestError) else type(error).__name__
    narration.get_busy(run.telemetry, run.ledger)
    narration.tell_unreadable(run.telemetry, scope_id, status=status, code=code, error=str(error))
