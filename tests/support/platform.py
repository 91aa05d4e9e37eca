"""The platform in memory: two subscriptions, storage, and workers that take up what is sent."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from shared.compute.dispatch import Dispatch, GoesOn, Nothing
from shared.compute.order import RunOrder
from shared.compute.report import RunReport, Trigger
from shared.compute.run import Occasion, Rules
from shared.compute.share import Shares
from shared.compute.shutdown import Backing, Shutdown
from shared.errors import OpsError
from shared.telemetry import Event
from tests.support.builders import NIGHT, OTHER_SUBSCRIPTION, SUBSCRIPTION
from tests.support.fake_azure import FakeAzure, Seed
from tests.support.fake_storage import FakeRunHistory, FakeShareQueue, FakeStopClaims
from tests.support.night import a_machine
from tests.support.telemetry import RecordingTelemetry
from tests.support.virtual_time import run_virtually

T = TypeVar("T")
HTTP = Occasion(trigger=Trigger.HTTP)
TICK = Occasion(trigger=Trigger.TIMER, time_limit=timedelta(seconds=200))
BOTH = {SUBSCRIPTION, OTHER_SUBSCRIPTION}


@dataclass(kw_only=True)
class Platform:
    """An estate of two subscriptions, storage, and workers that take up what is sent."""

    seed: Seed
    workers: int = 1
    history: FakeRunHistory = field(default_factory=FakeRunHistory)
    claims: FakeStopClaims = field(default_factory=FakeStopClaims)
    queue: FakeShareQueue = field(default_factory=FakeShareQueue)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)

    def __post_init__(self) -> None:
        self.azure = FakeAzure(self.seed, now=self.now)
        self.shutdown = Shutdown(
            self.azure,
            self.telemetry,
            now=self.now,
            rules=Rules(),
            backing=Backing(history=self.history, claims=self.claims),
        )
        self.shares = Shares(shutdown=self.shutdown, history=self.history)
        self.dispatch = Dispatch(shutdown=self.shutdown, history=self.history, queue=self.queue)

    def now(self) -> datetime:
        return NIGHT + timedelta(seconds=asyncio.get_running_loop().time())

    @property
    def asked(self) -> list[str]:
        stops = [call for call in self.azure.calls if call.startswith("begin_stop ")]
        return sorted(call.rpartition("/")[2] for call in stops)

    async def run(
        self, order: RunOrder | None = None, occasion: Occasion = HTTP, **options: Any
    ) -> RunReport | GoesOn | Nothing:
        """Run while the workers deliver each message so many times, side by side."""
        delivering = asyncio.create_task(self.deliver())
        try:
            return await self.dispatch.run(order or RunOrder(), occasion, **options)
        finally:
            delivering.cancel()

    async def report(self, occasion: Occasion = HTTP) -> RunReport:
        ended = await self.run(occasion=occasion)
        assert isinstance(ended, RunReport)
        return ended

    async def open(self) -> str:
        """Begin a run that no worker takes up yet, and return its id."""
        ended = await self.dispatch.run(RunOrder(), HTTP, respond_async=True)
        assert isinstance(ended, GoesOn)
        return ended.run_id

    async def lose_worker(self, run_id: str, share_id: str) -> None:
        """Let a worker take a share up, and kill it three seconds later."""
        working = asyncio.create_task(self.shares.work(run_id, share_id))
        await asyncio.sleep(3)
        working.cancel()

    async def deliver(self) -> None:
        async with asyncio.TaskGroup() as working:
            while True:
                while self.queue.sent:
                    run_id, share_id = self.queue.sent.pop(0)
                    for _ in range(self.workers):
                        working.create_task(self._work(run_id, share_id))
                await asyncio.sleep(0.5)

    async def _work(self, run_id: str, share_id: str) -> None:
        """Work a share; let its message come back if that fails, as host.json says."""
        try:
            await self.shares.work(run_id, share_id)
        except OpsError:
            await asyncio.sleep(30)
            self.queue.sent.append((run_id, share_id))

    def fail(self, subscription: str, error: OpsError) -> None:
        """Let whatever asks for a subscription's workspaces fail."""
        self.azure.failures[f"/subscriptions/{subscription}".lower()] = error

    def lost(self) -> list[Any]:
        return [said["operation"] for said in self.telemetry.named(Event.HISTORY_LOST)]

    def finished(self) -> list[Any]:
        return [said["result"] for said in self.telemetry.named(Event.COMPUTE_RUN_FINISHED)]


def an_estate(*, state: str = "Running") -> Seed:
    """Machine ci-ada in one subscription, ci-bob in the other."""
    homes = [
        (SUBSCRIPTION, "mlw-churn", a_machine("ci-ada", state=state)),
        (OTHER_SUBSCRIPTION, "mlw-risk", a_machine("ci-bob", state=state)),
    ]
    listed = [
        {"id": guid, "workspaces": [{"name": name, "computes": [machine]}]}
        for guid, name, machine in homes
    ]
    return {"vm_sizes": [], "subscriptions": listed}


def spend(story: Coroutine[Any, Any, T]) -> T:
    return run_virtually(story)
