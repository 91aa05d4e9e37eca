"""Redeploys of AML v1 web services through azureml-core: another image, another model, or a restart.

Sunset: support of SDK v1 ended on 30 June 2026; `GET /api/scoring/v1-sunset` lists what is left. v1
changes a service where it stands and rolls nothing back, so undoing is an update to what was there. It has
no restart: the nearest is an update of a property, and Azure does not say whether containers start anew.
Every update carries the redeploy's id as a property, by which it is known again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from shared.clients import azureml_updates
from shared.clients.azureml_sdk import Work
from shared.clients.azureml_updates import LiveService, Update
from shared.clients.redaction import redact
from shared.clients.web_services_v1 import Result, WebServicesV1Client
from shared.errors import AzureRequestError, ChangedByOthersError, MissingRightError
from shared.scoring.redeploy.mover import (
    CHANGED_BY_OTHERS,
    Change,
    ChangeKind,
    Marker,
    Phase,
    PlatformState,
    ServesAllAtOnce,
    Snapshot,
)
from shared.scoring.service import Service

MADE: Final = "redeploy_id"
UNDONE: Final = "redeploy_undone"
# A step of a redeploy ends within 60 s; the SDK itself takes some to be loaded.
SECONDS: Final = 45
_SERVICES: Final = "Microsoft.MachineLearningServices/workspaces/services"
_RUNNING: Final = frozenset({"NotStarted", "Running"})
_BROKEN: Final = frozenset({"Failed", "Unschedulable"})
_MAYBE_STARTED_ANEW: Final = "Azure does not say whether its containers were started anew"


class WebServiceV1Mover(ServesAllAtOnce):
    """Satisfies shared.scoring.redeploy.mover.Mover for kind aml-v1."""

    def __init__(self, client: WebServicesV1Client, *, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now

    async def snapshot(self, service: Service) -> Snapshot:
        """Look at the image, or the models. A registered image is a version: it cannot move."""
        if service.resource_id is None:
            return _refusing("its resource_id is not declared, so Azure cannot be asked about it")
        live = await self._look(service)
        if _is_at_work(live):
            return _refusing("Azure is updating it")
        return Snapshot(
            image=live.image if live.digest else "",
            digest=live.digest,
            details={
                "image": live.image,
                "models": list(live.models),
                "environment": live.environment,
                "runs_on": live.runs_on,
                "state": live.state,
            },
            refuses=_not_possible(live),
        )

    async def change(
        self, service: Service, change: Change, *, snapshot: Snapshot, marker: Marker
    ) -> None:
        """Send the update, unless its property is there."""
        del snapshot
        live = await self._look(service)
        if live.properties.get(MADE) == marker.redeploy_id:
            return
        _require_rest(live)
        wanted = Update(
            properties={MADE: marker.redeploy_id},
            # A registered image is a version: a digest behind it, as healing orders it, says no more.
            image=change.target.partition("@")[0] if change.kind is ChangeKind.IMAGE else "",
            models=_other_models(live, change) if change.kind is ChangeKind.MODEL else (),
        )
        await self._update(service, wanted, live)

    async def platform_state(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, undone: bool
    ) -> PlatformState:
        """Look at the last operation, then at the service's own state."""
        live = await self._look(service)
        arrived = (
            _is_as_before(live, snapshot)
            if undone
            else live.properties.get(MADE) == marker.redeploy_id
        )
        if _is_at_work(live) or not arrived:
            return PlatformState(phase=Phase.WAITING, reason=live.operation or live.state)
        if not _is_known(live, snapshot, marker):
            said = f"somebody else gave it {_told(live)} in the meantime"
            return PlatformState(phase=Phase.FAILED, reason=CHANGED_BY_OTHERS, text=said)
        if live.state == "Healthy" and (undone or live.operation in {"", "Succeeded"}):
            said = "" if undone or not _is_as_before(live, snapshot) else _MAYBE_STARTED_ANEW
            return PlatformState(
                phase=Phase.READY, reason=live.state, text=said, digest=live.digest
            )
        if live.operation in {"", "Succeeded"} and live.state not in _BROKEN:
            return PlatformState(phase=Phase.WAITING, reason=live.state, digest=live.digest)
        return await self._failure(service, live)

    async def undo(self, service: Service, *, snapshot: Snapshot, marker: Marker) -> None:
        """Send an update to what was there. Raises a retryable error while another is at work.

        Nothing can be done before that has ended: Azure answers 409 to whatever is asked of the
        service meanwhile, its deletion too
        (learn.microsoft.com/azure/machine-learning/v1/how-to-deploy-update-web-service).
        """
        live = await self._look(service)
        if _is_as_before(live, snapshot) and not _is_at_work(live):
            return
        if _is_at_work(live):
            problem = _held(live, snapshot)
            raise AzureRequestError(problem, status=HTTPStatus.CONFLICT, retryable=True)
        if not _is_known(live, snapshot, marker):
            raise ChangedByOthersError(f"somebody else gave it {_told(live)} meanwhile: that stays")
        models = _recorded_models(snapshot)
        image = snapshot.details.get("image")
        wanted = Update(
            properties={UNDONE: marker.redeploy_id},
            image=str(image or ""),
            models=models,
        )
        await self._update(service, wanted, live)

    async def _failure(self, service: Service, live: LiveService) -> PlatformState:
        try:
            lines = await self._work_on(service, azureml_updates.tail_of_logs, needs="read")
        except AzureRequestError:
            lines = ()
        return PlatformState(
            phase=Phase.FAILED,
            reason=redact(live.code) or live.state,
            text=redact(live.message) or f"its state is {live.state}",
            digest=live.digest,
            evidence=[redact(line) for line in lines if line.strip()],
        )

    async def _look(self, service: Service) -> LiveService:
        return await self._work_on(service, azureml_updates.look, needs="read")

    async def _update(self, service: Service, wanted: Update, live: LiveService) -> None:
        await self._work_on(service, wanted, needs=f"{live.runs_on.lower()}/write")

    async def _work_on(self, service: Service, work: Work[Result], *, needs: str) -> Result:
        deadline = self._now() + timedelta(seconds=SECONDS)
        resource_id = service.resource_id or ""
        try:
            return await self._client.work_on(resource_id, work, deadline=deadline)
        except AzureRequestError as error:
            if error.status == HTTPStatus.FORBIDDEN:
                raise MissingRightError(f"{_SERVICES}/{needs}", on=resource_id) from None
            if error.status == HTTPStatus.CONFLICT:
                # Maybe our own, sent again by the SDK after its answer was lost: look, then decide.
                raise _busy(str(error)) from None
            raise


