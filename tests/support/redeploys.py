"""Valid redeploys; a test names only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.scoring.redeploy.mover import Change, ChangeKind, Snapshot
from shared.scoring.redeploy.record import Proof, Redeploy
from shared.time_ordered_id import new_id
from tests.support.scoring_builders import a_subject

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
OLD_DIGEST = "sha256:" + "0" * 64
NEW_DIGEST = "sha256:" + "1" * 64
A_SNAPSHOT = Snapshot(image="registry.test/weight:1", digest=OLD_DIGEST)
CLUSTER = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/"
    "Microsoft.ContainerService/managedClusters/weights"
)


def a_redeploy(
    name: str = "weight", *, at: datetime = NOON, kind: str = "aks", **changes: Any
) -> Redeploy:
    """A restart of a plumber service on AKS, just queued."""
    subject = a_subject(name, kind=kind, resource_id=CLUSTER if kind == "aks" else None)
    fields: dict[str, Any] = {
        "redeploy_id": new_id(at),
        "service": subject.service,
        "url": subject.url,
        "change": Change(kind=ChangeKind.RESTART),
        "reason": "it hangs",
        "created_at": at,
        "task_since": at,
        "due_at": at,
        **changes,
    }
    return Redeploy(**fields)


def a_proof(verdict: str = "healthy", *, of: str = "new", at: datetime = NOON) -> Proof:
    return Proof(
        at=at,
        of=of,
        passed=verdict == "healthy",
        verdict=verdict,
        evidence="golden_right" if verdict == "healthy" else "golden_differs",
        text=f"it is {verdict}",
    )


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)
