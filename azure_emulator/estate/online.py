"""How online endpoints change: deployments made, changed and deleted, traffic divided anew.

Changes are accepted first and complete later. What traffic is to be is shown at once and holds once
the endpoint has Succeeded; where it fails, traffic stays as it was, whatever is shown.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from azure_emulator.answers import AzureError
from azure_emulator.estate.operations import Operation, Operations
from azure_emulator.estate.scoring import OnlineEndpoint
from azure_emulator.estate.timeline import Timeline
from azure_emulator.scoring_seed import (
    ALL_TRAFFIC,
    OnlineDeploymentSeed,
    ScoringBehaviour,
)

DELETE_SECONDS = 30.0
_BUSY = frozenset({"Creating", "Updating", "Scaling", "Deleting"})
_USELESS = frozenset({"Creating", "Failed", "Deleting", "Canceled"})
_NOT_THERE_YET = {"behaviour": ScoringBehaviour(no_replicas=True)}


class OnlineEndpoints:
    """The rules of the resource provider for endpoints, driven by the timeline."""

    def __init__(self, timeline: Timeline, operations: Operations) -> None:
        self._timeline = timeline
        self._operations = operations
        # By deployment: what was begun last is all that may still change it.
        self._latest: dict[tuple[str, str], Operation] = {}

    def make(self, endpoint: OnlineEndpoint) -> Operation:
        """Let a new endpoint become Succeeded."""
        operation = self._begin(endpoint, "oeidp")
        end = partial(self._updated, endpoint, operation)
        self._timeline.after(endpoint.seed.update_seconds, end)
        return operation

    def delete(self, endpoint: OnlineEndpoint, *, then: Callable[[], None]) -> Operation:
        """Begin to delete an endpoint with all its deployments. Raises AzureError 409 while busy."""
        _require_idle(endpoint.seed.name, endpoint.seed.provisioning_state)
        endpoint.seed = endpoint.seed.model_copy(update={"provisioning_state": "Deleting"})
        operation = self._begin(endpoint, "oed")

        def end(_at: float) -> None:
            then()
            operation.succeed()

        self._timeline.after(DELETE_SECONDS, end)
        return operation

    def done(self, endpoint: OnlineEndpoint) -> Operation:
        """An operation on an endpoint that is complete already."""
        prefix = f"oerk:{endpoint.guid}:"
        done = self._operations.begin_on(endpoint.id, location=endpoint.location, prefix=prefix)
        done.succeed()
        return done

    def put_deployment(self, endpoint: OnlineEndpoint, wanted: OnlineDeploymentSeed) -> Operation:
        """Make a deployment, or change one. Raises AzureError 409 while it is being changed."""
        present = endpoint.deployments.get(wanted.name.lower())
        if present is not None:
            _require_idle(present.name, present.provisioning_state)
        content, outcome = _what_becomes_of(endpoint, wanted)
        # A new one has no replicas yet; one that is changed answers as before.
        until_then = present.content() if present else _NOT_THERE_YET
        state = "Updating" if present else "Creating"
        _keep(endpoint, wanted, until_then | {"provisioning_state": state})
        operation = self._begin(endpoint, "odidp", of=wanted.name)
        if outcome != "never_ends":
            made = wanted.model_copy(update={**content, "provisioning_state": "Succeeded"})
            failed = made.model_copy(update={**_NOT_THERE_YET, "provisioning_state": "Failed"})
            end = partial(
                self._provisioned, endpoint, failed if outcome == "fails" else made, operation
            )
            self._timeline.after(endpoint.seed.provisioning_seconds, end)
        return operation

    def scale(
        self, endpoint: OnlineEndpoint, present: OnlineDeploymentSeed, changes: Mapping[str, Any]
    ) -> Operation:
        """Change how many instances there are, or tags; it answers on. Raises AzureError 409."""
        _require_idle(present.name, present.provisioning_state)
        _keep(endpoint, present, {**changes, "provisioning_state": "Scaling"})
        operation = self._begin(endpoint, "odidp", of=present.name)
        scaled = present.model_copy(update={**changes, "provisioning_state": "Succeeded"})
        end = partial(self._provisioned, endpoint, scaled, operation)
        self._timeline.after(endpoint.seed.provisioning_seconds, end)
        return operation

    def delete_deployment(self, endpoint: OnlineEndpoint, name: str) -> Operation:
        """Begin to delete a deployment that is there. Raises AzureError 400 while it has traffic."""
        deployment = endpoint.deployments[name.lower()]
        if endpoint.traffic.get(name.lower()) or endpoint.shares.get(name.lower()):
            message = f"Deployment {deployment.name} receives traffic: set it to 0 first."
            raise AzureError(400, "BadRequest", message)
        _keep(endpoint, deployment, {"provisioning_state": "Deleting"})
        operation = self._begin(endpoint, "oddp", of=name)
        self._timeline.after(DELETE_SECONDS, partial(self._deleted, endpoint, name, operation))
        return operation

    def update(
        self, endpoint: OnlineEndpoint, traffic: Mapping[str, int], changes: Mapping[str, Any]
    ) -> Operation:
        """Divide traffic anew and change what else the seed says. Raises AzureError 400 or 409."""
        _require_idle(endpoint.seed.name, endpoint.seed.provisioning_state)
        shares = {name.lower(): share for name, share in traffic.items()}
        _require_takers(endpoint, shares)
        outcome, *later = endpoint.seed.updates or ("succeeds",)
        endpoint.seed = endpoint.seed.model_copy(
            update={**changes, "provisioning_state": "Updating", "updates": tuple(later)}
        )
        endpoint.traffic = shares
        operation = self._begin(endpoint, "oeidp")
        if outcome != "never_ends":
            end = self._update_failed if outcome == "fails" else self._updated
            self._timeline.after(endpoint.seed.update_seconds, partial(end, endpoint, operation))
        return operation

    def _begin(self, endpoint: OnlineEndpoint, kind: str, *, of: str = "") -> Operation:
        prefix = f"{kind}:{endpoint.guid}:"
        begun = self._operations.begin_on(endpoint.id, location=endpoint.location, prefix=prefix)
        before = self._latest.get((endpoint.id, of.lower()))
        if before is not None and before.status == "InProgress":
            before.status = "Canceled"
        self._latest[endpoint.id, of.lower()] = begun
        return begun

    def _provisioned(
        self,
        endpoint: OnlineEndpoint,
        outcome: OnlineDeploymentSeed,
        operation: Operation,
        _at: float,
    ) -> None:
        if operation.status == "Canceled":
            return
        _keep(endpoint, outcome, {})
        if outcome.provisioning_state == "Succeeded":
            operation.succeed()
        else:
            operation.fail("ResourceNotReady", "User container has crashed or terminated.")

    def _deleted(
        self, endpoint: OnlineEndpoint, name: str, operation: Operation, _at: float
    ) -> None:
        endpoint.deployments.pop(name.lower(), None)
        operation.succeed()

    def _updated(self, endpoint: OnlineEndpoint, operation: Operation, _at: float) -> None:
        endpoint.shares = endpoint.traffic
        endpoint.seed = endpoint.seed.model_copy(update={"provisioning_state": "Succeeded"})
        operation.succeed()

    def _update_failed(self, endpoint: OnlineEndpoint, operation: Operation, _at: float) -> None:
        endpoint.seed = endpoint.seed.model_copy(update={"provisioning_state": "Failed"})
        operation.fail("InternalServerError", "The traffic could not be divided.")


def _what_becomes_of(
    endpoint: OnlineEndpoint, wanted: OnlineDeploymentSeed
) -> tuple[Mapping[str, Any], str]:
    """What will answer, and how provisioning ends.

    It is what the seed says of the model or environment, or what answers in a deployment of the
    same; what nobody knows does not start.
    """
    asset = endpoint.asset_of(wanted)
    if asset is not None:
        return asset.content(), asset.provisioning
    same = (wanted.model, wanted.environment)
    for each in endpoint.deployments.values():
        if (each.model, each.environment) == same and each.provisioning_state == "Succeeded":
            return each.content(), "succeeds"
    return {}, "fails"


def _keep(
    endpoint: OnlineEndpoint, deployment: OnlineDeploymentSeed, changes: Mapping[str, Any]
) -> None:
    endpoint.deployments[deployment.name.lower()] = deployment.model_copy(update=changes)


def _require_idle(name: str, state: str) -> None:
    if state in _BUSY:
        raise AzureError(409, "Conflict", f"{name} is {state}; try again later.")


def _require_takers(endpoint: OnlineEndpoint, shares: Mapping[str, int]) -> None:
    """Raise AzureError 400 unless all traffic, or none, goes to deployments that work."""
    if sum(shares.values()) not in {0, ALL_TRAFFIC} or min(shares.values(), default=0) < 0:
        raise AzureError(400, "BadRequest", "The sum of traffic must be 100, or 0.")
    for name, share in shares.items():
        found = endpoint.deployments.get(name)
        if found is None or (share and found.provisioning_state in _USELESS):
            message = f"Traffic goes to {name}, which is not there or does not work."
            raise AzureError(400, "BadRequest", message)
