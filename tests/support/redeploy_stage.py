"""Redeploys without a platform, a queue or a clock: workers that can be killed at any await."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from shared.errors import StorageUnavailableError
from shared.scoring.attempts import Examiner
from shared.scoring.examination import Subject
from shared.scoring.records import Records
from shared.scoring.redeploy.carrying_out import Hands
from shared.scoring.redeploy.ending import Ending
from shared.scoring.redeploy.gate import Allowance
from shared.scoring.redeploy.mover import Change, ChangeKind
from shared.scoring.redeploy.opening import InProgress, Occasion, Opening, TooOften
from shared.scoring.redeploy.order import RedeployOrder
from shared.scoring.redeploy.record import Redeploy, Trigger
from shared.scoring.redeploy.steps import Steps
from shared.scoring.redeploy.surroundings import Surroundings
from shared.scoring.service import Kind
from tests.support.fake_credentials import FakeCredentials
from tests.support.fake_mover import FakeMover
from tests.support.fake_prober import FakeProber
from tests.support.fake_records import (
    FakeCheckHistory,
    FakeMaintenanceWindows,
    FakeServiceStates,
)
from tests.support.fake_redeploys import FakeRedeploys
from tests.support.redeploys import CLUSTER, NOON
from tests.support.scoring_builders import a_subject
from tests.support.scripted import Asked, Scripted
from tests.support.telemetry import RecordingTelemetry

RESTART = RedeployOrder(change=Change(kind=ChangeKind.RESTART), reason="it hangs")
BY_HAND = Occasion(trigger=Trigger.HTTP, asked_by="ada")
# As host.json and the host have it: a failed message comes back, a lost worker's later.
RETRY = timedelta(seconds=30)
INVISIBLE = timedelta(minutes=10)
MAX_DEQUEUE = 5


class Killed(BaseException):  # no error: kill -9
    """The worker is gone, here and now."""


@dataclass
class Life:
    """Awaits that a worker has left; None: it lives on."""

    left: int | None = None
    used: int = 0

    def tick(self) -> None:
        self.used += 1
        if self.left is not None and self.used >= self.left:
            raise Killed


@dataclass
class Mortal:
    """A port in the hands of a worker that may die before and after each call."""

    port: Any
    life: Life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.port, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **options: Any) -> Any:
            self.life.tick()
            answer = await found(*args, **options)
            self.life.tick()
            return answer

        return call


@dataclass
class Message:
    """One message of the queue."""

    redeploy_id: str
    step: int
    visible_at: datetime
    dequeued: int = 0
    poison: bool = False


@dataclass
class SimulatedQueue:
    """Messages by the moment at which they are seen. `refuses`: those that it does not take, by number."""

    now: Callable[[], datetime]
    messages: list[Message] = field(default_factory=list)
    refuses: Container[int] = ()
    asked: int = 0

    async def send(self, redeploy_id: str, step: int, *, delay: timedelta) -> None:
        self.asked += 1
        if self.asked in self.refuses:
            raise StorageUnavailableError("503 ServerBusy")
        self.messages.append(Message(redeploy_id, step, self.now() + delay))

    def next(self) -> Message | None:
        return min(self.messages, key=lambda each: each.visible_at, default=None)


@dataclass
class RedeployStage:
    """One estate with services on AKS, and what workers need to redeploy them."""

    clock: datetime = NOON
    mover: FakeMover = field(default_factory=FakeMover)
    store: FakeRedeploys = field(default_factory=FakeRedeploys)
    states: FakeServiceStates = field(default_factory=FakeServiceStates)
    windows: FakeMaintenanceWindows = field(default_factory=FakeMaintenanceWindows)
    credentials: FakeCredentials = field(default_factory=FakeCredentials)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    allowance: Allowance = field(default_factory=Allowance)
    subjects: dict[str, Subject] = field(default_factory=dict)
    steps_taken: int = 0

    def __post_init__(self) -> None:
        self.queue = SimulatedQueue(now=self.now)
        self.prober = FakeProber(now=self.now)
        for name in ("weight", "second", "third"):
            self.subjects[name] = a_subject(name, kind="aks", resource_id=CLUSTER)
            self.prober.services[f"http://{name}.test"] = partial(self._answer, name)

    def now(self) -> datetime:
        return self.clock

    def _answer(self, name: str, asked: Asked) -> Scripted:
        return self.mover.answer(name, asked)

    async def find(self, name: str) -> Subject | None:
        return self.subjects.get(name)

    def opening(self, life: Life | None = None) -> Opening:
        alive = life or Life()
        return Opening(
            redeploys=cast("Any", Mortal(self.store, alive)),
            queue=cast("Any", Mortal(self.queue, alive)),
            surroundings=self._surroundings(alive),
            now=self.now,
            allowance=self.allowance,
        )

    def worker(self, life: Life | None = None) -> Steps:
        alive = life or Life()
        opening = self.opening(alive)
        windows = cast("Any", Mortal(self.windows, alive))
        examiner = Examiner(prober=self.prober, credentials=self.credentials, now=self.now)
        return Steps(
            redeploys=opening.redeploys,
            queue=opening.queue,
            hands=Hands(
                movers={Kind.AKS: cast("Any", Mortal(self.mover, alive))},
                examiner=examiner,
                surroundings=opening.surroundings,
                maintenance=windows,
                allowance=self.allowance,
                now=self.now,
            ),
            ending=Ending(
                opening=opening,
                maintenance=windows,
                find=self.find,
                telemetry=self.telemetry,
                now=self.now,
            ),
            telemetry=self.telemetry,
            now=self.now,
        )

    async def open(
        self, name: str = "weight", order: RedeployOrder = RESTART, occasion: Occasion = BY_HAND
    ) -> Redeploy | InProgress | TooOften:
        return await self.opening().open(self.subjects[name], order, occasion)

    async def opened(self, name: str = "weight", order: RedeployOrder = RESTART) -> str:
        redeploy = await self.open(name, order)
        assert isinstance(redeploy, Redeploy)
        return redeploy.redeploy_id

    async def redeploy(self, redeploy_id: str) -> Redeploy:
        found = await self.store.get(redeploy_id)
        assert found is not None
        return found

    async def run(self, *, life: Life | None = None, until: timedelta | None = None) -> None:
        """Deliver messages until there are none; the first worker has this life, then others come."""
        end = self.clock + until if until else None
        worker = self.worker(life)
        while (message := self.queue.next()) and (end is None or message.visible_at <= end):
            self.clock = max(self.clock, message.visible_at)
            self.steps_taken += 1
            assert self.steps_taken < 2000, "it never ends"
            try:
                await self._deliver(worker, message)
            except Killed:
                message.visible_at = self.clock + INVISIBLE
                worker = self.worker()
            except Exception:  # noqa: BLE001  # as the host: whatever it was
                self._fail(message)
            else:
                self.queue.messages.remove(message)

    async def _deliver(self, worker: Steps, message: Message) -> None:
        message.dequeued += 1
        await worker.work(message.redeploy_id, message.step)

    def _fail(self, message: Message) -> None:
        # As the host: poison is delivered at once, and stays for a while where it fails.
        message.visible_at = self.clock + (INVISIBLE if message.poison else RETRY)
        if message.dequeued >= MAX_DEQUEUE and not message.poison:
            message.poison, message.visible_at = True, self.clock

    def _surroundings(self, life: Life) -> Surroundings:
        return Surroundings(
            records=Records(
                states=self.states, history=FakeCheckHistory(), maintenance=self.windows
            ),
            redeploys=cast("Any", Mortal(self.store, life)),
            movable={Kind.AKS},
        )
