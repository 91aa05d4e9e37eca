"""How the files that R reads begin, of those below a path in a storage container.

Source: Blob service REST API, List Blobs and Get Blob with a range. Errors name account, container and
Azure's code, never a URL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from shared.clients.model_place import InContainer
from shared.clients.storage import StorageAccount, error_code
from shared.errors import AzureRequestError, MissingRightError
from shared.scoring.redeploy.model_looks import Beginning

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.exceptions import AzureError
    from azure.storage.blob.aio import ContainerClient

READ: Final = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
ROLE: Final = "Storage Blob Data Reader"
R_FILES: Final = frozenset({".rds", ".rda", ".rdata"})
HEADER_BYTES: Final = 4096
# bzip2 gives nothing before a whole block is read: 900 kB, and what does not compress grows a little.
BLOCK_BYTES: Final = 1_000_000
MAX_FILES: Final = 20
MAX_BLOBS: Final = 5000
_BZIP2: Final = b"BZh"
# What Azure answers an identity without the role; a firewall answers AuthorizationFailure.
_NO_ROLE: Final = "AuthorizationPermissionMismatch"
# An empty blob has no first byte.
_OUT_OF_RANGE: Final = 416
_TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
Found = TypeVar("Found")


class BlobBeginnings:
    """Reads blobs as the service principal, which needs READ on the account or the container."""

    def __init__(self, credential: AsyncTokenCredential) -> None:
        self._credential = credential

    async def read(self, place: InContainer) -> Sequence[Beginning]:
        """Return how each file of R's at or below a path begins. Raises AzureRequestError."""
        from azure.storage.blob.aio import ContainerClient

        options = StorageAccount().pipeline_options
        async with ContainerClient(
            place.account_url, place.container, credential=self._credential, **options
        ) as container:
            names = await _told(_names(container, place.path), place)
            if len(names) > MAX_FILES:
                problem = f"it has {len(names)} files of R's; no more than {MAX_FILES} are read"
                raise AzureRequestError(problem, status=None)
            reads = (_beginning(container, name) for name in names)
            contents = await _told(asyncio.gather(*reads), place)
        named = zip(names, contents, strict=True)
        return [
            Beginning(name=_within(place.path, name), content=content) for name, content in named
        ]


async def _names(container: ContainerClient, path: str) -> Sequence[str]:
    """Return the files of R's among the blobs at or below a path."""
    seen, found = 0, []
    async for name in container.list_blob_names(name_starts_with=path):
        seen += 1
        if seen > MAX_BLOBS:
            problem = f"it has more than {MAX_BLOBS} files"
            raise AzureRequestError(problem, status=None)
        # Of `model`, `model-2/a.rds` is none.
        is_below = name == path or name.startswith(f"{path}/")
        if is_below and PurePosixPath(name).suffix.lower() in R_FILES:
            found.append(name)
    if not seen:
        raise AzureRequestError("its files are not where Azure ML says", status=None)
    return found


async def _beginning(container: ContainerClient, name: str) -> bytes:
    content = await _first(container, name, HEADER_BYTES)
    if content.startswith(_BZIP2) and len(content) == HEADER_BYTES:
        return await _first(container, name, BLOCK_BYTES)
    return content


async def _first(container: ContainerClient, name: str, count: int) -> bytes:
    from azure.core.exceptions import HttpResponseError

    try:
        stream: Any = await container.download_blob(name, offset=0, length=count)
    except HttpResponseError as error:
        if error.status_code == _OUT_OF_RANGE:
            return b""
        raise
    content: bytes = await stream.readall()
    return content


async def _told(asked: Awaitable[Found], place: InContainer) -> Found:
    from azure.core.exceptions import AzureError

    try:
        return await asked
    except AzureError as error:
        told = _as_ours(error, place)
    except ValueError:
        # An account's address or an answer that the SDK cannot make sense of.
        told = AzureRequestError("its storage gives no answer that can be read", status=None)
    # Raised outside the handler: the SDK's error may quote a URL.
    raise told


def _as_ours(error: AzureError, place: InContainer) -> AzureRequestError:
    parts = urlsplit(place.account_url)
    where = f"{parts.path.rpartition('/')[2] or (parts.hostname or '').partition('.')[0]}"
    on = f"storage account {where}, container {place.container}"
    status, code = getattr(error, "status_code", None), error_code(error)
    if code == _NO_ROLE:
        return MissingRightError(READ, on=f"{on} (role {ROLE})")
    if status is None:
        cause = type(error.inner_exception or error).__name__
        return AzureRequestError(f"{on}: no answer: {cause}", status=None, retryable=True)
    said = f"{on}: {status} {code}".strip()
    return AzureRequestError(said, status=status, code=code, retryable=status in _TRANSIENT)


def _within(path: str, name: str) -> str:
    return name.rpartition("/")[2] if name == path else name.removeprefix(f"{path}/")
