"""Redeploys of AML v2 online endpoints, blue/green: what runs is left alone until the new is proven.

The new deployment has the same spec but for what is changed, and a name made of the redeploy's id, so
that it is made once. It gets no traffic; golden requests reach it by name. Traffic then follows in
steps, by PUT of the endpoint, the only way there is. A restart is a new deployment of the same. The
endpoint shows at once what its traffic is to be: it is so when the provisioning state is Succeeded.
Source: learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from shared.clients.arm import Arm
from shared.clients.lenient_json import as_object, text, texts
from shared.clients.online_resources import OnlineResources, Resource
from shared.clients.online_rollout import (
    ALL,
    deployment_name,
    divided,
    live_of,
    next_share,
    refusing,
    share_of,
    snapshot_of,
    successor,
    told,
    traffic_of,
)
from shared.clients.redaction import redact, without_settings
from shared.errors import AzureRequestError, ChangedByOthersError
from shared.scoring.redeploy.mover import (
    NOTHING_LEFT,
    Change,
    Completion,
    Marker,
    Phase,
    PlatformState,
    Progress,
    Snapshot,
)
from shared.scoring.service import Service

DEPLOYMENT_HEADER: Final = "azureml-model-deployment"
_SUCCEEDED: Final = "Succeeded"
_DELETING: Final = "Deleting"
_OVER: Final = frozenset({_SUCCEEDED, "Failed", "Canceled"})


class OnlineMover:
    """Satisfies shared.scoring.redeploy.mover.Mover for kind aml-online.

    `keeps_old`: whether the old deployment stays, at no traffic, once the new one has it all. By
    default it is deleted, for its machines cost as much as ever.
    """

    def __init__(self, arm: Arm, *, now: Callable[[], datetime], keeps_old: bool = False) -> None:
        self._resources = OnlineResources(arm, now=now)
        self._keeps_old = keeps_old

    async def snapshot(self, service: Service) -> Snapshot:
        """Look at the traffic, and at the one deployment that has all of it.

        `image` is empty: what runs keeps running, so no tag that moved can keep it from coming
        back. The spec itself is not recorded, for its environment variables may be secret.
        """
        if service.resource_id is None:
            return refusing("its resource_id is not declared, so Azure cannot be asked about it")
        endpoint = await self._resources.get(service.resource_id)
        shares = endpoint.traffic
        if list(shares.values()) != [ALL]:
            return refusing(
                f"its traffic is {told(shares)}: only an endpoint where one deployment has all of "
                "it is redeployed"
            )
        if endpoint.state != _SUCCEEDED:
            return refusing(f"the endpoint is {endpoint.state}")
        (live,) = shares
        return snapshot_of(await self._resources.get(_deployment(service, live)), shares)

    async def change(
        self, service: Service, change: Change, *, snapshot: Snapshot, marker: Marker
    ) -> None:
        """PUT the new deployment, unless it is there."""
        path = _deployment(service, deployment_name(marker))
        if await self._resources.find(path) is not None:
            return
        live = await self._resources.find(_deployment(service, live_of(snapshot)))
        if live is None:
            problem = f"{live_of(snapshot)} is not there"
            raise AzureRequestError(problem, status=HTTPStatus.NOT_FOUND, retryable=True)
        await self._resources.put(path, successor(live, change, marker))

    async def platform_state(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, undone: bool
    ) -> PlatformState:
        """Look at the new deployment's provisioning state, or whether all is as it was.

        Where nothing is found it is looked again, as long as a deployment may take.
        """
        if undone:
            return await self._state_of_undoing(service, snapshot, marker)
        found = await self._resources.find(_deployment(service, deployment_name(marker)))
        if found is None:
            said = f"{deployment_name(marker)} is not there"
            return PlatformState(phase=Phase.WAITING, reason="NotFound", text=said)
        if found.state not in _OVER:
            return PlatformState(phase=Phase.WAITING, reason=found.state)
        if found.state == _SUCCEEDED:
            return PlatformState(phase=Phase.READY, reason=found.state)
        return await self._failure(found)

    def proof_headers(self, *, snapshot: Snapshot, marker: Marker, share: int) -> Mapping[str, str]:
        """Lead golden requests to the new deployment, until all of the traffic is to go there.

        From then on it is asked as its users ask: what the endpoint makes of it is proven, too.
        """
        del snapshot
        return {} if share == ALL else {DEPLOYMENT_HEADER: deployment_name(marker)}

    async def complete(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, proven: int
    ) -> Completion:
        """Give the new deployment its next share; once all of it is proven, delete the old one.

        Done is when the old one was seen gone. Until its deletion is under way, the endpoint is
        looked at: nothing is deleted that somebody gave traffic to.

        Raises AzureRequestError, in Azure's words, where the endpoint failed to divide its traffic.
        """
        old, new = live_of(snapshot), deployment_name(marker)
        leaving = await self._leaving(service, old) if proven == ALL else None
        return leaving or await self._go_on(service, old=old, new=new, proven=proven)

    async def _go_on(self, service: Service, *, old: str, new: str, proven: int) -> Completion:
        endpoint = await self._resources.find(_endpoint(service))
        if endpoint is None:
            return _moving("the endpoint is not there")
        if endpoint.state not in _OVER:
            return _moving(f"the endpoint is {endpoint.state}: {told(endpoint.traffic)}")
        if endpoint.state != _SUCCEEDED:
            raise AzureRequestError(await self._why_failed(endpoint), status=None)
        share = share_of(new, endpoint.traffic, old=old, proven=proven)
        if share > proven:
            text = f"{share} % of the traffic goes to {new}"
            return Completion(progress=Progress.LANDED, share=share, text=text)
        if share == ALL:
            return await self._retire(service, old)
        wanted = next_share(share)
        await self._divide(endpoint, divided(wanted, old=old, new=new))
        return _moving(f"{wanted} % of the traffic is asked for")

    async def undo(self, service: Service, *, snapshot: Snapshot, marker: Marker) -> None:
        """Bring the traffic back, then delete the new deployment.

        Azure takes a while over traffic, and deletes nothing that has some: meanwhile this raises
        an error that says to ask again. Of an endpoint that failed nobody knows who has the
        traffic, whatever it shows: it is asked for again. Traffic that goes to a third deployment
        was divided by somebody else, and stays so.
        """
        endpoint = await self._resources.get(_endpoint(service))
        if endpoint.state not in _OVER:
            raise _again(f"the endpoint is {endpoint.state}")
        self._require_ours(endpoint, snapshot, marker)
        if endpoint.state != _SUCCEEDED or endpoint.traffic != traffic_of(snapshot):
            await self._require_old(service, snapshot)
            failed = endpoint.state != _SUCCEEDED
            why = f", for {await self._why_failed(endpoint)}" if failed else ""
            await self._divide(endpoint, traffic_of(snapshot))
            raise _again(f"traffic goes back to {live_of(snapshot)}{why}")
        new = deployment_name(marker)
        found = (await self._resources.deployments(_endpoint(service))).get(new)
        if found is not None and found.state != _DELETING:
            await self._resources.delete(found.path)

    async def _divide(self, endpoint: Resource, traffic: Mapping[str, int]) -> None:
        body = endpoint.rewritten(traffic=dict(traffic))
        identity = as_object(endpoint.body.get("identity"))
        assigned = as_object(identity.get("userAssignedIdentities"))
        wanted: dict[str, Any] = {"type": text(identity, "type") or "SystemAssigned"}
        if assigned:
            wanted["userAssignedIdentities"] = {each: {} for each in assigned}
        await self._resources.put(endpoint.path, body | {"identity": wanted})

    def _require_ours(self, endpoint: Resource, snapshot: Snapshot, marker: Marker) -> None:
        ours = {live_of(snapshot), deployment_name(marker)}
        if not endpoint.traffic.keys() <= ours:
            problem = f"somebody else divided its traffic meanwhile ({told(endpoint.traffic)})"
            stays = f"it stays so, and {deployment_name(marker)} stays, too"
            raise ChangedByOthersError(f"{problem}: {stays}")

    async def _require_old(self, service: Service, snapshot: Snapshot) -> None:
        old = await self._resources.find(_deployment(service, live_of(snapshot)))
        if old is None or old.state == _DELETING:
            problem = f"{live_of(snapshot)} is gone, so traffic cannot go back to it"
            raise AzureRequestError(problem, status=None)

    async def _leaving(self, service: Service, old: str) -> Completion | None:
        """Return how far the old deployment's deletion is; None: it is to be asked for."""
        if self._keeps_old:
            return None
        try:
            found = (await self._resources.deployments(_endpoint(service))).get(old)
        except AzureRequestError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                # Of an endpoint that is not there: that is looked at next.
                return None
            if error.retryable:
                raise
            said = f"{old} was not seen to be gone, and may cost on: {error}"
            return Completion(progress=Progress.DONE, text=said)
        if found is None:
            return NOTHING_LEFT
        if found.state != _DELETING:
            return None
        return _clearing(f"{old} is being deleted, and costs on until it is gone")

    async def _retire(self, service: Service, old: str) -> Completion:
        """Delete the old deployment. What is new is proven: it is not undone for want of this."""
        if self._keeps_old:
            return NOTHING_LEFT
        try:
            await self._resources.delete(_deployment(service, old))
        except AzureRequestError as error:
            said = f"{old} stays, without traffic, and costs on: {error}"
            progress = Progress.CLEARING if error.retryable else Progress.DONE
            return Completion(progress=progress, text=said)
        return _clearing(f"{old} is asked to go, and costs on until it is gone")

    async def _state_of_undoing(
        self, service: Service, snapshot: Snapshot, marker: Marker
    ) -> PlatformState:
        endpoint = await self._resources.get(_endpoint(service))
        shares = endpoint.traffic
        if endpoint.state in _OVER and endpoint.state != _SUCCEEDED:
            said = await self._why_failed(endpoint)
            return PlatformState(phase=Phase.FAILED, reason=endpoint.state, text=said)
        if endpoint.state != _SUCCEEDED or shares != traffic_of(snapshot):
            said = f"the endpoint is {endpoint.state}, its traffic {told(shares)}"
            return PlatformState(phase=Phase.WAITING, reason=endpoint.state, text=said)
        new = (await self._resources.deployments(endpoint.path)).get(deployment_name(marker))
        if new is not None:
            return PlatformState(phase=Phase.WAITING, text=f"the new deployment is {new.state}")
        return PlatformState(phase=Phase.READY, text=f"all traffic goes to {live_of(snapshot)}")

    async def _why_failed(self, endpoint: Resource) -> str:
        """Return what Azure says of an endpoint that did not divide its traffic."""
        said = " ".join(filter(None, await self._resources.why_failed(endpoint)))
        text = f"the endpoint is {endpoint.state}, its traffic to be {told(endpoint.traffic)}"
        return f"{text}: {redact(said)}" if said else text

    async def _failure(self, failed: Resource) -> PlatformState:
        code, message = await self._resources.why_failed(failed)
        settings = texts(failed.inner.get("environmentVariables"))
        said = without_settings(await self._resources.log_tail(failed.path), settings)
        return PlatformState(
            phase=Phase.FAILED,
            reason=code or failed.state,
            text=message or f"its provisioning state is {failed.state}",
            evidence=[redact(line) for line in said.splitlines() if line.strip()],
        )


def _endpoint(service: Service) -> str:
    if service.resource_id is None:
        raise AzureRequestError(f"{service.name} declares no resource_id", status=None)
    return service.resource_id


def _deployment(service: Service, name: str) -> str:
    return f"{_endpoint(service)}/deployments/{name}"


def _moving(said: str) -> Completion:
    return Completion(progress=Progress.MOVING, text=said)


def _clearing(said: str) -> Completion:
    return Completion(progress=Progress.CLEARING, text=said)


def _again(problem: str) -> AzureRequestError:
    return AzureRequestError(problem, status=HTTPStatus.CONFLICT, retryable=True)
