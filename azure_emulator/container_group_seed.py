"""What a seed document says of container groups (Azure Container Instances).

A group is written as it would be PUT, secure values included: nothing shows those again.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from azure_emulator.compute_seed import Seconds, SeedModel

# learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules.
GroupName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", min_length=1)
]


class _Wire(BaseModel):
    """What has to be there; all else is kept as it is."""

    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_camel)


class _Requests(_Wire):
    cpu: Annotated[float, Field(gt=0)]
    memory_in_gb: Annotated[float, Field(gt=0, alias="memoryInGB")]


class _Resources(_Wire):
    requests: _Requests


class _ContainerProperties(_Wire):
    image: Annotated[str, StringConstraints(min_length=1)]
    resources: _Resources


class _Container(_Wire):
    name: GroupName
    properties: _ContainerProperties


class GroupProperties(_Wire):
    """Source: ContainerGroupProperties of api-version 2025-09-01, as far as the emulator reads it."""

    containers: Annotated[tuple[_Container, ...], Field(min_length=1, max_length=60)]
    os_type: Literal["Linux", "Windows"] = "Linux"
    restart_policy: Literal["Always", "OnFailure", "Never"] = "Always"


class GroupDocument(_Wire):
    """The body of a PUT."""

    location: Annotated[str, StringConstraints(min_length=1)]
    tags: dict[str, str] | None = None
    properties: GroupProperties


class TagsDocument(_Wire):
    """The body of a PATCH."""

    tags: dict[str, str]


class ContainerGroupBehaviour(SeedModel):
    """What goes wrong with a group."""

    accepts_any_image: bool = Field(
        default=False, description="A PUT with an image that cannot be pulled is accepted."
    )
    events_without_digest: bool = Field(
        default=False, description="Its pull events name the tag, not what it led to."
    )
    never_gets_an_address: bool = Field(
        default=False, description="Its `ipAddress` never has an `ip`, and nobody can ask it."
    )
    begins_after_seconds: Seconds = Field(
        default=0, description="So long a restart or an update shows no effect."
    )


class ContainerGroupSeed(SeedModel):
    """A container group of a subscription. It ran for a day when the emulator starts."""

    name: GroupName
    resource_group: str = "rg-ml"
    location: str = "westeurope"
    tags: dict[str, str] = Field(default_factory=dict)
    identity: dict[str, Any] | None = Field(default=None, description="As Azure writes it.")
    properties: GroupProperties = Field(description="As in a PUT, secure values included.")
    stopped: bool = Field(default=False, description="It was stopped before the start.")
    behaviour: ContainerGroupBehaviour = ContainerGroupBehaviour()

    def document(self) -> dict[str, Any]:
        """The group as it would be PUT."""
        return {
            "location": self.location,
            "tags": self.tags,
            **({"identity": self.identity} if self.identity else {}),
            "properties": self.properties.model_dump(by_alias=True, exclude_unset=True),
        }
