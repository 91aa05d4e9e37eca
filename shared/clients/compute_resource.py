"""One compute as ARM writes it: instances, clusters, and what is attached.

Shapes as in api-version 2025-12-01 and as recorded from live traffic: every inner property can be
null or missing, so all is parsed leniently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clients.lenient_json import (
    as_object,
    as_objects,
    as_time,
    count,
    counts,
    tags,
    text,
)
from shared.compute.instance import Compute, LastOperation, Workspace
from shared.compute.native_settings import Cluster, GuardRails, NativeSchedule, ScaleSettings

_BUSY = ("runningNodeCount", "preparingNodeCount", "leavingNodeCount")


def read_compute(item: Mapping[str, Any], workspace: Workspace) -> Compute:
    """Read a ComputeResource of a list of this workspace."""
    outer = as_object(item.get("properties"))
    inner = as_object(outer.get("properties"))
    return Compute(
        id=text(item, "id"),
        name=text(item, "name"),
        workspace=workspace,
        compute_type=text(outer, "computeType"),
        location=text(outer, "computeLocation") or text(item, "location") or workspace.location,
        state=text(inner, "state") or None,
        owner=_owner(inner),
        vm_size=text(inner, "vmSize"),
        tags=tags(item),
        last_operation=_last_operation(as_object(inner.get("lastOperation"))),
        cluster=_cluster(outer, inner),
        guard_rails=_guard_rails(item, inner),
    )


def _owner(inner: Mapping[str, Any]) -> str:
    """Return who the machine is for: the assigned user where set, else its creator."""
    created_by = as_object(inner.get("createdBy"))
    settings = as_object(inner.get("personalComputeInstanceSettings"))
    assigned = text(as_object(settings.get("assignedUser")), "objectId")
    if assigned and assigned != text(created_by, "userId"):
        return assigned
    return text(created_by, "userName") or text(created_by, "userId")


def _last_operation(found: Mapping[str, Any]) -> LastOperation | None:
    if not found:
        return None
    return LastOperation(
        name=text(found, "operationName"),
        at=as_time(text(found, "operationTime")),
        status=text(found, "operationStatus"),
        trigger=text(found, "operationTrigger"),
    )


def _cluster(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> Cluster | None:
    scale = as_object(inner.get("scaleSettings"))
    maximum = count(scale, "maxNodeCount")
    nodes = as_object(inner.get("nodeStateCounts"))
    # Without its nodes nobody knows whether one is busy.
    if maximum is None or not nodes:
        return None
    changing = text(outer, "provisioningState").lower()
    return Cluster(
        scale=ScaleSettings(
            # The specification's default, where Azure leaves it out.
            minimum=count(scale, "minNodeCount") or 0,
            maximum=maximum,
            idle_time=text(scale, "nodeIdleTimeBeforeScaleDown"),
        ),
        nodes=count(inner, "currentNodeCount") or 0,
        busy_nodes=sum(count(nodes, name) or 0 for name in _BUSY),
        steady=text(inner, "allocationState").lower() != "resizing",
        updating=changing in {"updating", "creating", "deleting"},
    )


def _guard_rails(item: Mapping[str, Any], inner: Mapping[str, Any]) -> GuardRails:
    schedules = as_object(inner.get("schedules"))
    identity = text(as_object(item.get("identity")), "type")
    return GuardRails(
        idle_time=text(inner, "idleTimeBeforeShutdown"),
        schedules=tuple(_schedule(s) for s in as_objects(schedules.get("computeStartStop"))),
        applications=_names(inner, "applications", "displayName"),
        custom_services=_names(inner, "customServices", "name"),
        identity="" if identity.lower() == "none" else identity,
    )


def _names(inner: Mapping[str, Any], part: str, name: str) -> tuple[str, ...]:
    return tuple(filter(None, (text(each, name) for each in as_objects(inner.get(part)))))


def _schedule(found: Mapping[str, Any]) -> NativeSchedule:
    cron, recurrence = as_object(found.get("cron")), as_object(found.get("recurrence"))
    trigger = cron if text(found, "triggerType").lower() == "cron" else recurrence
    times = as_object(recurrence.get("schedule"))
    week_days = times.get("weekDays")
    return NativeSchedule(
        action=text(found, "action"),
        enabled=text(found, "status").lower() != "disabled",
        time_zone=text(trigger, "timeZone"),
        starts_at=text(trigger, "startTime"),
        cron=text(cron, "expression") if trigger is cron else "",
        frequency=text(recurrence, "frequency") if trigger is recurrence else "",
        interval=count(recurrence, "interval") or 1,
        hours=counts(times, "hours"),
        minutes=counts(times, "minutes"),
        week_days=tuple(d for d in week_days if isinstance(d, str))
        if isinstance(week_days, list)
        else (),
        month_days=counts(times, "monthDays"),
    )
