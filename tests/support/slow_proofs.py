"""Services whose golden requests take longer than a step of a redeploy, on a stage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shared.scoring.redeploy.record import Redeploy, StepNote, Task
from tests.support.fake_mover import FakeMover
from tests.support.redeploy_stage import Killed, RedeployStage
from tests.support.redeploys import CLUSTER
from tests.support.redeploys_to_the_end import NEW_IMAGE, ended
from tests.support.scoring_builders import GOLDEN, a_subject
from tests.support.scripted import Asked, Scripted
from tests.support.virtual_time import run_virtually

ORIGIN = "http://weight.test"


def goldens(count: int) -> list[dict[str, Any]]:
    """Golden requests that can be told apart by their targets."""
    each = {**GOLDEN, "query": {"height": 138}}
    return [{**each, "name": f"{n}", "query": {"height": 138, "n": n}} for n in range(count)]


def targets(count: int) -> list[str]:
    """What one round asks."""
    return ["/live", *(f"/weight?height=138&n={n}" for n in range(count))]


@dataclass
class Slowly:
    """A service on a stage that takes `seconds` for each golden answer.

    `odd` are other answers, by the number of the question; at the `killed_at`th a worker dies.
    """

    count: int = 20
    seconds: float = 9.0
    timeout_seconds: float = 10.0
    checks: dict[str, Any] = field(default_factory=dict)
    mover: FakeMover = field(default_factory=FakeMover)
    odd: dict[int, Scripted] = field(default_factory=dict)
    killed_at: int = 0
    stage: RedeployStage = field(init=False)

    def __post_init__(self) -> None:
        self.stage = RedeployStage(mover=self.mover)
        checks = {
            "golden": goldens(self.count),
            "timeout_seconds": self.timeout_seconds,
            "latency_budget_seconds": self.timeout_seconds,
            **self.checks,
        }
        self.stage.subjects["weight"] = a_subject(
            "weight", kind="aks", resource_id=CLUSTER, checks=checks
        )
        self.stage.prober.services[ORIGIN] = self._answer

    def _answer(self, asked: Asked) -> Scripted:
        number = len(self.asked)
        if number == self.killed_at:
            raise Killed
        if not asked.target.startswith("/weight"):
            return self.odd.get(number, Scripted(body=b"{}"))
        self.stage.clock += timedelta(seconds=self.seconds)
        usual = self.stage.mover.answer("weight", asked)
        return replace(self.odd.get(number, usual), seconds=self.seconds)

    @property
    def asked(self) -> Sequence[Asked]:
        return self.stage.prober.asked.get(ORIGIN, [])

    @property
    def targets(self) -> list[str]:
        return [each.target for each in self.asked]

    def end(self) -> Redeploy:
        return run_virtually(ended(self.stage))


async def step_by_step(stage: RedeployStage, *, times: int = 1) -> AsyncIterator[None]:
    """Carry out a redeploy, and stop after each step; each message comes so many times."""
    await stage.opened(order=NEW_IMAGE)
    worker = stage.worker()
    while message := stage.queue.next():
        stage.clock = max(stage.clock, message.visible_at)
        stage.queue.messages.remove(message)
        for _ in range(times):
            await worker.work(message.redeploy_id, message.step)
        yield


def proofs(redeploy: Redeploy) -> list[bool]:
    return [each.passed for each in redeploy.proofs]


def parts(redeploy: Redeploy, task: Task = Task.PROVE) -> list[StepNote]:
    """Steps whose examination goes on in the next one."""
    return [each for each in redeploy.steps if each.task is task and "checks are made" in each.text]
