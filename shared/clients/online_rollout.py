"""What a blue/green rollout asks of an online endpoint: names, shares of traffic, the next spec. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import JsonValue

from shared.clients.lenient_json import as_object, text
from shared.clients.online_resources import Resource
from shared.errors import AzureRequestError
from shared.scoring.redeploy.mover import Change, ChangeKind, Marker, Snapshot

REDEPLOY_TAG: Final = "redeploy_id"
# A tenth is enough to see it work under load; half, to see whether it bears it.
TRAFFIC_STEPS: Final = (10, 50, 100)
ALL: Final = 100
_MAX_NAME: Final = 32
_ASSET: Final = re.compile(r"/([^/]+)/versions/([^/]+)$")
_TARGET: Final = re.compile(r"([^:/@\s]+):([^:/@\s]+)")
_PROPERTY: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.MODEL: "model",
    ChangeKind.IMAGE: "environmentId",
}


def deployment_name(marker: Marker) -> str:
    """Return the new deployment's name: 3 to 32 letters, digits and hyphens, a letter first."""
    kept = re.sub(r"[^a-z0-9]", "", marker.redeploy_id.lower())
    return f"ops-{kept}"[:_MAX_NAME]


def snapshot_of(live: Resource, shares: Mapping[str, int]) -> Snapshot:
    """Record who had the traffic, and what cannot be changed here."""
    model, environment = text(live.inner, "model"), text(live.inner, "environmentId")
    refuses = {}
    if not _ASSET.search(model):
        refuses[ChangeKind.MODEL] = "model: the deployment has none; its environment holds it"
    if not _ASSET.search(environment):
        refuses[ChangeKind.IMAGE] = "environmentId: the deployment has none; its model brings it"
    details: dict[str, JsonValue] = {
        "traffic": dict(shares),
        "model": _named(model),
        "environment": _named(environment),
    }
    # What is in no workspace is to be found by its whole id alone.
    shared = {"model_id": model, "environment_id": environment}
    details |= {name: each for name, each in shared.items() if "/registries/" in each}
    return Snapshot(image="", digest=None, details=details, refuses=refuses)


def refusing(reason: str) -> Snapshot:
    return Snapshot(image="", digest=None, refuses=dict.fromkeys(ChangeKind, reason))


def _named(asset_id: str) -> str:
    """`name:version` of an asset's id."""
    found = _ASSET.search(asset_id)
    return f"{found[1]}:{found[2]}" if found else ""


def traffic_of(snapshot: Snapshot) -> Mapping[str, int]:
    recorded = as_object(snapshot.details.get("traffic"))
    return {name: share for name, share in recorded.items() if isinstance(share, int)}


def live_of(snapshot: Snapshot) -> str:
    """Return the name of the deployment that had all traffic."""
    return next(iter(traffic_of(snapshot)), "")


def told(shares: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in shares.items()) or "nobody's"


def share_of(new: str, shares: Mapping[str, int], *, old: str, proven: int) -> int:
    """Return the percent that the new one has. Raises AzureRequestError: not by our steps."""
    share = shares.get(new, 0)
    if not shares.keys() <= {old, new} or share < proven:
        problem = f"its traffic is {told(shares)}: somebody else divided it"
        raise AzureRequestError(problem, status=None)
    return share


def next_share(share: int) -> int:
    """Return the percent of the step after a share that is less than all."""
    return next(step for step in TRAFFIC_STEPS if step > share)


def divided(share: int, *, old: str, new: str) -> Mapping[str, int]:
    """Return the traffic in which the new one has this share."""
    return {new: share} | ({old: ALL - share} if share < ALL else {})


def successor(live: Resource, change: Change, marker: Marker) -> dict[str, Any]:
    """Return the body of the new deployment: the live one's but for what is changed."""
    name = _PROPERTY.get(change.kind)
    changed = {name: _asset_id(text(live.inner, name), change)} if name else {}
    body = live.rewritten(**changed)
    return body | {"tags": {**body["tags"], REDEPLOY_TAG: marker.redeploy_id}}


def _asset_id(present: str, change: Change) -> str:
    """Return the id of the target, in the workspace or registry of what is there now."""
    found, place = _TARGET.fullmatch(change.target), _ASSET.search(present)
    if found is None or place is None:
        wanted = "model" if change.kind is ChangeKind.MODEL else "environment"
        problem = f"{change.target} is not the <name>:<version> of a registered {wanted}"
        raise AzureRequestError(problem, status=None)
    return f"{present[: place.start()]}/{found[1]}/versions/{found[2]}"
