"""Azure Machine Learning over ARM REST: subscriptions, workspaces, computes, prices, stops, settings.

Shapes as in api-version 2025-12-01 and as recorded from live traffic: every inner property can be
null or missing, so all is parsed leniently; what has no id or no name is passed over with a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from shared.clients.arm import Arm
from shared.clients.arm_answer import ArmAnswer
from shared.clients.compute_resource import read_compute
from shared.clients.lenient_json import as_object, as_objects, tags, text
from shared.clients.redaction import redact
from shared.compute.azure import AnswerKind, OperationState, Price, StopAnswer
from shared.compute.instance import Compute, Workspace
from shared.compute.native_settings import ScaleSettings
from shared.errors import AzureRequestError, CredentialError

logger = logging.getLogger(__name__)

PROVIDER = "Microsoft.MachineLearningServices"
ASYNC_OPERATION = "Azure-AsyncOperation"
# Nobody waits longer: no run lasts a day.
A_DAY = 86_400.0
# A Location answers as the stop itself would have: with its error.
OPERATION_FAILED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT})
MAX_PRICE = 1e6
# How Microsoft documents the action (how-to-create-compute-instance.md); stable versions lack it.
IDLE_SHUTDOWN_API_VERSION = "2021-07-01"
# A subscription where the provider was never registered has no workspaces.
_NOT_REGISTERED = frozenset({"MissingSubscriptionRegistration", "SubscriptionNotRegistered"})


class MachineLearningClient:
    """Provides `shared.compute.azure.MachineLearning`."""

    def __init__(self, arm: Arm, *, now: Callable[[], datetime]) -> None:
        self._arm = arm
        self._now = now

    async def list_subscriptions(self, *, deadline: datetime) -> Sequence[str]:
        """GET /subscriptions, in whatever state: a disabled one may still hold machines."""
        items = await self._arm.list("/subscriptions", deadline=deadline)
        return [guid for guid in (text(item, "subscriptionId") for item in items) if guid]

    async def list_workspaces(
        self, subscription_id: str, *, deadline: datetime
    ) -> Sequence[Workspace]:
        """GET the workspaces of a subscription, hubs and projects among them."""
        path = f"/subscriptions/{subscription_id}/providers/{PROVIDER}/workspaces"
        try:
            items = await self._arm.list(path, deadline=deadline)
        except AzureRequestError as error:
            if error.code in _NOT_REGISTERED:
                return ()
            raise
        return [_workspace(item, subscription_id) for item in items if _has_identity(item)]

    async def list_computes(self, workspace: Workspace, *, deadline: datetime) -> Sequence[Compute]:
        """GET the computes of a workspace; the list holds the full inner properties."""
        items = await self._arm.list(f"{workspace.id}/computes", deadline=deadline)
        return [read_compute(item, workspace) for item in items if _has_identity(item)]

    async def get_compute(self, compute: Compute, *, deadline: datetime) -> Compute:
        """GET one compute; Azure answers 404 for one that was deleted."""
        found = (await self._arm.get(compute.id, deadline=deadline)).body
        if not _has_identity(found):
            raise AzureRequestError(f"GET {compute.id}: the answer is no compute", status=None)
        return read_compute(found, compute.workspace)

    async def list_prices(
        self, subscription_id: str, location: str, *, deadline: datetime
    ) -> Mapping[str, Price]:
        """GET .../locations/{region}/vmSizes: AML's own estimated retail prices."""
        path = f"/subscriptions/{subscription_id}/providers/{PROVIDER}/locations/{location}/vmSizes"
        body = (await self._arm.get(path, deadline=deadline)).body
        found = {text(s, "name").lower(): _price(s) for s in as_objects(body.get("value"))}
        return {name: price for name, price in found.items() if price}

    async def begin_stop(self, compute: Compute, *, deadline: datetime) -> StopAnswer:
        """POST .../stop once: 202 is only a promise."""
        try:
            answer = await self._arm.post(f"{compute.id}/stop", deadline=deadline)
        except CredentialError as error:
            return StopAnswer(kind=AnswerKind.NOT_SENT, at=self._now(), message=str(error))
        return StopAnswer(
            kind=_kind(answer),
            at=answer.date or self._now(),
            code=answer.code,
            message="" if answer.succeeded else _said(answer),
            operation=answer.headers.get(ASYNC_OPERATION) or answer.headers.get("Location") or "",
            ends_by_status=ASYNC_OPERATION not in answer.headers,
            retry_after=timedelta(seconds=min(answer.retry_after or 0.0, A_DAY)),
        )

    async def get_operation(self, answer: StopAnswer, *, deadline: datetime) -> OperationState:
        """GET the operation behind a stop: `Azure-AsyncOperation` as recorded, or `Location`."""
        if not answer.operation:
            raise AzureRequestError("Azure named no operation for this stop", status=None)
        if not self._arm.owns(answer.operation):
            raise AzureRequestError("Azure named an operation on another host", status=None)
        try:
            found = await self._arm.get(answer.operation, deadline=deadline)
        except AzureRequestError as error:
            if not answer.ends_by_status or error.status not in OPERATION_FAILED:
                raise
            return OperationState(status="Failed", message=str(error))
        return _operation_state(found)

    async def scale_cluster(
        self, compute: Compute, scale: ScaleSettings, *, deadline: datetime
    ) -> None:
        """PATCH a cluster's scale settings, all of them: `maxNodeCount` is required."""
        settings: dict[str, Any] = {
            "minNodeCount": scale.minimum,
            "maxNodeCount": scale.maximum,
        }
        if scale.idle_time:
            settings["nodeIdleTimeBeforeScaleDown"] = scale.idle_time
        body = {"properties": {"properties": {"scaleSettings": settings}}}
        answer = await self._arm.patch(compute.id, body, deadline=deadline)
        if not answer.succeeded:
            raise answer.as_error()

    async def set_idle_shutdown(
        self, compute: Compute, *, after: timedelta, deadline: datetime
    ) -> None:
        """POST .../updateIdleShutdownSetting; Azure takes 15 minutes to 3 days."""
        answer = await self._arm.post(
            f"{compute.id}/updateIdleShutdownSetting",
            {"idleTimeBeforeShutdown": f"PT{round(after.total_seconds() / 60)}M"},
            api_version=IDLE_SHUTDOWN_API_VERSION,
            deadline=deadline,
        )
        if not answer.succeeded:
            raise answer.as_error()


