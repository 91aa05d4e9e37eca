"""One call to Resource Manager, as the handlers see it."""

from dataclasses import dataclass, field
from typing import Protocol

from azure_emulator.answers import Answer, AzureError
from azure_emulator.arm.grants import Grants
from azure_emulator.clock import Clock
from azure_emulator.entra import Directory, Principal
from azure_emulator.estate.compute import Compute
from azure_emulator.estate.estate import Estate, Subscription, Workspace

PROVIDER = "Microsoft.MachineLearningServices"


@dataclass(frozen=True, kw_only=True)
class ArmSettings:
    """What the command line says about Resource Manager.

    `base_url` has no trailing slash; `stop_reply` is recorded, spec or both; `ca_bundle` is what
    clients must trust, as PEM.
    """

    base_url: str
    latency_seconds: float = 0.0
    page_size: int = 100
    stop_reply: str = "recorded"
    list_lag_seconds: float = 0.0
    ca_bundle: bytes = field(default=b"", repr=False)


@dataclass(slots=True, kw_only=True)
class Call:
    """What a handler may look at. `scope` and `names` are in the caller's spelling.

    The names of `query` are in lower case. `body` is empty where the route takes none.
    """

    estate: Estate
    settings: ArmSettings
    grants: Grants
    directory: Directory
    caller: Principal
    path: str
    scope: str
    names: dict[str, str]
    query: dict[str, str]
    body: bytes = b""

    @property
    def clock(self) -> Clock:
        return self.estate.clock

    @property
    def subscription(self) -> Subscription:
        return self.estate.subscriptions[self.names["subscription"].lower()]

    def require_subscription(self) -> None:
        """Raise 404 for a subscription that the tenant does not have."""
        wanted = self.names.get("subscription")
        if wanted is not None and wanted.lower() not in self.estate.subscriptions:
            message = f"The subscription '{wanted}' could not be found."
            raise AzureError(404, "SubscriptionNotFound", message)

    def require(self, action: str) -> None:
        self.grants.require(self.caller, action=action, scope=self.scope)

    def require_resource_group(self) -> None:
        """Raise 404 for a resource group that the subscription does not have."""
        group = self.names["group"]
        if group.lower() not in self.subscription.resource_groups():
            message = f"Resource group '{group}' could not be found."
            raise AzureError(404, "ResourceGroupNotFound", message)

    def workspace(self) -> Workspace:
        """The workspace in the path. Raises AzureError 404, in other words for what is below it."""
        group, name = self.names["group"], self.names["workspace"]
        found = self.subscription.workspaces.get((group.lower(), name.lower()))
        if found is None:
            self.require_resource_group()
            if not self.path.lower().endswith(f"/workspaces/{name.lower()}"):
                raise parent_not_found(name)
            raise not_found(f"workspaces/{name}", group=group)
        return found

    def compute(self) -> Compute:
        """The compute in the path. Raises AzureError 404."""
        name = self.names["compute"]
        workspace = self.workspace()
        found = workspace.computes.get(name.lower())
        if found is None:
            raise not_found(
                f"workspaces/{workspace.seed.name}/computes/{name}", group=self.names["group"]
            )
        return found


class Handler(Protocol):
    """Answers a call that passed the gateway; raises AzureError."""

    def __call__(self, call: Call, /) -> Answer: ...


def parent_not_found(parent: str) -> AzureError:
    """What Resource Manager says of the children of what is not there, by the parent's name."""
    return AzureError(
        404,
        "ParentResourceNotFound",
        "Can not perform requested operation on nested resource. "
        f"Parent resource '{parent}' not found.",
    )


def not_found(resource: str, *, group: str, provider: str = PROVIDER) -> AzureError:
    return AzureError(
        404,
        "ResourceNotFound",
        f"The Resource '{provider}/{resource}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )
