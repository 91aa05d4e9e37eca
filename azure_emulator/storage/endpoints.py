"""Blobs over HTTP: List Blobs, Get Blob with a range, Get Blob Properties.

An account is reached as Azurite's are, by its name in the path (`/storage/<account>`), since no host
below this one has a name; by the name of a host in Azure, too, for whoever lets that lead here.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Host, Route, Router

from azure_emulator.estate.estate import Workspace
from azure_emulator.estate.model_files import CONTAINER
from azure_emulator.exact_route import ExactRoute
from azure_emulator.services import unknown_route
from azure_emulator.storage import listing, ranges
from azure_emulator.storage.access import require_read
from azure_emulator.storage.errors import StorageError
from azure_emulator.storage_paths import PREFIX

if TYPE_CHECKING:
    from azure_emulator.emulator import Emulator

HOST = "{account}.blob.core.windows.net"
_VERSION = "2023-11-03"
Handler = Callable[[Request], Awaitable[Response]]


def routes(emulator: Emulator) -> list[BaseRoute]:
    """Make the routes of all storage accounts, for the root of the host."""
    blobs = _Blobs(emulator=emulator)
    return [
        *_routes(blobs, f"{PREFIX}/{{account}}/{{container}}"),
        Host(HOST, Router(_routes(blobs, "/{container}"), default=unknown_route)),
    ]


def _routes(blobs: _Blobs, container: str) -> list[Route]:
    get, blob = _answering(blobs.get_blob), f"{container}/{{blob:path}}"
    return [
        ExactRoute(container, _answering(blobs.list_blobs), methods=["GET"]),
        ExactRoute(blob, get, methods=["GET", "HEAD"]),
    ]


def _answering(handler: Handler) -> Handler:
    """Turn refusals into responses, and add what every answer of the service carries."""

    async def answer(request: Request) -> Response:
        version = request.headers.get("x-ms-version", _VERSION)
        headers = {"x-ms-version": version, "x-ms-request-id": str(uuid.uuid4())}
        try:
            response = await handler(request)
        except StorageError as error:
            return error.response(headers)
        response.headers.update(headers)
        return response

    return answer


@dataclass(frozen=True, kw_only=True)
class _Blobs:
    emulator: Emulator

    async def list_blobs(self, request: Request) -> Response:
        """GET ?restype=container&comp=list: by `prefix`, `delimiter`, `marker`, `maxresults`."""
        workspace = self._opened(request)
        query = request.query_params
        if (query.get("restype"), query.get("comp")) != ("container", "list"):
            raise StorageError("ResourceNotFound")
        body = listing.wire(workspace.models.blobs, query, container=CONTAINER)
        return Response(body, media_type="application/xml")

    async def get_blob(self, request: Request) -> Response:
        """GET or HEAD: the whole blob, or the range of `x-ms-range`, else of `Range`."""
        workspace = self._opened(request)
        content = workspace.models.blobs.get(request.path_params["blob"])
        if content is None:
            raise StorageError("BlobNotFound")
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": f'"0x{hashlib.sha256(content).hexdigest()[:16].upper()}"',
            "Last-Modified": formatdate(workspace.created_at, usegmt=True),
            "x-ms-blob-type": "BlockBlob",
            "x-ms-creation-time": formatdate(workspace.created_at, usegmt=True),
        }
        return ranges.answer(content, {} if request.method == "HEAD" else request.headers, headers)

    def _opened(self, request: Request) -> Workspace:
        """The workspace whose account is in the path. Raises StorageError."""
        account = request.path_params["account"]
        workspaces = self.emulator.estate.workspaces()
        found = next((each for each in workspaces if each.models.account == account), None)
        if found is None:
            raise StorageError("ResourceNotFound")
        scope = f"{found.resource_group_id}/providers/Microsoft.Storage/storageAccounts/{account}"
        require_read(self.emulator, request, account=account, scope=scope)
        if request.path_params["container"] != CONTAINER:
            raise StorageError("ContainerNotFound")
        return found
