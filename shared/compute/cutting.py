"""Cut an order into shares, by subscription, once all that it names was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.compute import enumeration, selection
from shared.compute.order import RunOrder
from shared.compute.run import Run
from shared.compute.share import ShareOrder


async def cut(
    run: Run, order: RunOrder, *, scheduled_at: datetime | None
) -> Mapping[str, ShareOrder]:
    """Return what each share covers; none if nothing could be read that the order names.

    Raises InvalidRequestError if the order names what is not there, and NothingEnumeratedError.
    """
    base = ShareOrder(respect_schedule=order.respect_schedule, scheduled_at=scheduled_at)
    if order.workspaces is None and order.instances is None:
        visible = await enumeration.list_subscriptions(run)
        chosen = selection.choose_subscriptions(visible, order.subscriptions)
        return dict.fromkeys(chosen, base)
    return await _cut_named(run, order, base)


async def _cut_named(run: Run, order: RunOrder, base: ShareOrder) -> Mapping[str, ShareOrder]:
    """Cut an order that names workspaces or instances; what could not be read is tried again."""
    chosen = await enumeration.choose(run, order)
    workspaces = [w.id for w, _ in chosen] + _full_ids(order.workspaces)
    instances = [c.id for _, computes in chosen for c in computes] + _full_ids(order.instances)
    named = instances if order.instances else workspaces
    unread = [s for s in run.ledger.unread if enumeration.may_hide_namesake(s.id, order)]
    ids = [*named, *(scope.id for scope in unread)]
    subscriptions = {_subscription(each).lower(): _subscription(each) for each in ids}
    return {
        subscription: base.model_copy(
            update={
                "workspaces": None if order.instances else _within(workspaces, key),
                "instances": _within(instances, key) if order.instances else None,
                "unread": tuple(s for s in unread if _subscription(s.id).lower() == key),
            }
        )
        for key, subscription in subscriptions.items()
    }


def _full_ids(names: Sequence[str] | None) -> list[str]:
    return [name for name in names or () if name.startswith("/")]


def _subscription(arm_id: str) -> str:
    return arm_id.split("/")[2]


def _within(ids: Sequence[str], subscription_key: str) -> tuple[str, ...]:
    own = {each.lower(): each for each in ids if _subscription(each).lower() == subscription_key}
    return tuple(own.values())
