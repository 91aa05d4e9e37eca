"""Find what a caller named in what the estate holds. Pure; Azure compares ids without case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.compute.instance import Compute, Workspace
from shared.errors import InvalidRequestError

T = TypeVar("T")


def choose_subscriptions(visible: Sequence[str], wanted: Sequence[str] | None) -> Sequence[str]:
    """Narrow to the subscriptions that were named; one that is not visible is a 404."""
    if wanted is None:
        return visible
    by_id = {guid.lower(): guid for guid in visible}
    chosen = {}
    for position, name in enumerate(wanted):
        key = name.lower().rstrip("/").rpartition("/")[2]
        if key not in by_id:
            raise InvalidRequestError(
                f"subscriptions[{position}]", f"{name} is not visible", status=404
            )
        chosen[key] = by_id[key]
    return list(chosen.values())


def choose_workspaces(
    workspaces: Sequence[Workspace], wanted: Sequence[str] | None, *, unread: Sequence[str]
) -> Sequence[Workspace]:
    """Narrow to the workspaces that were named. `unread`: scopes whose content is not known."""
    return _choose(
        workspaces, wanted, field="workspaces", identify=lambda w: (w.id, w.name), unread=unread
    )


def choose_instances(
    computes: Sequence[Compute], wanted: Sequence[str] | None, *, unread: Sequence[str]
) -> Sequence[Compute]:
    """Narrow to the instances that were named; a compute of another kind is a 400."""
    chosen = _choose(
        computes, wanted, field="instances", identify=lambda c: (c.id, c.name), unread=unread
    )
    for compute in chosen if wanted is not None else ():
        if not compute.is_instance:
            raise InvalidRequestError(
                "instances", f"{compute.id} is of kind {compute.compute_type}: it cannot be stopped"
            )
    return chosen


def _choose(
    items: Sequence[T],
    wanted: Sequence[str] | None,
    *,
    field: str,
    identify: Callable[[T], tuple[str, str]],
    unread: Sequence[str],
) -> Sequence[T]:
    if wanted is None:
        return items
    chosen: dict[str, T] = {}
    # A hub and its project may list the same compute.
    by_id = {identify(item)[0].lower(): item for item in items}
    for position, name in enumerate(wanted):
        matches = [item for item in by_id.values() if _is_called(name, *identify(item))]
        where = f"{field}[{position}]"
        if not matches and not _lies_in(name, unread):
            # Where nothing could be read, nobody knows that it is not there.
            status = 503 if unread and not items else 404
            raise InvalidRequestError(
                where, f"{name} was not found{_caveat(unread)}", status=status
            )
        if len(matches) > 1:
            ids = ", ".join(sorted(identify(match)[0] for match in matches))
            raise InvalidRequestError(where, f"{name} is ambiguous: {ids}")
        chosen.update({identify(match)[0].lower(): match for match in matches})
    return list(chosen.values())


def _is_called(name: str, item_id: str, item_name: str) -> bool:
    known_as = item_id if name.startswith("/") else item_name
    return known_as.lower() == name.lower().rstrip("/")


def _lies_in(name: str, scopes: Sequence[str]) -> bool:
    return any(name.lower().rstrip("/").startswith(f"{s.lower()}/") for s in scopes) or any(
        name.lower().rstrip("/") == s.lower() for s in scopes
    )


def _caveat(unread: Sequence[str]) -> str:
    return f" (could not be read: {', '.join(unread)})" if unread else ""
