"""Clusters that are scaled to no node over night, and what they get back in the morning.

The noun and its port; `shared.clients.cluster_minimums` provides it on Azure Tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class ClusterMinimum:
    """The minNodeCount a cluster had before it was scaled to 0. `cluster_id`: its ARM id.

    `lowered_at`: when it was seen at 0, None as long as it was not. Whoever raises it after that
    is not us.
    """

    cluster_id: str
    minimum: int
    recorded_at: datetime
    lowered_at: datetime | None = None


class ClusterMinimums(Protocol):
    """Every method raises StorageUnavailableError when the storage cannot be reached."""

    async def remember(self, minimum: ClusterMinimum) -> None:
        """Record a minimum durably, in place of any other of that cluster."""

    async def forget(self, cluster_id: str) -> None:
        """Forget a cluster that has its minimum back; one unknown is forgotten already."""

    async def list(self) -> Sequence[ClusterMinimum]:
        """List the clusters that are to get their minimum back, by their id."""
