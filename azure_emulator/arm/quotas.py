"""Quotas of cores in a region, by family of machine sizes, and how many of them run.

Source: Microsoft.MachineLearningServices 2025-12-01, Usages_List and Quotas_List. A limit is the same
for every family; nothing here is refused for want of quota.
"""

from collections import Counter
from typing import Any

from azure_emulator.answers import Answer, json_answer
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.vm_sizes import COMMON_SIZES
from azure_emulator.estate.compute import Compute
from azure_emulator.estate.states import State
from azure_emulator.seed import VmSize

CORES = 100
_OFF = frozenset({State.STOPPED, State.CREATE_FAILED, State.DELETING})


def list_usages(call: Call) -> Answer:
    """GET usages: the cores of each family that run, and how many may."""
    used = _cores(call)
    return json_answer(
        {"value": [_usage(call, family, used[family]) for family in _families(call)]}
    )


def list_quotas(call: Call) -> Answer:
    """GET quotas: how many cores of each family may run."""
    return json_answer({"value": [_limit(call, "quotas", family) for family in _families(call)]})


def _usage(call: Call, family: str, used: int) -> dict[str, Any]:
    return {**_limit(call, "usages", family), "currentValue": used}


def _limit(call: Call, kind: str, family: str) -> dict[str, Any]:
    return {
        "id": _id(call, kind, family),
        "amlWorkspaceLocation": call.names["location"],
        "type": f"{PROVIDER}/dedicatedCores/{kind}",
        "unit": "Count",
        "limit": CORES,
        "name": {"value": family, "localizedValue": family},
    }


def _id(call: Call, kind: str, family: str) -> str:
    where = f"{call.subscription.id}/providers/{PROVIDER}/locations/{call.names['location']}"
    return f"{where}/{kind}/{family}"


def _families(call: Call) -> list[str]:
    return sorted({size.family for size in _sizes(call)})


def _cores(call: Call) -> Counter[str]:
    known = {size.name.lower(): size for size in _sizes(call)}
    used: Counter[str] = Counter()
    for workspace in call.subscription.workspaces.values():
        for compute in workspace.computes.values():
            size = known.get(compute.seed.vm_size.lower())
            if size and compute.location.lower() == call.names["location"].lower():
                used[size.family] += size.vcpus * _machines(compute)
    return used


def _machines(compute: Compute) -> int:
    """How many machines of a compute there are: nodes of a cluster, or the instance that is on."""
    present = compute.versions[-1]
    if present.cluster is not None:
        return present.cluster.nodes.current
    on = compute.seed.compute_type == "ComputeInstance" and present.state not in _OFF
    return int(on)


def _sizes(call: Call) -> tuple[VmSize, ...]:
    return call.estate.seed.vm_sizes or COMMON_SIZES
