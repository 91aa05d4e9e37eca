"""Computes of a workspace: list, get, stop, start, restart.

Source: Microsoft.MachineLearningServices 2025-12-01, Compute_List and its like; the answers of the
actions as recorded live in December 2024 (202, empty body, Azure-AsyncOperation only).
"""

from azure_emulator.answers import JSON_TYPE, Answer
from azure_emulator.arm.call import Call
from azure_emulator.arm.compute_resource import wire
from azure_emulator.arm.operations import accepted
from azure_emulator.arm.paging import page
from azure_emulator.estate.compute import Compute, Version


def list_computes(call: Call) -> Answer:
    computes = list(call.workspace().computes.values())
    return page(call, computes, encode=lambda c: wire(c, _seen(call, c)), parameter="$skip")


def get_compute(call: Call) -> Answer:
    compute = call.compute()
    return Answer(body=wire(compute, _seen(call, compute)), headers=(JSON_TYPE,))


def stop(call: Call) -> Answer:
    machines = call.estate.machines
    return accepted(call, machines.stop(call.compute(), by=call.caller.object_id))


def start(call: Call) -> Answer:
    machines = call.estate.machines
    return accepted(call, machines.start(call.compute(), by=call.caller.object_id))


def restart(call: Call) -> Answer:
    machines = call.estate.machines
    return accepted(call, machines.restart(call.compute(), by=call.caller.object_id))


def _seen(call: Call, compute: Compute) -> Version:
    """What reads show: the machine as it was some seconds ago."""
    lag = call.settings.list_lag_seconds
    return compute.version_at(call.clock.now() - lag) if lag else compute.versions[-1]
