"""Open what redeploys need: their records and queue, who moves services, and who proves them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.clients.aks import AksMover
from shared.clients.container_groups import AciMover
from shared.clients.image_versions import ImageVersionsClient
from shared.clients.kubernetes_access import KubernetesAccess
from shared.clients.model_files import ModelFilesClient
from shared.clients.online_mover import OnlineMover
from shared.clients.redeploy_store import RedeployStoreClient
from shared.clients.registry import RegistryClient
from shared.clients.step_queue import StepQueueClient
from shared.clients.web_services_mover_v1 import WebServiceV1Mover
from shared.health_checks import HealthChecks, Parts
from shared.scoring.examination import Subject
from shared.scoring.redeploy.carrying_out import Hands
from shared.scoring.redeploy.ending import Ending
from shared.scoring.redeploy.gate import Allowance
from shared.scoring.redeploy.model_looks import ModelLooks
from shared.scoring.redeploy.mover import Mover
from shared.scoring.redeploy.opening import Opening
from shared.scoring.redeploy.requests import RedeployRequests
from shared.scoring.redeploy.self_healing import SelfHealing, may_be_touched
from shared.scoring.redeploy.steps import Steps
from shared.scoring.redeploy.surroundings import Surroundings
from shared.scoring.redeploy.tag_following import TagFollowing, follows_tag
from shared.scoring.roster import Roster, RosterSource
from shared.scoring.service import Kind
from shared.worker import now


def movers(parts: Parts) -> Mapping[Kind, Mover]:
    """Return who moves services, by kind; a kind that is not there is refused by the gate."""
    sources = parts.sources
    groups = AciMover(
        parts.arm, get_secret=sources.get_secret, own_secrets=sources.own_secrets, now=now
    )
    clusters = KubernetesAccess(parts.arm, credential=parts.credential, now=now)
    return {
        Kind.ACI: groups,
        Kind.AKS: AksMover(clusters.open),
        Kind.AML_ONLINE: OnlineMover(parts.arm, now=now),
        Kind.AML_V1: WebServiceV1Mover(parts.web_services, now=now),
    }


@dataclass(frozen=True, kw_only=True)
class Redeploying:
    """What it opens for one invocation."""

    checks: HealthChecks

    @asynccontextmanager
    async def open_requests(self) -> AsyncIterator[RedeployRequests]:
        """Open what answers about redeploys need."""
        async with self.checks.open_parts() as parts:
            yield RedeployRequests(
                opening=await self._opening(parts),
                find=_Finder(parts.roster).find,
                now=now,
                trusts_sign_in=self.checks.worker.settings.sign_in,
            )

    async def care(self) -> None:
        """Bring back what was lost, begin what services need by themselves, forget what is old."""
        worker = self.checks.worker
        async with self.open_steps() as steps:
            await steps.revive()
            kept = timedelta(days=worker.settings.history_days)
            await steps.redeploys.prune(before=now() - kept)
        async with self.checks.open_parts() as parts:
            # Only a file can ask for care, so that Azure is not listed for nothing.
            declared = (await replace(parts.roster, discovery=None).load()).subjects
            if any(map(may_be_touched, declared)) or any(map(follows_tag, declared)):
                await self._care_for((await parts.roster.load()).subjects, parts)

    async def _care_for(self, subjects: Sequence[Subject], parts: Parts) -> None:
        opening, worker = await self._opening(parts), self.checks.worker
        healing = SelfHealing(opening=opening, telemetry=worker.telemetry, now=now)
        await healing.care(subjects)
        # Last, since it raises for those that could not be followed.
        following = TagFollowing(
            opening=opening,
            movers=movers(parts),
            tags=self._registry(parts),
            now=now,
        )
        await following.follow(subjects)

    @asynccontextmanager
    async def open_steps(self) -> AsyncIterator[Steps]:
        """Open what carries out steps."""
        async with self.checks.open_parts() as parts:
            opening = await self._opening(parts)
            telemetry = self.checks.worker.telemetry
            yield Steps(
                redeploys=opening.redeploys,
                queue=opening.queue,
                hands=Hands(
                    movers=movers(parts),
                    examiner=parts.examiner,
                    surroundings=opening.surroundings,
                    maintenance=parts.records.maintenance,
                    allowance=opening.allowance,
                    now=now,
                    models=self._models(parts),
                ),
                ending=Ending(
                    opening=opening,
                    maintenance=parts.records.maintenance,
                    find=_Finder(parts.roster).find,
                    telemetry=telemetry,
                    now=now,
                ),
                telemetry=telemetry,
                now=now,
            )

    def _models(self, parts: Parts) -> ModelLooks:
        suffix = self.checks.worker.settings.endpoints.storage_suffix
        images = ImageVersionsClient(parts.arm, configs=self._registry(parts), now=now)
        return ModelLooks(
            files=ModelFilesClient(
                parts.arm, credential=parts.credential, storage_suffix=suffix, now=now
            ),
            images=images,
        )

    def _registry(self, parts: Parts) -> RegistryClient:
        suffix = self.checks.worker.settings.endpoints.registry_suffix
        return RegistryClient(parts.credential, trusted_suffix=suffix)

    async def _opening(self, parts: Parts) -> Opening:
        enter = parts.stack.enter_async_context
        redeploys = await enter(RedeployStoreClient(parts.account))
        return Opening(
            redeploys=redeploys,
            queue=await enter(StepQueueClient(parts.account)),
            surroundings=Surroundings(
                records=parts.records, redeploys=redeploys, movable=movers(parts).keys()
            ),
            now=now,
            allowance=self._allowance(),
        )

    def _allowance(self) -> Allowance:
        settings = self.checks.worker.settings
        return Allowance(
            cooldown=timedelta(seconds=settings.redeploy_cooldown_seconds),
            budget=settings.redeploy_budget,
            breaker_share=settings.redeploy_breaker_share,
        )


@dataclass
class _Finder:
    """Finds services in the roster, which is read once."""

    source: RosterSource
    roster: Roster | None = None

    async def find(self, name: str) -> Subject | None:
        """Return a service; None if nobody looks after one of the name.

        Raises ServiceFileError while a part of the estate cannot be read: it may be there.
        """
        self.roster = self.roster or await self.source.load()
        return self.roster.find(name)
