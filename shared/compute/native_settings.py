"""What Azure itself keeps about a compute: a cluster's bounds and nodes, an instance's guard rails.

Source: AmlComputeProperties and ComputeInstanceProperties of api-version 2025-12-01. Everything may
be missing on the wire, and then has its default here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from pydantic import TypeAdapter, ValidationError


@dataclass(frozen=True, kw_only=True)
class ScaleSettings:
    """How many nodes a cluster keeps and may have. `idle_time`: ISO 8601, as Azure wrote it."""

    minimum: int
    maximum: int
    idle_time: str = ""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """An AmlCompute as one list showed it.

    `busy_nodes` run jobs, or come or go; `steady`: neither its settings nor its nodes change now.
    `updating`: its settings are being changed, so that Azure would refuse another change.
    """

    scale: ScaleSettings
    nodes: int = 0
    busy_nodes: int = 0
    steady: bool = True
    updating: bool = False


@dataclass(frozen=True, kw_only=True)
class NativeSchedule:
    """One of Azure ML's own start or stop schedules, in Azure's words.

    `time_zone` is a Windows name. A Cron trigger has `cron`; a Recurrence the fields after it.
    `starts_at` is a local time without zone.
    """

    action: str
    enabled: bool
    time_zone: str = ""
    starts_at: str = ""
    cron: str = ""
    frequency: str = ""
    interval: int = 1
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    week_days: tuple[str, ...] = ()
    month_days: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GuardRails:
    """What of Azure ML's own may stop or start an instance, and what may keep it from that.

    `idle_time`: ISO 8601, as Azure wrote it; empty: no idle shutdown. `identity`: the type of its
    managed identity, empty without one.
    """

    idle_time: str = ""
    schedules: tuple[NativeSchedule, ...] = ()
    applications: tuple[str, ...] = ()
    custom_services: tuple[str, ...] = ()
    identity: str = ""

    @property
    def idle_after(self) -> timedelta | None:
        """The idle time; None where there is none, or none that can be read."""
        return parse_duration(self.idle_time)


def parse_duration(text: str) -> timedelta | None:
    """Read an ISO 8601 duration such as `PT120M` or `P3D`; None if it is none."""
    if not text.startswith("P"):
        return None
    try:
        return _durations().validate_python(text)
    except ValidationError:
        return None


@cache
def _durations() -> TypeAdapter[timedelta]:
    return TypeAdapter(timedelta)