def _has_identity(item: Mapping[str, Any]) -> bool:
    # Ids become paths of requests.
    if text(item, "id").startswith("/") and text(item, "name"):
        return True
    logger.warning("passed over a resource without id or name, of type %s", item.get("type"))
    return False


def _workspace(item: Mapping[str, Any], subscription_id: str) -> Workspace:
    return Workspace(
        id=text(item, "id"),
        name=text(item, "name"),
        subscription_id=subscription_id,
        location=text(item, "location"),
        tags=tags(item),
    )


def _price(size: Mapping[str, Any]) -> Price | None:
    estimated = as_object(size.get("estimatedVMPrices"))
    for value in as_objects(estimated.get("values")):
        is_ours = text(value, "osType") == "Linux" and text(value, "vmTier") == "Standard"
        per_hour = _amount(value.get("retailPrice"))
        if is_ours and per_hour is not None:
            currency = text(estimated, "billingCurrency") or "USD"
            return Price(per_hour=per_hour, currency=currency)
    return None


def _amount(value: object) -> float | None:
    """Return what can be added up: JSON as Python reads it knows NaN and numbers without end."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < MAX_PRICE else None


def _kind(answer: ArmAnswer) -> AnswerKind:
    if answer.succeeded or (answer.status is not None and answer.status // 100 == 2):  # noqa: PLR2004  # 2xx
        return AnswerKind.ACCEPTED
    if not answer.arrived or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return AnswerKind.NOT_SENT
    if answer.status == HTTPStatus.CONFLICT:
        return AnswerKind.CONFLICT
    if answer.status == HTTPStatus.NOT_FOUND:
        return AnswerKind.GONE
    return AnswerKind.UNCLEAR if answer.transient else AnswerKind.REFUSED


def _said(answer: ArmAnswer) -> str:
    return f"{answer.status} {answer.message}" if answer.status else answer.message


def _operation_state(answer: ArmAnswer) -> OperationState:
    """Read a status body; a Location answers 202 while it runs, then 200 or 204."""
    body = answer.body
    error = as_object(body.get("error"))
    running = "InProgress" if answer.status == HTTPStatus.ACCEPTED else "Succeeded"
    return OperationState(
        status=text(body, "status") or running,
        code=redact(text(error, "code")),
        message=redact(text(error, "message")),
    )
