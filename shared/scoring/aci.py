"""Which container of a container group a service is, and whence its secure values come again."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from shared.scoring.credential import SecretName
from shared.scoring.declared import Declared

# What Azure takes in a PUT and never shows (Microsoft.ContainerInstance 2025-09-01).
_FIELDS: Final = (
    r"(containers|initContainers)/[^/]+/environmentVariables/[^/]+"
    r"|imageRegistryCredentials/[^/]+/password"
    r"|volumes/[^/]+/(azureFile/storageAccountKey|secret/[^/]+)"
    r"|diagnostics/logAnalytics/workspaceKey"
)
SecureField = Annotated[str, StringConstraints(pattern=rf"^({_FIELDS})$", max_length=500)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class Aci(Declared):
    """The container group behind a service of kind `aci`, for redeploys; it is `resource_id`."""

    container: Label | None = Field(
        default=None,
        description="The container whose image is the service's; absent: the only one there is.",
    )
    secrets: Annotated[dict[SecureField, SecretName], Field(max_length=100)] = Field(
        default_factory=dict,
        description="Secure value -> name of the Key Vault secret that holds it, e.g. "
        "`containers/weight/environmentVariables/API_KEY: weight-api-key`. A new image is a PUT of "
        "the whole group, and Azure shows no secure value again: one that is missing here allows "
        "restarts only. Other fields: `imageRegistryCredentials/<server>/password`, "
        "`volumes/<name>/azureFile/storageAccountKey`, `volumes/<name>/secret/<file>` (all files "
        "of the volume), `diagnostics/logAnalytics/workspaceKey`.",
    )


ContainerOfService = Annotated[
    Aci | None,
    Field(
        description="Of kind `aci`, for redeploys: its container, and its secure values by name; "
        "needs `resource_id`. Of kind `aml-v1`: likewise of the group of `runs_on`."
    ),
]
