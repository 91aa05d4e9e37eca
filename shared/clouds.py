"""Azure's clouds, and where their services are."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Cloud(StrEnum):
    """Azure's clouds, as its command line spells them."""

    PUBLIC = "AzureCloud"
    US_GOVERNMENT = "AzureUSGovernment"
    CHINA = "AzureChinaCloud"


class CloudEndpoints(BaseModel):
    """Where a cloud's services are (learn.microsoft.com, endpoints of each cloud)."""

    model_config = ConfigDict(frozen=True)

    authority: str
    resource_manager: str
    vault_suffix: str
    storage_suffix: str
    registry_suffix: str


ENDPOINTS: Mapping[Cloud, CloudEndpoints] = {
    Cloud.PUBLIC: CloudEndpoints(
        authority="https://login.microsoftonline.com",
        resource_manager="https://management.azure.com",
        vault_suffix=".vault.azure.net",
        storage_suffix="core.windows.net",
        registry_suffix=".azurecr.io",
    ),
    Cloud.US_GOVERNMENT: CloudEndpoints(
        authority="https://login.microsoftonline.us",
        resource_manager="https://management.usgovcloudapi.net",
        vault_suffix=".vault.usgovcloudapi.net",
        storage_suffix="core.usgovcloudapi.net",
        registry_suffix=".azurecr.us",
    ),
    Cloud.CHINA: CloudEndpoints(
        authority="https://login.chinacloudapi.cn",
        resource_manager="https://management.chinacloudapi.cn",
        vault_suffix=".vault.azure.cn",
        storage_suffix="core.chinacloudapi.cn",
        registry_suffix=".azurecr.cn",
    ),
}
