"""What a seed document says of AKS clusters, their Deployments, and the images in registries.

Durations are Azure's: the emulator's time scale shortens them.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from azure_emulator.compute_seed import Seconds, SeedModel
from azure_emulator.kubernetes.defaults import problems_of
from azure_emulator.scoring_seed import Answering, refuse_duplicates

ClusterName = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?$")
]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


def _a_deployment(manifest: dict[str, Any]) -> dict[str, Any]:
    problems = problems_of(manifest)
    if problems:
        raise ValueError("; ".join(problems))
    return manifest


Manifest = Annotated[dict[str, Any], AfterValidator(_a_deployment)]


class ImageSeed(Answering):
    """What a tag of a registry leads to, and how a container of it behaves.

    It answers by a program, by its `backend`, or by `answers`, in this order of preference.
    """

    digest: Digest | None = Field(
        default=None, description="Absent: made from the reference and all else."
    )
    variables: dict[str, str] = Field(
        default_factory=dict, description="In its config, such as R_VERSION; not of a program."
    )
    labels: dict[str, str] = Field(default_factory=dict, description="In its config.")
    is_index: bool = Field(
        default=False, description="Its tag leads to an index, as of an image for many platforms."
    )
    starts: Literal["ready", "crashes", "never_ready"] = "ready"
    good_pods: int = Field(
        default=0,
        ge=0,
        description="In a cluster: so many pods of a ReplicaSet get ready, whatever `starts` says.",
    )
    ready_seconds: Seconds = Field(default=5, description="From its start until it is ready.")
    command: tuple[str, ...] = Field(
        default=(),
        description="A real program that answers for it; `{port}` becomes the port, which the "
        "variable PORT holds, too. Only in a file given at the start: no request runs programs.",
    )
    environment: dict[str, str] = Field(default_factory=dict, description="Of that program.")
    folder: str | None = Field(default=None, description="Where that program is started.")


class PushedImage(ImageSeed):
    """An image with the tag that leads to it from now on."""

    reference: str = Field(min_length=1)


class RuleSeed(SeedModel):
    """What the service principal may do in a cluster; `*` is anything."""

    verbs: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    namespaces: tuple[str, ...] = ("*",)


class ManagedClusterSeed(SeedModel):
    """An AKS cluster that takes tokens of Entra ID."""

    name: ClusterName
    resource_group: str = "rg-ml"
    location: str = "westeurope"
    kubernetes_version: str = "1.32.4"
    private: bool = Field(
        default=False, description="Its API has no public address: only runCommand reaches it."
    )
    tags: dict[str, str] = Field(default_factory=dict)
    rules: tuple[RuleSeed, ...] = (RuleSeed(),)
    deployments: tuple[Manifest, ...] = Field(
        default=(), description="Deployments of apps/v1, as in a manifest; ready at the start."
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = (manifest["metadata"] for manifest in self.deployments)
        refuse_duplicates(
            "deployment", [f"{each.get('namespace', 'default')}/{each['name']}" for each in names]
        )
        return self
