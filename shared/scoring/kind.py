"""What runs a service, and what its resource in Azure is called."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What runs a service, and so who can say more about it or redeploy it."""

    HTTP = "http"
    AML_V1 = "aml-v1"
    AML_ONLINE = "aml-online"
    AKS = "aks"
    ACI = "aci"


# Kinds whose address and keys Azure tells, by resource id.
KNOWN_TO_AZURE: Final = frozenset({Kind.AML_V1, Kind.AML_ONLINE})
_GROUP: Final = r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]+/providers/"
_WORKSPACE: Final = rf"{_GROUP}Microsoft\.MachineLearningServices/workspaces/[^/]+/"
RESOURCE_IDS: Final = {
    Kind.AML_V1: rf"{_WORKSPACE}services/[^/]+",
    Kind.AML_ONLINE: rf"{_WORKSPACE}onlineEndpoints/[^/]+",
    Kind.AKS: rf"{_GROUP}Microsoft\.ContainerService/managedClusters/[^/]+",
    Kind.ACI: rf"{_GROUP}Microsoft\.ContainerInstance/containerGroups/[^/]+",
}
