"""The seed document: what the estate holds when the emulator starts (`"version": 1`, JSON).

Durations are Azure's: the emulator's time scale shortens them. The JSON Schema of the document is
seed.schema.json beside this file, written from these models.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from azure_emulator.compute_seed import ComputeSeed, Guid, SeedModel
from azure_emulator.container_group_seed import ContainerGroupSeed
from azure_emulator.kubernetes_seed import ImageSeed, ManagedClusterSeed
from azure_emulator.scoring_seed import (
    AssetSeed,
    OnlineEndpointSeed,
    WebServiceSeed,
    refuse_duplicates,
)
from azure_emulator.service_principal import ServicePrincipalSeed

FOLDER = Path(__file__).parent
SEEDS = FOLDER / "seeds"
WorkspaceName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$")]


class WorkspaceSeed(SeedModel):
    name: WorkspaceName
    resource_group: str = "rg-ml"
    location: str = "westeurope"
    kind: Literal["Default", "Hub", "Project", "FeatureStore"] = "Default"
    friendly_name: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    forbidden: bool = Field(
        default=False, description="It is listed, but all that is in it answers 403."
    )
    computes: tuple[ComputeSeed, ...] = ()
    online_endpoints: tuple[OnlineEndpointSeed, ...] = ()
    services: tuple[WebServiceSeed, ...] = ()
    assets: tuple[AssetSeed, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        refuse_duplicates("compute", [compute.name for compute in self.computes])
        refuse_duplicates("endpoint", [endpoint.name for endpoint in self.online_endpoints])
        refuse_duplicates("service", [service.name for service in self.services])
        refuse_duplicates("asset", [asset.name for asset in self.assets])
        return self


class SubscriptionSeed(SeedModel):
    id: Guid
    name: str = "Subscription"
    state: Literal["Enabled", "Warned", "PastDue", "Disabled"] = "Enabled"
    registered: bool = Field(
        default=True, description="Whether Microsoft.MachineLearningServices is registered."
    )
    workspaces: tuple[WorkspaceSeed, ...] = ()
    managed_clusters: tuple[ManagedClusterSeed, ...] = ()
    container_groups: tuple[ContainerGroupSeed, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse_duplicates("workspace", [f"{w.resource_group}/{w.name}" for w in self.workspaces])
        clusters = [f"{each.resource_group}/{each.name}" for each in self.managed_clusters]
        refuse_duplicates("cluster", clusters)
        groups = [f"{each.resource_group}/{each.name}" for each in self.container_groups]
        refuse_duplicates("container group", groups)
        return self


class Grant(SeedModel):
    """Actions (`*` stands for any text) that a principal may perform at a scope and below it."""

    scope: str = "/"
    actions: tuple[str, ...]
    data_actions: tuple[str, ...] = Field(
        default=(), description="On the data itself, such as blobs: `actions` open none of it."
    )


class VmSize(SeedModel):
    """A machine size with its price for an hour of Linux; without a price it has none in Azure."""

    name: str
    family: str
    vcpus: int
    memory_gb: float
    gpus: int = 0
    price_per_hour: float | None = None


OPERATOR_ACTIONS = (
    "*/read",
    "Microsoft.MachineLearningServices/workspaces/computes/stop/action",
    "Microsoft.MachineLearningServices/workspaces/computes/start/action",
    "Microsoft.MachineLearningServices/workspaces/computes/restart/action",
    "Microsoft.MachineLearningServices/workspaces/computes/updateIdleShutdownSetting/action",
    "Microsoft.MachineLearningServices/workspaces/computes/write",
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/listKeys/action",
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/token/action",
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action",
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write",
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/write",
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/delete",
    "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/getLogs/action",
    "Microsoft.MachineLearningServices/workspaces/services/aci/listkeys/action",
    "Microsoft.MachineLearningServices/workspaces/services/aks/listkeys/action",
    "Microsoft.MachineLearningServices/workspaces/services/aci/write",
    "Microsoft.MachineLearningServices/workspaces/services/aks/write",
    "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
    "Microsoft.ContainerService/managedClusters/runCommand/action",
    "Microsoft.ContainerInstance/containerGroups/write",
    "Microsoft.ContainerInstance/containerGroups/start/action",
    "Microsoft.ContainerInstance/containerGroups/stop/action",
    "Microsoft.ContainerInstance/containerGroups/restart/action",
)
OPERATOR_DATA_ACTIONS = ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",)


class AccessSeed(SeedModel):
    """What the two identities may do: at Resource Manager by grants, in Key Vault by reading."""

    service_principal: tuple[Grant, ...] = (
        Grant(actions=OPERATOR_ACTIONS, data_actions=OPERATOR_DATA_ACTIONS),
    )
    managed_identity: tuple[Grant, ...] = ()
    vault_readers: tuple[Literal["managed_identity", "service_principal"], ...] = (
        "managed_identity",
    )
    forbidden_secrets: tuple[str, ...] = Field(
        default=(), description="Secrets that nobody may read."
    )


class Seed(SeedModel):
    """The whole document."""

    version: Literal[1]
    service_principal: ServicePrincipalSeed = Field(
        default=ServicePrincipalSeed(), description="Its credential in Entra ID and Key Vault."
    )
    access: AccessSeed = AccessSeed()
    token_lifetime_seconds: Annotated[int, Field(gt=0)] = 3599
    subscriptions: tuple[SubscriptionSeed, ...] = ()
    images: dict[str, ImageSeed] = Field(
        default_factory=dict, description="By reference (`host/name:tag`); no other can be pulled."
    )
    anonymous_pull: bool = Field(
        default=False, description="The emulator's registry answers those who do not sign in, too."
    )
    vm_sizes: tuple[VmSize, ...] | None = Field(
        default=None, description="The sizes of every region; absent: a table of common ones."
    )

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse_duplicates("subscription", [subscription.id for subscription in self.subscriptions])
        return self


def read(path: Path) -> Seed:
    """The seed in a file, or the committed one of that name (`default`, `troubled`)."""
    named = SEEDS / f"{path}.json"
    source = named if not path.exists() and named.exists() else path
    return Seed.model_validate_json(source.read_bytes())


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return Seed.model_json_schema()
