"""Online endpoints and their deployments as resources: read, written anew, taken away.

Source: Microsoft.MachineLearningServices 2025-12-01. A PUT is the whole resource, so what Azure
shows is sent back, but for what is Azure's own. Environment variables may be secret: a resource as
it was read is never kept, logged or told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from shared.clients.arm import Arm
from shared.clients.arm_answer import ArmAnswer
from shared.clients.lenient_json import as_object, count, text
from shared.errors import AzureRequestError, MissingRightError

# A step of a redeploy ends within 60 s, whatever Azure does.
SECONDS: Final = 40.0
_ACTIONS: Final = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
_LOG_LINES: Final = 10
_OPERATION: Final = "AzureAsyncOperationUri"
# What Azure says of a resource and does not want to be told.
_READ_ONLY: Final = frozenset({"provisioningState", "scoringUri", "swaggerUri", "keys"})
_DEPLOYMENT: Final = re.compile(r"/deployments(/[^/]+)?(/getLogs)?$")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as it was read. `state` is Azure's provisioning state."""

    path: str
    body: Mapping[str, Any] = field(repr=False)

    @property
    def inner(self) -> Mapping[str, Any]:
        return as_object(self.body.get("properties"))

    @property
    def state(self) -> str:
        return text(self.inner, "provisioningState")

    @property
    def traffic(self) -> Mapping[str, int]:
        """Percents by deployment in lower case, without those that have none."""
        found = as_object(self.inner.get("traffic"))
        shares = {name.lower(): count(found, name) or 0 for name in found}
        return {name: share for name, share in shares.items() if share}

    def rewritten(self, **properties: Any) -> dict[str, Any]:
        """Return the body of a PUT that changes these properties and nothing else."""
        inner = {key: each for key, each in self.inner.items() if key not in _READ_ONLY}
        own = as_object(inner.get("properties"))
        inner["properties"] = {key: each for key, each in own.items() if key != _OPERATION}
        wanted = {
            name: self.body[name] for name in ("location", "kind", "sku") if name in self.body
        }
        return wanted | {"tags": self.body.get("tags") or {}, "properties": inner | properties}


class OnlineResources:
    """Endpoints and deployments by their path. Raises AzureRequestError, or MissingRightError."""

    def __init__(self, arm: Arm, *, now: Callable[[], datetime]) -> None:
        self._arm = arm
        self._now = now

    async def get(self, path: str) -> Resource:
        """GET a resource."""
        found = await self.find(path)
        if found is None:
            raise AzureRequestError(f"{path} is not there", status=HTTPStatus.NOT_FOUND)
        return found

    async def find(self, path: str) -> Resource | None:
        """GET a resource; None: it is not there."""
        try:
            answer = await self._arm.get(path, deadline=self._deadline())
        except AzureRequestError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            if error.status == HTTPStatus.FORBIDDEN:
                raise MissingRightError(_action(path, "read"), on=path) from None
            raise
        return Resource(path=path, body=answer.body)

    async def deployments(self, endpoint: str) -> Mapping[str, Resource]:
        """GET all pages of an endpoint's deployments, by name in lower case.

        Who is not among them is gone; a GET of one may miss it for a moment.
        """
        path = f"{endpoint}/deployments"
        try:
            items = await self._arm.list(path, deadline=self._deadline())
        except AzureRequestError as error:
            if error.status == HTTPStatus.FORBIDDEN:
                raise MissingRightError(_action(path, "read"), on=path) from None
            raise
        names = {text(item, "name").lower(): item for item in items}
        return {name: Resource(path=f"{path}/{name}", body=names[name]) for name in names}

    async def put(self, path: str, body: Mapping[str, Any]) -> None:
        """PUT a resource: accepted, not yet done."""
        answer = await self._arm.put(path, body, deadline=self._deadline())
        _require(answer, path, "write")

    async def delete(self, path: str) -> None:
        """DELETE a resource: accepted, not yet done; one that is not there is no error."""
        answer = await self._arm.delete(path, deadline=self._deadline())
        if answer.status != HTTPStatus.NOT_FOUND:
            _require(answer, path, "delete")

    async def why_failed(self, resource: Resource) -> tuple[str, str]:
        """Return code and message of the resource's last operation, empty where nobody says."""
        uri = text(as_object(resource.inner.get("properties")), _OPERATION)
        if not uri or not self._arm.owns(uri):
            return "", ""
        try:
            answer = await self._arm.get(uri, deadline=self._deadline())
        except AzureRequestError:
            return "", ""
        told = ArmAnswer(what="", body={"error": as_object(answer.body.get("error"))})
        return told.code, told.message

    async def log_tail(self, path: str) -> str:
        """Return the last lines of a deployment's server, as they are; empty without."""
        answer = await self._arm.post(
            f"{path}/getLogs",
            {"containerType": "InferenceServer", "tail": _LOG_LINES},
            deadline=self._deadline(),
        )
        return text(answer.body, "content") if answer.succeeded else ""

    def _deadline(self) -> datetime:
        return self._now() + timedelta(seconds=SECONDS)


def _action(path: str, verb: str) -> str:
    of = "/deployments" if _DEPLOYMENT.search(path) else ""
    return f"{_ACTIONS}{of}/{verb}"


def _require(answer: ArmAnswer, path: str, verb: str) -> None:
    if answer.succeeded:
        return
    if answer.status == HTTPStatus.FORBIDDEN:
        raise MissingRightError(_action(path, verb), on=path)
    error = answer.as_error()
    # Another change is at work on it, or what was there a moment ago is not: it may be asked again.
    passing = {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}
    error.retryable = error.retryable or answer.status in passing
    raise error
