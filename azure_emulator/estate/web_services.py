"""How v1 web services change, and go: an update is accepted first and complete later.

Until then what was there answers. What fails leaves nothing that answers, for v1 rolls nothing back.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from azure_emulator.answers import AzureError
from azure_emulator.estate.operations import Operation, Operations
from azure_emulator.estate.scoring import WebService
from azure_emulator.estate.timeline import Timeline
from azure_emulator.scoring_seed import ScoringBehaviour, WebServiceSeed

DELETE_SECONDS = 30.0
_NOBODY_ANSWERS = {"behaviour": ScoringBehaviour(no_replicas=True), "state": "Failed"}


class WebServices:
    """The rules of model management for updates, driven by the timeline."""

    def __init__(self, timeline: Timeline, operations: Operations) -> None:
        self._timeline = timeline
        self._operations = operations

    def update(self, service: WebService, changes: Mapping[str, Any]) -> Operation:
        """Begin an update. Raises AzureError 409 during another one.

        Source: learn.microsoft.com/azure/machine-learning/v1/how-to-deploy-update-web-service.
        """
        if service.seed.state in {"Transitioning", "Deleting"}:
            message = f"Service {service.seed.name} is {service.seed.state}; try again later."
            raise AzureError(409, "Conflict", message)
        wanted = service.seed.model_copy(update=dict(changes))
        if wanted.image != service.seed.image:
            digest = service.digests.setdefault(wanted.image, _digest(wanted.image))
            wanted = wanted.model_copy(update={"image_digest": digest})
        after, outcome = _what_becomes_of(service, wanted)
        service.seed = wanted.model_copy(update={"state": "Transitioning", "error": None})
        operation = self._operations.begin_on(service.id, location=service.location)
        service.operation_id = operation.id
        if outcome != "never_ends":
            end = partial(self._updated, service, after, operation)
            self._timeline.after(wanted.update_seconds, end)
        return operation

    def delete(self, service: WebService, *, then: Callable[[], None]) -> Operation:
        """Begin to delete a service: it answers until it is gone."""
        service.seed = service.seed.model_copy(update={"state": "Deleting"})
        operation = self._operations.begin_on(service.id, location=service.location)
        service.operation_id = operation.id

        def end(_at: float) -> None:
            then()
            operation.succeed()

        self._timeline.after(DELETE_SECONDS, end)
        return operation

    def done(self, service: WebService) -> Operation:
        """An operation on a service that is complete already."""
        operation = self._operations.begin_on(service.id, location=service.location)
        operation.succeed()
        return operation

    def _updated(
        self, service: WebService, after: WebServiceSeed, operation: Operation, _at: float
    ) -> None:
        if service.seed.state == "Deleting":
            operation.status = "Cancelled"
            return
        service.seed = after
        if after.state == "Healthy":
            operation.succeed()
        else:
            operation.fail("DeploymentTimedOut", "The deployment operation polling has TimedOut.")


def _digest(image: str | None) -> str | None:
    """An image's digest, where the seed names none: always the same."""
    return image and f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def _what_becomes_of(service: WebService, wanted: WebServiceSeed) -> tuple[WebServiceSeed, str]:
    """What it will be, and how the update ends; what nobody knows does not start."""
    good = {"state": "Healthy", "error": None}
    if (wanted.image, wanted.models) == (service.seed.image, service.seed.models):
        return wanted.model_copy(update=good), "succeeds"
    asset = service.asset_of(wanted)
    if asset is None or asset.provisioning == "fails":
        content = asset.content() if asset else {}
        return wanted.model_copy(update={**content, **_NOBODY_ANSWERS}), "fails"
    return wanted.model_copy(update={**asset.content(), **good}), asset.provisioning
