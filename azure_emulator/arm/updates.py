"""Changes of settings: the bounds of a cluster, and an instance's time before idle shutdown.

Source: Compute_Update of api-version 2025-12-01 (200 with the resource and Azure-AsyncOperation);
Compute_UpdateIdleShutdownSetting of the previews since 2023-08-01 (200, empty), of which 2025-12-01
still has the example.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from azure_emulator.answers import JSON_TYPE, Answer, AzureError
from azure_emulator.arm import operations, request_body
from azure_emulator.arm.call import Call
from azure_emulator.arm.compute_resource import wire
from azure_emulator.compute_seed import IdleTime
from azure_emulator.estate.idle_shutdown import duration
from azure_emulator.estate.nodes import Cluster, Scale
from azure_emulator.native_settings import AzureModel


def update_compute(call: Call) -> Answer:
    """PATCH: only AmlCompute has anything to update, its scale settings."""
    compute = call.compute()
    cluster = call.estate.clusters.cluster_of(compute)
    wanted = request_body.parse(call.body, _ClusterUpdate).scale_settings(cluster)
    operation = call.estate.clusters.scale(compute, wanted, by=call.caller.object_id)
    headers = (JSON_TYPE, *operations.links(call, operation))
    return Answer(body=wire(compute, compute.versions[-1]), headers=headers)


def update_idle_shutdown_setting(call: Call) -> Answer:
    """POST: the time holds at once; null or nothing switches the idle shutdown off."""
    compute = call.compute()
    wanted = request_body.parse(call.body, _IdleShutdownSetting).idle_time_before_shutdown
    call.estate.machines.set_idle_time(compute, wanted, by=call.caller.object_id)
    return Answer()


class _Lenient(AzureModel):
    """As Azure reads: what it does not know it passes over."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class _IdleShutdownSetting(_Lenient):
    idle_time_before_shutdown: IdleTime | None = None


_Count = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]


def _is_duration(text: str) -> str:
    duration(text)
    return text


class _ScaleSettings(_Lenient):
    max_node_count: _Count
    min_node_count: _Count = 0
    node_idle_time_before_scale_down: Annotated[str, AfterValidator(_is_duration)] | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.min_node_count > self.max_node_count:
            raise ValueError("minNodeCount is above maxNodeCount")
        return self


class _Scaled(_Lenient):
    scale_settings: _ScaleSettings | None = None


class _UpdateProperties(_Scaled):
    """Until 2021 the scale settings stood here, since then one level deeper."""

    properties: _Scaled | None = None


class _ClusterUpdate(_Lenient):
    properties: _UpdateProperties

    def scale_settings(self, cluster: Cluster) -> Scale:
        """The new bounds; without an idle time the present one stays. Raises AzureError 400."""
        given = (self.properties.properties or self.properties).scale_settings
        if given is None:
            raise AzureError(400, "UserError", "The request is invalid: it has no scaleSettings.")
        return Scale(
            min_nodes=given.min_node_count,
            max_nodes=given.max_node_count,
            idle_time=given.node_idle_time_before_scale_down or cluster.scale.idle_time,
        )
