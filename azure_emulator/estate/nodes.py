"""The nodes of an AmlCompute cluster, and the bounds between which it scales.

Source: ScaleSettings and NodeStateCounts of api-version 2025-12-01.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How many nodes a cluster keeps and may have; `idle_time` is an ISO 8601 duration."""

    min_nodes: int = 0
    max_nodes: int = 4
    idle_time: str = "PT120S"


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """How many nodes are in each state."""

    idle: int = 0
    running: int = 0
    preparing: int = 0
    unusable: int = 0
    leaving: int = 0
    preempted: int = 0

    @property
    def current(self) -> int:
        kinds = (self.idle, self.running, self.preparing, self.unusable, self.leaving)
        return sum(kinds) + self.preempted

    @property
    def target(self) -> int:
        return self.current - self.leaving

    @property
    def steady(self) -> bool:
        """Whether no node is on its way in or out."""
        return self.preparing == 0 and self.leaving == 0


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster at a moment; `steady_since` is when its allocation last began or ended."""

    scale: Scale
    nodes: Nodes
    steady_since: float
    updating: bool = False
