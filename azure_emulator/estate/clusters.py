"""Scaling of AmlCompute clusters: new bounds are accepted, then nodes come and go."""

from dataclasses import replace
from functools import partial

from azure_emulator.answers import AzureError
from azure_emulator.estate.compute import Compute
from azure_emulator.estate.idle_shutdown import duration
from azure_emulator.estate.nodes import Cluster, Nodes, Scale
from azure_emulator.estate.operations import Operation, Operations
from azure_emulator.estate.timeline import Timeline

AZURE = "azure"
UPDATE_SECONDS = 5.0
ARRIVAL_SECONDS = 120.0
DEPARTURE_SECONDS = 30.0


class Clusters:
    """The rules of the resource provider for clusters, driven by the timeline."""

    def __init__(self, timeline: Timeline, operations: Operations) -> None:
        self._timeline = timeline
        self._operations = operations

    def settle(self, compute: Compute) -> None:
        """Let a cluster of the seed come to the number of nodes that its bounds ask for."""
        cluster = compute.versions[-1].cluster
        if cluster is None:
            return
        now, nodes = self._timeline.clock.now(), cluster.nodes
        self._after(ARRIVAL_SECONDS, now, partial(self._arrive, compute, nodes.preparing))
        self._after(DEPARTURE_SECONDS, now, partial(self._depart, compute, nodes.leaving))
        self._allocate(compute, now)

    def cluster_of(self, compute: Compute) -> Cluster:
        """The cluster as it is; `AzureError` 400 for every other type of compute."""
        cluster = compute.versions[-1].cluster
        if cluster is None:
            kind = compute.seed.compute_type
            message = f"UpdateCompute with computeType {kind} is not supported."
            raise AzureError(400, "UserError", message)
        return cluster

    def scale(self, compute: Compute, scale: Scale, *, by: str) -> Operation:
        """Begin an update of the bounds; `AzureError` 409 during another one."""
        cluster = self.cluster_of(compute)
        if cluster.updating:
            message = f"Compute {compute.seed.name} is being updated; try again later."
            raise AzureError(409, "Conflict", message)
        operation = self._operations.begin(compute)
        operation.result = compute
        updating = replace(cluster, scale=scale, updating=True)
        compute.resize(updating, at=self._timeline.clock.now(), by=by)
        self._timeline.after(UPDATE_SECONDS, partial(self._updated, compute, operation))
        return operation

    def _updated(self, compute: Compute, operation: Operation, at: float) -> None:
        compute.resize(replace(self.cluster_of(compute), updating=False), at=at, by=AZURE)
        operation.succeed()
        self._allocate(compute, at)

    def _allocate(self, compute: Compute, at: float) -> None:
        """Call for the nodes that are missing, or let those go that have idled long enough."""
        cluster = self.cluster_of(compute)
        nodes, scale = cluster.nodes, cluster.scale
        missing = scale.min_nodes - nodes.target
        if missing > 0:
            self._become(compute, replace(nodes, preparing=nodes.preparing + missing), at)
            self._after(ARRIVAL_SECONDS, at, partial(self._arrive, compute, missing))
        elif nodes.idle and nodes.target > scale.min_nodes:
            too_many = nodes.target > scale.max_nodes
            wait = 0.0 if too_many else duration(scale.idle_time).total_seconds()
            self._after(wait, at, partial(self._release, compute, scale))

    def _arrive(self, compute: Compute, count: int, at: float) -> None:
        nodes = self.cluster_of(compute).nodes
        arrived = replace(nodes, preparing=nodes.preparing - count, idle=nodes.idle + count)
        self._become(compute, arrived, at)
        self._allocate(compute, at)

    def _release(self, compute: Compute, scale: Scale, at: float) -> None:
        cluster = self.cluster_of(compute)
        if cluster.scale is not scale or cluster.updating:
            return
        nodes = cluster.nodes
        surplus = min(nodes.idle, nodes.target - scale.min_nodes)
        leaving = replace(nodes, idle=nodes.idle - surplus, leaving=nodes.leaving + surplus)
        self._become(compute, leaving, at)
        self._after(DEPARTURE_SECONDS, at, partial(self._depart, compute, surplus))

    def _depart(self, compute: Compute, count: int, at: float) -> None:
        nodes = self.cluster_of(compute).nodes
        self._become(compute, replace(nodes, leaving=nodes.leaving - count), at)

    def _become(self, compute: Compute, nodes: Nodes, at: float) -> None:
        before = self.cluster_of(compute)
        if before.nodes == nodes:
            return
        flipped = before.nodes.steady != nodes.steady
        since = at if flipped else before.steady_since
        compute.resize(replace(before, nodes=nodes, steady_since=since), at=at, by=AZURE)

    def _after(self, seconds: float, at: float, event: partial[None]) -> None:
        self._timeline.at(at + seconds * self._timeline.clock.scale, event)