def _refusing(reason: str) -> Snapshot:
    return Snapshot(image="", digest=None, refuses=dict.fromkeys(ChangeKind, reason))


def _not_possible(live: LiveService) -> dict[ChangeKind, str]:
    if live.models:
        reason = "image: it was made of models and an environment, which no image replaces"
        return {ChangeKind.IMAGE: reason}
    if live.image:
        return {ChangeKind.MODEL: "model: its models are in its image; give another image"}
    reason = "Azure tells neither its image nor its models, so it could not be brought back"
    return {ChangeKind.IMAGE: reason, ChangeKind.MODEL: reason}


def _is_at_work(live: LiveService) -> bool:
    return live.state == "Transitioning" or live.operation in _RUNNING


def _require_rest(live: LiveService) -> None:
    if _is_at_work(live):
        raise _busy(live.operation or live.state)


def _busy(said: str) -> AzureRequestError:
    problem = f"Azure is updating it: {said}"
    return AzureRequestError(problem, status=HTTPStatus.CONFLICT, retryable=True)


def _held(live: LiveService, snapshot: Snapshot) -> str:
    """Say that Azure still holds the update, and what a human can do."""
    before = snapshot.details.get("image") or ", ".join(_recorded_models(snapshot))
    return (
        f"Azure still holds the update ({live.operation or live.state}), and until that ends takes "
        "no other for the service, nor a deletion. By hand: look why it does not end (logs; on AKS "
        f"the pods); when it has ended, redeploy {before}; if it never does, make the service anew "
        "under another name and ask Azure's support about this one"
    )


def _is_known(live: LiveService, snapshot: Snapshot, marker: Marker) -> bool:
    """Whether it has what it had before, or what the redeploy gave it."""
    if marker.change is None or _is_as_before(live, snapshot):
        return True
    image = marker.made(ChangeKind.IMAGE).partition("@")[0]
    return (bool(image) and live.image == image) or marker.made(ChangeKind.MODEL) in live.models


def _told(live: LiveService) -> str:
    return live.image or ", ".join(live.models) or "no image and no model"


def _is_as_before(live: LiveService, snapshot: Snapshot) -> bool:
    before = (snapshot.details.get("image"), _recorded_models(snapshot))
    return (live.image, live.models) == before


def _recorded_models(snapshot: Snapshot) -> tuple[str, ...]:
    recorded = snapshot.details.get("models")
    return tuple(str(each) for each in recorded) if isinstance(recorded, list) else ()


def _other_models(live: LiveService, change: Change) -> tuple[str, ...]:
    """Return its models, the one of the target's name in the target's version."""
    name = change.target.partition(":")[0]
    names = [each.partition(":")[0] for each in live.models]
    if len(live.models) == 1:
        return (change.target,)
    if name not in names:
        problem = f"it has {len(live.models)} models, and none of them is called {name}"
        raise AzureRequestError(problem, status=None)
    same = zip(names, live.models, strict=True)
    return tuple(change.target if each == name else model for each, model in same)
