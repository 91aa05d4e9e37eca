"""Redeploys of the whole flow on an emulated container group: its time is real, the flow's simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from shared.clients.container_groups import AciMover
from shared.scoring.redeploy.steps import Steps
from shared.scoring.redeploy.surroundings import Surroundings
from shared.scoring.service import Kind
from tests.support.container_groups import GROUP_ID, seen
from tests.support.emulator import EmulatorProcess
from tests.support.real_mover import RealMover
from tests.support.redeploy_stage import Life, Mortal, RedeployStage
from tests.support.scoring_builders import a_subject
from tests.support.scripted import Asked, Scripted


class MortalInEffects(Mortal):
    """Its worker may die before and after every call but looks, which are many and change nothing."""

    def __getattr__(self, name: str) -> Any:
        looks = name == "platform_state"
        return getattr(self.port, name) if looks else super().__getattr__(name)


class GroupStage(RedeployStage):
    """Its workers die in the hands of the mover alone: the other ports are tried elsewhere."""

    def worker(self, life: Life | None = None) -> Steps:
        steps = super().worker()
        mover = cast("Any", MortalInEffects(self.mover, life or Life()))
        return replace(steps, hands=replace(steps.hands, movers={Kind.ACI: mover}))

    def _surroundings(self, life: Life) -> Surroundings:
        return replace(super()._surroundings(life), movable={Kind.ACI})


def open_stage(
    mover: AciMover, emulator: EmulatorProcess, aci: Mapping[str, Any] | None = None
) -> GroupStage:
    """A stage whose service is the container group."""

    def ask(asked: Asked) -> Scripted:
        reply = emulator.wire.get(f"{seen(emulator)['url']}{asked.target}")
        return Scripted(status=reply.status, body=reply.body)

    stage = GroupStage(mover=cast("Any", RealMover(mover, ask)))
    stage.subjects["weight"] = a_subject("weight", kind="aci", resource_id=GROUP_ID, aci=aci)
    return stage
