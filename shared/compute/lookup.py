"""Find one workspace or instance by its full ARM id, reading no more of the estate than that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

from shared.compute.azure import MachineLearning
from shared.compute.instance import Compute, Workspace
from shared.compute.order import INSTANCE_ID, WORKSPACE_ID
from shared.errors import AzureRequestError, InvalidRequestError

T = TypeVar("T", Compute, Workspace)


def check_instance_id(field: str, text: str) -> str:
    """Return the id without a last slash; raises InvalidRequestError unless it is an instance's."""
    if not INSTANCE_ID.fullmatch(text):
        raise InvalidRequestError(field, "must be the full ARM id of a compute instance")
    return text.rstrip("/")


def check_resource_id(field: str, text: str) -> str:
    """Likewise for the id of an instance or a workspace."""
    if not INSTANCE_ID.fullmatch(text) and not WORKSPACE_ID.fullmatch(text):
        raise InvalidRequestError(field, "must be the full ARM id of an instance or a workspace")
    return text.rstrip("/")


async def find_resource(
    azure: MachineLearning, resource_id: str, *, field: str, deadline: datetime
) -> Compute | Workspace:
    """Return the instance or workspace of an id that was checked.

    Raises InvalidRequestError naming the field, 404 where Azure shows no such thing and 400 where
    it is a compute of another kind; else AzureRequestError and CredentialError.
    """
    if INSTANCE_ID.fullmatch(resource_id):
        return await find_instance(azure, resource_id, field=field, deadline=deadline)
    return await find_workspace(azure, resource_id, field=field, deadline=deadline)


async def find_instance(
    azure: MachineLearning, instance_id: str, *, field: str, deadline: datetime
) -> Compute:
    """Return the instance of an id that was checked, as Azure lists it now. Raises likewise."""
    workspace_id = instance_id.rsplit("/", 2)[0]
    workspace = await find_workspace(azure, workspace_id, field=field, deadline=deadline)
    try:
        computes = await azure.list_computes(workspace, deadline=deadline)
    except AzureRequestError as error:
        raise _absent_or(error, field, instance_id) from error
    compute = _named(computes, instance_id)
    if compute is None:
        raise _absent(field, instance_id)
    if not compute.is_instance:
        said = f"{compute.id} is of kind {compute.compute_type}: it cannot be stopped"
        raise InvalidRequestError(field, said)
    return compute


async def find_workspace(
    azure: MachineLearning, workspace_id: str, *, field: str, deadline: datetime
) -> Workspace:
    """Return the workspace of an id that was checked. Raises likewise."""
    subscription_id = workspace_id.split("/")[2].lower()
    visible = await azure.list_subscriptions(deadline=deadline)
    if subscription_id not in {guid.lower() for guid in visible}:
        raise InvalidRequestError(
            field, f"subscription {subscription_id} is not visible", status=HTTPStatus.NOT_FOUND
        )
    try:
        workspaces = await azure.list_workspaces(subscription_id, deadline=deadline)
    except AzureRequestError as error:
        raise _absent_or(error, field, workspace_id) from error
    workspace = _named(workspaces, workspace_id)
    if workspace is None:
        raise _absent(field, workspace_id)
    return workspace


def _named(items: Sequence[T], resource_id: str) -> T | None:
    return next((each for each in items if each.id.lower() == resource_id.lower()), None)


def _absent_or(error: AzureRequestError, field: str, resource_id: str) -> Exception:
    return _absent(field, resource_id) if error.status == HTTPStatus.NOT_FOUND else error


def _absent(field: str, resource_id: str) -> InvalidRequestError:
    return InvalidRequestError(field, f"{resource_id} was not found", status=HTTPStatus.NOT_FOUND)
