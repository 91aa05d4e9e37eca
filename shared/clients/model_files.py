"""How the files of a registered model begin: Resource Manager says where they are, storage has them.

Models registered through SDK v1 are model versions of Resource Manager, too, so one way serves both.
No more is read than headers. Sources: Microsoft.MachineLearningServices 2025-12-01 (ModelVersions_Get,
Datastores_Get), Microsoft.Storage 2023-05-01 (StorageAccounts_GetProperties), Blob service REST API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from shared.clients.arm import Arm
from shared.clients.blob_beginnings import BlobBeginnings
from shared.clients.lenient_json import as_object, text
from shared.clients.missing_right import told_as_right
from shared.clients.model_place import InContainer, InDatastore, place_of
from shared.errors import AzureRequestError
from shared.scoring.redeploy.model_looks import Beginning
from shared.scoring.redeploy.mover import Snapshot
from shared.scoring.service import Service

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

SECONDS: Final = 15.0
STORAGE_API_VERSION: Final = "2023-05-01"
_ML: Final = "Microsoft.MachineLearningServices/workspaces"
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")
_WORKSPACE: Final = re.compile(
    r"(?P<group>(?P<subscription>/subscriptions/[^/]+)/resourceGroups/[^/]+)"
    r"/providers/[^/]+/workspaces/[^/]+",
    re.IGNORECASE,
)
_CONTAINERS: Final = {"AzureBlob": "containerName", "AzureDataLakeGen2": "filesystem"}


class ModelFilesClient:
    """Provides `shared.scoring.redeploy.model_looks.ModelFiles`.

    `storage_suffix`: of the cloud's storage accounts. The principal's token goes to hosts that Resource
    Manager names, and to those of this suffix.
    """

    def __init__(
        self,
        arm: Arm,
        *,
        credential: AsyncTokenCredential,
        storage_suffix: str,
        now: Callable[[], datetime],
    ) -> None:
        self._arm = arm
        self._blobs = BlobBeginnings(credential)
        self._suffix = storage_suffix
        self._now = now

    async def beginnings(
        self, service: Service, model: str, *, snapshot: Snapshot
    ) -> Sequence[Beginning] | None:
        """GET the model version, its datastore and account; list its blobs, and read how each begins."""
        if snapshot.details.get("model_id"):
            problem = "it is in a registry of Azure ML, whose files are not read here"
            raise AzureRequestError(problem, status=None)
        workspace = workspace_of(service)
        uri = await self._uri(workspace, model)
        if uri is None:
            return None
        place = place_of(uri, workspace=workspace)
        if isinstance(place, InDatastore):
            place = await self._container(place)
        elif not self._is_trusted(place.account_url):
            raise AzureRequestError(
                "its files are in no storage account of this cloud", status=None
            )
        return await self._blobs.read(place)

    async def _uri(self, workspace: str, model: str) -> str | None:
        name, _, version = model.partition(":")
        path = f"{workspace}/models/{quote(name, safe='')}/versions/{quote(version, safe='')}"
        try:
            found = await self._get(path, action=f"{_ML}/models/read")
        except AzureRequestError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return text(found, "modelUri")

    async def _container(self, place: InDatastore) -> InContainer:
        found = await self._get(place.datastore, action=f"{_ML}/datastores/read")
        kind, account = text(found, "datastoreType"), text(found, "accountName")
        container = text(found, _CONTAINERS.get(kind, ""))
        if not (container and _ACCOUNT.fullmatch(account)):
            raise AzureRequestError(f"its datastore ({kind}) is no container of blobs", status=None)
        return InContainer(
            account_url=await self._account_url(place.datastore, found, account),
            container=container,
            path=place.path,
        )

    async def _account_url(self, datastore: str, found: Any, account: str) -> str:
        """Ask the account itself, since some have names of their own; who may not ask takes the usual one."""
        try:
            inner = await self._get(
                f"{_group_of(datastore, found)}/providers/Microsoft.Storage/storageAccounts/{account}",
                action="Microsoft.Storage/storageAccounts/read",
                api_version=STORAGE_API_VERSION,
            )
            told = text(as_object(inner.get("primaryEndpoints")), "blob").rstrip("/")
        except AzureRequestError as error:
            if error.retryable:
                raise
            told = ""
        if urlsplit(told).scheme == "https":
            return told
        suffix = text(found, "endpoint") or self._suffix
        if suffix != self._suffix:
            raise AzureRequestError("its datastore is in another cloud", status=None)
        return f"https://{account}.blob.{suffix}"

    def _is_trusted(self, url: str) -> bool:
        host = urlsplit(url).hostname or ""
        account, dot, rest = host.partition(".")
        return bool(dot and _ACCOUNT.fullmatch(account)) and rest == f"blob.{self._suffix}"

    async def _get(self, path: str, *, action: str, api_version: str = "") -> Any:
        """GET the inner properties of a resource. Raises AzureRequestError."""
        deadline = self._now() + timedelta(seconds=SECONDS)
        try:
            answer = await self._arm.get(path, deadline=deadline, api_version=api_version)
        except AzureRequestError as error:
            raise told_as_right(error, action=action, on=path) from None
        return as_object(answer.body.get("properties"))


def workspace_of(service: Service) -> str:
    """Return the ARM id of the workspace that a service is in. Raises AzureRequestError."""
    found = _WORKSPACE.match(service.resource_id or "")
    if found is None:
        raise AzureRequestError("its workspace is not known", status=None)
    return found[0]


def _group_of(datastore: str, found: Any) -> str:
    """Return the resource group of a datastore's account: the workspace's where it names none."""
    subscription, group = text(found, "subscriptionId"), text(found, "resourceGroup")
    if subscription and group:
        return f"/subscriptions/{quote(subscription)}/resourceGroups/{quote(group)}"
    home = _WORKSPACE.match(datastore)
    return home["group"] if home else ""
