"""Which Deployment of an AKS cluster a service is, as its platform team declares it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from shared.scoring.declared import Declared

_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Label = Annotated[str, StringConstraints(pattern=rf"^{_LABEL}$")]
# Names of Deployments may have dots between labels (RFC 1123 subdomains).
Subdomain = Annotated[str, StringConstraints(pattern=rf"^{_LABEL}(\.{_LABEL})*$", max_length=253)]


class Aks(Declared):
    """The Deployment behind a service of kind `aks`; its cluster is `resource_id`. Redeploys need it."""

    namespace: Label = Field(default="default", description="Its namespace.")
    deployment: Subdomain = Field(description="Its name.")
    container: Label | None = Field(
        default=None,
        description="The container whose image is the service's; absent: the only one there is.",
    )
    allow_helm: bool = Field(
        default=False,
        description="Redeploy it although Helm made it: Helm will not know, and its next upgrade "
        "may undo it.",
    )
    run_command: bool = Field(
        default=False,
        description="Reach a private cluster through Azure's `runCommand`: slow, but it needs no "
        "network of one's own.",
    )


DeploymentOfService = Annotated[
    Aks | None,
    Field(
        description="Of kind `aks`, for redeploys: its Deployment; needs `resource_id`. Of kind "
        "`aml-v1`: the one beneath it, in the cluster of `runs_on`."
    ),
]
