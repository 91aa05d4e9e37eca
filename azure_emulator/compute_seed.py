"""What a seed document says of one compute resource.

Durations are Azure's: the emulator's time scale shortens them. `minutes_ago` is real time.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from azure_emulator.estate import idle_shutdown
from azure_emulator.estate.nodes import Nodes, Scale
from azure_emulator.estate.states import State
from azure_emulator.native_settings import (
    Application,
    CustomService,
    Identity,
    StartStopSchedule,
)

Guid = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
]
# Azure also forbids a hyphen before trailing digits; fleets and seeds of others need not care.
ComputeName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9-]{1,39}$")]
ComputeType = Literal[
    "AKS",
    "AmlCompute",
    "ComputeInstance",
    "DataFactory",
    "DataLakeAnalytics",
    "Databricks",
    "HDInsight",
    "Kubernetes",
    "SynapseSpark",
    "VirtualMachine",
]
Count = Annotated[int, Field(ge=0)]
IdleTime = Annotated[str, AfterValidator(idle_shutdown.allowed)]
Seconds = Annotated[float, Field(ge=0)]


class SeedModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Behaviour(SeedModel):
    """What goes wrong with a machine, and how long things take."""

    disk_full: bool = Field(default=False, description="A stop is refused: 400, disk is full.")
    refuses_stop: bool = Field(default=False, description="A stop is refused: 400, wrong state.")
    stop_fails: bool = Field(
        default=False,
        description="A stop is accepted, then the machine is Running again with StopFailed.",
    )
    never_stops: bool = Field(default=False, description="It never leaves Stopping.")
    stop_seconds: Seconds = Field(default=27, description="How long a stop takes.")
    conflict_until: Seconds = Field(
        default=0, description="A stop gets 409 until so many seconds after the start."
    )
    starts_again_after: Seconds | None = Field(
        default=None,
        description="It is started again so many seconds after a stop was requested, "
        "but not before that stop is complete.",
    )
    started_by: Literal["User", "Schedule"] = Field(
        default="User", description="The trigger of that start."
    )
    settles_after: Seconds | None = Field(
        default=None,
        description="How long a transitional first state lasts; absent: as long as usual.",
    )
    never_settles: bool = Field(default=False, description="A transitional first state stays.")


class Owner(SeedModel):
    """The user who created a machine; Azure may leave out the name."""

    name: str | None = None
    object_id: Guid | None = None


class LastOperationSeed(SeedModel):
    """What was last done to a machine, and when; absent: what its state suggests."""

    name: Literal["Create", "Start", "Stop", "Restart", "Resize", "Reimage", "Delete"]
    minutes_ago: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    trigger: Literal["User", "Schedule", "IdleShutdown"] = "User"
    status: Literal[
        "InProgress",
        "Succeeded",
        "CreateFailed",
        "StartFailed",
        "StopFailed",
        "RestartFailed",
        "ResizeFailed",
        "ReimageFailed",
        "DeleteFailed",
    ] = "Succeeded"


class ScaleSeed(SeedModel):
    """Between how many nodes a cluster scales, and how long a node idles before it goes."""

    min_node_count: Count = 0
    max_node_count: Count = 4
    node_idle_time_before_scale_down: str = "PT120S"

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        idle_shutdown.duration(self.node_idle_time_before_scale_down)
        if self.min_node_count > self.max_node_count:
            raise ValueError("min_node_count is above max_node_count")
        return self

    def bounds(self) -> Scale:
        return Scale(
            min_nodes=self.min_node_count,
            max_nodes=self.max_node_count,
            idle_time=self.node_idle_time_before_scale_down,
        )


class NodesSeed(SeedModel):
    """The nodes of a cluster; without `idle` as many idle as the minimum asks for."""

    idle: Count | None = None
    running: Count = 0
    preparing: Count = 0
    unusable: Count = 0
    leaving: Count = 0
    preempted: Count = 0

    def count(self, scale: Scale) -> Nodes:
        others = Nodes(**self.model_dump(exclude={"idle"}))
        idle = max(0, scale.min_nodes - others.target) if self.idle is None else self.idle
        return Nodes(idle=idle, **self.model_dump(exclude={"idle"}))


class ComputeSeed(SeedModel):
    """A compute resource; `properties` overrides or adds inner wire properties."""

    name: ComputeName
    compute_type: ComputeType = "ComputeInstance"
    state: State | None = Field(default=State.RUNNING, description="Of a ComputeInstance only.")
    last_operation: LastOperationSeed | None = None
    location: str | None = None
    vm_size: str = "STANDARD_DS3_V2"
    owner: Owner | None = None
    assigned_to: Owner | None = Field(default=None, description="The user it was assigned to.")
    tags: dict[str, str] | None = None
    created_at: datetime | None = None
    idle_time_before_shutdown: IdleTime | None = Field(
        default=None, description="ISO 8601, from 15 minutes to 3 days; absent: never."
    )
    schedules: tuple[StartStopSchedule, ...] = Field(
        default=(), max_length=4, description="Native schedules that start or stop it."
    )
    custom_services: tuple[CustomService, ...] = ()
    applications: tuple[Application, ...] | None = Field(
        default=None, description="Absent: Jupyter, Jupyter Lab and the custom services."
    )
    identity: Identity | None = None
    scale: ScaleSeed = Field(default=ScaleSeed(), description="Of an AmlCompute only.")
    nodes: NodesSeed = Field(default=NodesSeed(), description="Of an AmlCompute only.")
    behaviour: Behaviour = Behaviour()
    properties: dict[str, Any] = Field(
        default={},
        description="Inner wire properties; each holds until the emulator changes it.",
    )
