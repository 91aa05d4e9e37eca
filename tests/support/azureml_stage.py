"""Redeploys of the whole flow on what Azure ML serves: its time is real, the flow's simulated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from shared.scoring.probe import Probe, Prober, ProbeRequest
from shared.scoring.redeploy.mover import Mover
from shared.scoring.redeploy.steps import Steps
from shared.scoring.redeploy.surroundings import Surroundings
from shared.scoring.service import Kind
from tests.support.emulator import EmulatorProcess
from tests.support.real_mover import PunctualMover, RealMover
from tests.support.redeploy_stage import Life, RedeployStage
from tests.support.scoring_builders import GOLDEN, a_subject
from tests.support.scripted import Behaviour

SCORED = {"name": "138", "method": "POST", "path": "/score", "body": {}, "expect": GOLDEN["expect"]}


@dataclass
class MortalInEffects:
    """A mover whose worker may die after each effect, before it is recorded."""

    mover: RealMover
    life: Life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.mover, name)
        if name not in {"change", "complete", "undo"}:
            return found

        async def call(*args: Any, **options: Any) -> Any:
            try:
                return await found(*args, **options)
            finally:
                # Also what asks to be asked again may have had an effect.
                self.life.tick()

        return call


@dataclass
class MortalInProofs:
    """A prober whose worker may die once the golden request is answered."""

    prober: Prober
    life: Life

    async def probe(self, request: ProbeRequest) -> Probe:
        """Send it; live checks kill nobody."""
        answer = await self.prober.probe(request)
        if request.method == "POST":
            self.life.tick()
        return answer


@dataclass
class AzureMLStage(RedeployStage):
    """Its workers die after an effect and while proving: what else may kill is tried elsewhere."""

    kind: Kind = Kind.AML_ONLINE

    def worker(self, life: Life | None = None) -> Steps:
        alive = life or Life()
        steps = super().worker()
        mover = cast("Any", MortalInEffects(cast("Any", self.mover), alive))
        prober = MortalInProofs(self.prober, alive)
        examiner = replace(steps.hands.examiner, prober=prober)
        return replace(
            steps, hands=replace(steps.hands, movers={self.kind: mover}, examiner=examiner)
        )

    def _surroundings(self, life: Life) -> Surroundings:
        return replace(super()._surroundings(life), movable={self.kind})


def open_stage(mover: Mover, ask: Behaviour, *, kind: Kind, resource_id: str) -> AzureMLStage:
    """A stage whose one service is asked by `ask` and proven by one score."""
    stage = AzureMLStage(mover=cast("Any", RealMover(mover, ask)), kind=kind)
    checks = {"live": {"path": "/"}, "golden": [SCORED]}
    stage.subjects["weight"] = a_subject(
        "weight", kind=kind, resource_id=resource_id, checks=checks
    )
    return stage


def keep_time(stage: AzureMLStage, emulator: EmulatorProcess) -> None:
    """Have Azure take as long as it says, by the flow's clock."""
    real = cast("RealMover", stage.mover)
    scale = float(emulator.options[emulator.options.index("--time-scale") + 1])
    punctual = PunctualMover(real.mover, real.ask, clock=stage.now, scale=scale)
    stage.mover = cast("Any", punctual)
