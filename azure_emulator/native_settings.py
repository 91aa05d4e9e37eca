"""What a seed says of a compute in Azure's own spelling: schedules, services, identity.

Source: ComputeStartStopSchedule, CustomService, ComputeInstanceApplication of api-version
2025-12-01, and ManagedServiceIdentity of the common types v3.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

_DayOfWeek = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


class AzureModel(BaseModel):
    """A part of a resource, written as Azure writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    def document(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


class Cron(AzureModel):
    """A crontab line; the zone has its Windows name, the start no zone."""

    start_time: str | None = None
    time_zone: str = "UTC"
    expression: str


class RecurrenceSchedule(AzureModel):
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    month_days: tuple[int, ...] | None = None
    week_days: tuple[_DayOfWeek, ...] | None = None


class Recurrence(AzureModel):
    frequency: Literal["Minute", "Hour", "Day", "Week", "Month"]
    interval: Annotated[int, Field(ge=1)] = 1
    start_time: str | None = None
    time_zone: str = "UTC"
    schedule: RecurrenceSchedule | None = None


class StartStopSchedule(AzureModel):
    """An item of `schedules.computeStartStop`; without an id it gets one."""

    id: str | None = None
    provisioning_status: Literal["Completed", "Provisioning", "Failed"] = "Completed"
    status: Literal["Enabled", "Disabled"] = "Enabled"
    action: Literal["Start", "Stop"]
    trigger_type: Literal["Cron", "Recurrence"]
    cron: Cron | None = None
    recurrence: Recurrence | None = None

    @model_validator(mode="after")
    def _has_its_trigger(self) -> Self:
        wanted = self.cron if self.trigger_type == "Cron" else self.recurrence
        if wanted is None:
            raise ValueError(f"a schedule of triggerType {self.trigger_type} has to say it")
        return self


class CustomService(AzureModel):
    """An item of `customServices`; what is not named here is passed on as it is."""

    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_camel)

    name: str


class Application(AzureModel):
    """An item of `applications`; without an endpointUri it gets one."""

    display_name: str
    endpoint_uri: str | None = None


class UserAssignedIdentity(AzureModel):
    principal_id: str | None = None
    client_id: str | None = None


class Identity(AzureModel):
    """The `identity` of a compute; the ids of principals that are left out are made up."""

    type: Literal["None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned"]
    principal_id: str | None = None
    user_assigned_identities: dict[str, UserAssignedIdentity] | None = None
