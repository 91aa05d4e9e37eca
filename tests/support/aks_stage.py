"""Redeploys of the whole flow on the emulated cluster: its time is real, the flow's is simulated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from shared.clients.aks import AksMover
from shared.scoring.redeploy.mover import Marker, PlatformState, Snapshot
from shared.scoring.redeploy.steps import Steps
from shared.scoring.service import Kind, Service
from tests.support.aks import settled
from tests.support.kubernetes import CLUSTER, Kubernetes
from tests.support.redeploy_stage import Life, Mortal, RedeployStage
from tests.support.scoring_builders import a_subject
from tests.support.scripted import Asked, Scripted


@dataclass
class RealMover:
    """The mover of AKS; it is asked for a state until the platform is sure."""

    mover: AksMover
    kubernetes: Kubernetes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.mover, name)

    async def platform_state(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, undone: bool
    ) -> PlatformState:
        return await settled(self.mover, snapshot, undone=undone, service=service, marker=marker)

    def answer(self, _name: str, asked: Asked) -> Scripted:
        """What the Deployment answers now."""
        reply = self.kubernetes.ask(asked.target)
        return Scripted(status=reply.status, body=reply.body)


def open_stage(mover: AksMover, kubernetes: Kubernetes) -> AksStage:
    """A stage whose service is the Deployment `weight`."""
    stage = AksStage(mover=cast("Any", RealMover(mover, kubernetes)))
    aks = {"deployment": "weight"}
    stage.subjects["weight"] = a_subject("weight", kind="aks", resource_id=CLUSTER, aks=aks)
    return stage


class AksStage(RedeployStage):
    """Its workers die in the hands of the mover alone: the other ports are tried elsewhere."""

    def worker(self, life: Life | None = None) -> Steps:
        steps = super().worker()
        mover = cast("Any", Mortal(self.mover, life or Life()))
        return replace(steps, hands=replace(steps.hands, movers={Kind.AKS: mover}))
