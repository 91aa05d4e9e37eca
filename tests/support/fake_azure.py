"""Azure Machine Learning in memory, from a seed document of the emulator's form.

It passes the same suite as the real client (tests/compute/test_azure_contract.py).
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.compute.azure import AnswerKind, OperationState, Price, StopAnswer
from shared.compute.instance import Compute, LastOperation, Workspace
from shared.compute.native_settings import Cluster, GuardRails, ScaleSettings
from shared.errors import AzureRequestError, OpsError
from tests.support.fake_machine import FakeMachine

Seed = Mapping[str, Any]
BEFORE = {"Stopped": "Stop", "Stopping": "Stop", "Creating": "Create", "Restarting": "Restart"}


@dataclass
class FakeAzure:
    """What one principal sees. `scale` shortens Azure's durations, as --time-scale does.

    `failures` are raised by whatever asks for that id (lower case); `hanging` ids answer nothing
    until the deadline. `cuts` name machines whose next stop is not answered: `before_effect` or
    `after_effect`. A workspace in `mirrors` lists another one's computes, too, as a project lists
    its hub's. Machines named in `unlisted` are missing from lists. `calls` has one `method id` for each request.
    """

    seed: Seed
    now: Callable[[], datetime]
    scale: float = 1.0
    failures: dict[str, Exception] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    cuts: dict[str, str] = field(default_factory=dict)
    mirrors: dict[str, str] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workspaces = {
            workspace.id.lower(): (subscription["id"], workspace, seed)
            for subscription in self.seed["subscriptions"]
            for seed in subscription.get("workspaces", ())
            for workspace in [_workspace(subscription["id"], seed)]
        }
        self.machines = {machine.compute.key: machine for machine in self._machines()}

    def machine(self, name: str) -> FakeMachine:
        """The machine of that name, as it is now."""
        found = next(m for m in self.machines.values() if m.compute.name == name)
        found.advance(self.now())
        return found

    async def list_subscriptions(self, *, deadline: datetime) -> Sequence[str]:
        await self._called("list_subscriptions", "/subscriptions", deadline)
        return [subscription["id"] for subscription in self.seed["subscriptions"]]

    async def list_workspaces(
        self, subscription_id: str, *, deadline: datetime
    ) -> Sequence[Workspace]:
        await self._called("list_workspaces", f"/subscriptions/{subscription_id}", deadline)
        owned = self.workspaces.values()
        return [w for owner, w, _ in owned if owner.lower() == subscription_id.lower()]

    async def list_computes(self, workspace: Workspace, *, deadline: datetime) -> Sequence[Compute]:
        await self._called("list_computes", workspace.id, deadline)
        if workspace.id.lower() not in self.workspaces:
            raise _error(404, "ResourceNotFound", workspace.id)
        if self.workspaces[workspace.id.lower()][2].get("forbidden"):
            raise _error(403, "AuthorizationFailed", workspace.id)
        homes = {workspace.id.lower(), self.mirrors.get(workspace.id.lower())}
        found = [m for m in self.machines.values() if m.compute.workspace.id.lower() in homes]
        for machine in found:
            machine.advance(self.now())
        computes = [machine.compute for machine in found]
        return [_as_listed(c, workspace) for c in computes if c.name not in self.unlisted]

    async def get_compute(self, compute: Compute, *, deadline: datetime) -> Compute:
        await self._called("get_compute", compute.id, deadline)
        return self._known(compute).compute

    async def list_prices(
        self, subscription_id: str, location: str, *, deadline: datetime
    ) -> Mapping[str, Price]:
        await self._called("list_prices", f"/subscriptions/{subscription_id}/{location}", deadline)
        return {
            size["name"].lower(): Price(per_hour=size["price_per_hour"], currency="USD")
            for size in self.seed.get("vm_sizes", ())
            if size.get("price_per_hour") is not None
        }

    async def begin_stop(self, compute: Compute, *, deadline: datetime) -> StopAnswer:
        now = self.now()
        if now >= deadline:
            return StopAnswer(kind=AnswerKind.NOT_SENT, at=now, message="the deadline came")
        try:
            await self._called("begin_stop", compute.id, deadline)
        except OpsError as error:
            return StopAnswer(kind=AnswerKind.NOT_SENT, at=now, message=str(error))
        machine = self.machines.get(compute.key)
        if machine is None:
            return StopAnswer(kind=AnswerKind.GONE, at=now, code="ResourceNotFound")
        machine.advance(now)
        cut = self.cuts.pop(compute.name, "")
        if cut == "before_effect":
            return StopAnswer(kind=AnswerKind.UNCLEAR, at=now, message="no answer")
        answer = machine.stop(now)
        return StopAnswer(kind=AnswerKind.UNCLEAR, at=now, message="no answer") if cut else answer

    async def get_operation(self, answer: StopAnswer, *, deadline: datetime) -> OperationState:
        url = answer.operation.partition("?")[0]
        await self._called("get_operation", url, deadline)
        for machine in self.machines.values():
            machine.advance(self.now())
            if url in machine.operations:
                return machine.operations[url]
        raise _error(404, "NotFound", "operation")

    async def scale_cluster(
        self, compute: Compute, scale: ScaleSettings, *, deadline: datetime
    ) -> None:
        cut = self.cuts.pop(compute.name, "")
        await self._called("scale_cluster", compute.id, deadline)
        if cut != "before_effect":
            self._known(compute).scale_to(scale, self.now())
        if cut:
            raise AzureRequestError("no answer", status=None, retryable=True)

    async def set_idle_shutdown(
        self, compute: Compute, *, after: timedelta, deadline: datetime
    ) -> None:
        cut = self.cuts.pop(compute.name, "")
        await self._called("set_idle_shutdown", compute.id, deadline)
        if cut != "before_effect":
            self._known(compute).set_idle_time(after)
        if cut:
            raise AzureRequestError("no answer", status=None, retryable=True)

    def _known(self, compute: Compute) -> FakeMachine:
        machine = self.machines.get(compute.key)
        if machine is None:
            raise _error(404, "ResourceNotFound", compute.id)
        machine.advance(self.now())
        return machine

    async def _called(self, method: str, scope_id: str, deadline: datetime) -> None:
        self.calls.append(f"{method} {scope_id}")
        # A request takes its time: whatever else is ready goes on meanwhile.
        await asyncio.sleep(0)
        if scope_id.lower() in self.hanging:
            await asyncio.sleep(max((deadline - self.now()).total_seconds(), 0))
        if scope_id.lower() in self.failures:
            raise self.failures[scope_id.lower()]
        if self.now() >= deadline:
            raise AzureRequestError("the deadline came", status=None, retryable=True)

    def _machines(self) -> Iterator[FakeMachine]:
        for _, workspace, seed in self.workspaces.values():
            for each in seed.get("computes", ()):
                compute = _compute(workspace, each, self.now())
                yield FakeMachine(compute=compute, seed=each, began=self.now(), scale=self.scale)


def _workspace(subscription_id: str, seed: Seed) -> Workspace:
    group, name = seed.get("resource_group", "rg-ml"), seed["name"]
    return Workspace(
        id=f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{name}",
        name=name,
        subscription_id=subscription_id,
        location=seed.get("location", "westeurope"),
        tags=seed.get("tags", {}),
    )


def _compute(workspace: Workspace, seed: Seed, now: datetime) -> Compute:
    kind = seed.get("compute_type", "ComputeInstance")
    is_instance = kind == "ComputeInstance"
    state = seed.get("state", "Running") if is_instance else None
    last = LastOperation(
        name=BEFORE.get(state or "Creating", "Start"),
        at=now - timedelta(hours=9),
        status="Succeeded",
        trigger="User",
    )
    return Compute(
        id=f"{workspace.id}/computes/{seed['name']}",
        name=seed["name"],
        workspace=workspace,
        compute_type=kind,
        location=workspace.location,
        state=state,
        owner=(seed.get("owner") or {}).get("name", ""),
        vm_size=seed.get("vm_size", "STANDARD_DS3_V2") if is_instance else "",
        tags=seed.get("tags") or {},
        last_operation=last if is_instance and state else None,
        cluster=_cluster(seed) if kind == "AmlCompute" else None,
        guard_rails=GuardRails(idle_time=seed.get("idle_time_before_shutdown") or ""),
    )


def _cluster(seed: Seed) -> Cluster:
    scale, nodes = seed.get("scale", {}), seed.get("nodes", {})
    minimum = scale.get("min_node_count", 0)
    busy = sum(nodes.get(state, 0) for state in ("running", "preparing", "leaving"))
    idle = nodes.get("idle", max(minimum - busy, 0))
    return Cluster(
        scale=ScaleSettings(
            minimum=minimum,
            maximum=scale.get("max_node_count", 4),
            idle_time=scale.get("node_idle_time_before_scale_down", "PT120S"),
        ),
        nodes=busy + idle,
        busy_nodes=busy,
        steady=not nodes.get("preparing") and not nodes.get("leaving"),
    )


def _as_listed(compute: Compute, workspace: Workspace) -> Compute:
    if compute.workspace.id == workspace.id:
        return compute
    return replace(compute, id=compute.id.upper(), workspace=workspace)


def _error(status: int, code: str, what: str) -> AzureRequestError:
    return AzureRequestError(f"GET {what}: {status}: {code}", status=status, code=code)
