"""Generated estates: so many subscriptions, workspaces and running instances, the same each time."""

import uuid
from dataclasses import dataclass

from azure_emulator.compute_seed import ComputeSeed, Owner
from azure_emulator.seed import Seed, SubscriptionSeed, WorkspaceSeed

_NAMESPACE = uuid.UUID("0d8a3b52-71c4-4b8e-9a0f-3c5e7d1f2b64")
_OWNERS = ("ada", "bob", "chen", "dina", "emil", "fay", "goran", "hana")
_SIZES = ("STANDARD_DS3_V2", "STANDARD_DS4_V2", "STANDARD_E4S_V3", "STANDARD_NC4AS_T4_V3")


@dataclass(frozen=True, kw_only=True)
class FleetSize:
    """Workspaces for each subscription, instances for each workspace."""

    subscriptions: int = 1
    workspaces: int = 1
    instances: int = 1


def generate(size: FleetSize) -> Seed:
    """A seed of that size; every instance is Running, names and ids depend on the position only."""
    subscriptions = [_subscription(number, size) for number in range(1, size.subscriptions + 1)]
    return Seed(version=1, subscriptions=tuple(subscriptions))


def _subscription(number: int, size: FleetSize) -> SubscriptionSeed:
    workspaces = [_workspace(number, index, size) for index in range(1, size.workspaces + 1)]
    return SubscriptionSeed(
        id=str(uuid.uuid5(_NAMESPACE, f"subscription {number}")),
        name=f"Fleet {number:02}",
        workspaces=tuple(workspaces),
    )


def _workspace(subscription: int, number: int, size: FleetSize) -> WorkspaceSeed:
    instances = [_instance(subscription, number, i) for i in range(1, size.instances + 1)]
    return WorkspaceSeed(
        name=f"mlw-fleet{subscription:02}-{number:03}",
        resource_group=f"rg-fleet{subscription:02}",
        computes=tuple(instances),
    )


def _instance(subscription: int, workspace: int, number: int) -> ComputeSeed:
    owner = _OWNERS[number % len(_OWNERS)]
    return ComputeSeed(
        # A compute's name is unique in its region and must not end in a hyphen and digits.
        name=f"ci{subscription:02}{workspace:03}{number:04}",
        vm_size=_SIZES[number % len(_SIZES)],
        owner=Owner(name=f"{owner}@contoso.example"),
        tags={"team": f"team{workspace % 7}"},
    )
