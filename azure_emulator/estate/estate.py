"""All subscriptions with their workspaces and computes; found by id in any spelling."""

from collections.abc import Iterator
from dataclasses import dataclass

from azure_emulator.clock import Clock
from azure_emulator.container_group_seed import ContainerGroupSeed
from azure_emulator.entra.directory import TENANT_ID
from azure_emulator.estate.clusters import Clusters
from azure_emulator.estate.compute import Compute
from azure_emulator.estate.container_groups import ContainerGroup, ContainerInstances
from azure_emulator.estate.machines import Machines
from azure_emulator.estate.model_files import ModelFiles
from azure_emulator.estate.online import OnlineEndpoints
from azure_emulator.estate.operations import Operations
from azure_emulator.estate.scoring import OnlineEndpoint, Scored, WebService
from azure_emulator.estate.signatures import Signatures
from azure_emulator.estate.timeline import Timeline
from azure_emulator.estate.web_services import WebServices
from azure_emulator.kubernetes.cluster import Cluster
from azure_emulator.kubernetes.images import Images
from azure_emulator.kubernetes_seed import ManagedClusterSeed
from azure_emulator.seed import Seed, SubscriptionSeed, WorkspaceSeed

_A_DAY = 86400
Answerer = Scored | ContainerGroup


@dataclass(frozen=True, kw_only=True)
class ResourceGroup:
    """A resource group, where the first thing in it lies."""

    id: str
    name: str
    location: str


class Workspace:
    """A workspace with its computes, endpoints and services, in the order of the seed."""

    def __init__(self, seed: WorkspaceSeed, *, subscription_id: str, at: float) -> None:
        self.seed = seed
        self.created_at = at
        self.resource_group_id = (
            f"/subscriptions/{subscription_id}/resourceGroups/{seed.resource_group}"
        )
        self.id = (
            f"{self.resource_group_id}/providers/Microsoft.MachineLearningServices"
            f"/workspaces/{seed.name}"
        )
        self.computes = {
            compute.name.lower(): Compute(
                compute,
                workspace_id=self.id,
                location=compute.location or seed.location,
                at=at,
            )
            for compute in seed.computes
        }
        self.endpoints = {
            endpoint.name.lower(): OnlineEndpoint(
                endpoint, workspace_id=self.id, location=seed.location, assets=seed.assets
            )
            for endpoint in seed.online_endpoints
        }
        self.services = {
            service.name.lower(): WebService(
                service, workspace_id=self.id, location=seed.location, at=at, assets=seed.assets
            )
            for service in seed.services
        }
        self.models = ModelFiles(self.id, seed.assets)
        self.wire: bytes | None = None

    def scored(self) -> Iterator[Scored]:
        """Return all that answers scoring requests."""
        yield from self.endpoints.values()
        yield from self.services.values()


class Subscription:
    """A subscription; what is in it by (resource group, name) in lower case."""

    def __init__(
        self, seed: SubscriptionSeed, *, at: float, timeline: Timeline, images: Images
    ) -> None:
        self.seed = seed
        self.id = f"/subscriptions/{seed.id}"
        self.workspaces = {
            (workspace.resource_group.lower(), workspace.name.lower()): Workspace(
                workspace, subscription_id=seed.id, at=at
            )
            for workspace in seed.workspaces
        }
        self.managed_clusters = {
            (cluster.resource_group.lower(), cluster.name.lower()): Cluster(
                cluster, subscription_id=seed.id, timeline=timeline, images=images
            )
            for cluster in seed.managed_clusters
        }
        self.container_groups = {
            (each.resource_group.lower(), each.name.lower()): _container_group(each, self.id)
            for each in seed.container_groups
        }

    def resource_groups(self) -> dict[str, ResourceGroup]:
        """What the seed names and what was made, by the group's name in lower case."""
        seeds: tuple[WorkspaceSeed | ManagedClusterSeed | ContainerGroupSeed, ...]
        seeds = (*self.seed.workspaces, *self.seed.managed_clusters, *self.seed.container_groups)
        return {
            seed.resource_group.lower(): ResourceGroup(
                id=f"{self.id}/resourceGroups/{seed.resource_group}",
                name=seed.resource_group,
                location=seed.location,
            )
            for seed in reversed(seeds)
        }


class Estate:
    """The state behind Resource Manager. Call `timeline.advance()` before looking at it."""

    def __init__(self, seed: Seed, clock: Clock) -> None:
        now = clock.now()
        self.seed = seed
        self.tenant_id = TENANT_ID
        self.clock = clock
        self.timeline = Timeline(clock)
        self.operations = Operations()
        self.machines = Machines(self.timeline, self.operations)
        self.clusters = Clusters(self.timeline, self.operations)
        self.images = Images(seed.images)
        self.signatures = Signatures()
        self.online = OnlineEndpoints(self.timeline, self.operations)
        self.web_services = WebServices(self.timeline, self.operations)
        self.container_instances = ContainerInstances(self.timeline, self.images)
        self.subscriptions = {
            subscription.id.lower(): Subscription(
                subscription, at=now, timeline=self.timeline, images=self.images
            )
            for subscription in seed.subscriptions
        }
        self._scored: dict[str, Scored] = {
            scored.guid: scored for workspace in self.workspaces() for scored in workspace.scored()
        }
        for compute in self.computes():
            self.machines.settle(compute)
            self.clusters.settle(compute)
        for subscription in self.subscriptions.values():
            for each in subscription.seed.container_groups:
                group = subscription.container_groups[each.resource_group.lower(), each.name]
                self.container_instances.settle(group, since=now - _A_DAY, stopped=each.stopped)

    def workspaces(self) -> Iterator[Workspace]:
        for subscription in self.subscriptions.values():
            yield from subscription.workspaces.values()

    def computes(self) -> Iterator[Compute]:
        for workspace in self.workspaces():
            yield from workspace.computes.values()

    def managed_clusters(self) -> Iterator[Cluster]:
        """Return all AKS clusters."""
        for subscription in self.subscriptions.values():
            yield from subscription.managed_clusters.values()

    def managed_cluster(self, guid: str) -> Cluster | None:
        """The AKS cluster behind the URL of an API or an ingress."""
        return next((each for each in self.managed_clusters() if each.guid == guid.lower()), None)

    def close(self) -> None:
        """End every program that runs behind it."""
        for cluster in self.managed_clusters():
            cluster.close()
        self.container_instances.close()

    def container_groups(self) -> Iterator[ContainerGroup]:
        for subscription in self.subscriptions.values():
            yield from subscription.container_groups.values()

    def add_endpoint(self, workspace: Workspace, endpoint: OnlineEndpoint) -> None:
        workspace.endpoints[endpoint.seed.name.lower()] = endpoint
        self._scored[endpoint.guid] = endpoint

    def remove_endpoint(self, workspace: Workspace, endpoint: OnlineEndpoint) -> None:
        workspace.endpoints.pop(endpoint.seed.name.lower(), None)
        self._scored.pop(endpoint.guid, None)

    def remove_service(self, workspace: Workspace, service: WebService) -> None:
        workspace.services.pop(service.seed.name.lower(), None)
        self._scored.pop(service.guid, None)

    def scored(self, guid: str) -> Answerer | None:
        """The endpoint, service or container group behind a scoring URI."""
        groups = (each for each in self.container_groups() if each.guid == guid)
        return self._scored.get(guid) or next(groups, None)


def _container_group(seed: ContainerGroupSeed, subscription_id: str) -> ContainerGroup:
    group = ContainerGroup(
        seed.name,
        resource_group_id=f"{subscription_id}/resourceGroups/{seed.resource_group}",
        behaviour=seed.behaviour,
    )
    group.document = seed.document()
    return group
