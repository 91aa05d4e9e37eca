"""The file of scoring services, in the app's own folder or in a blob."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import unquote, urlsplit

from shared.clients.storage import StorageAccount, StorageCalls
from shared.errors import ServiceFileError, StorageUnavailableError
from shared.scoring.catalogue_source import ServiceText
from shared.scoring.document import MAX_BYTES

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobClient, BlobServiceClient

ROLE: Final = "Storage Blob Data Reader"
# What Azure answers an identity without the role; a firewall answers AuthorizationFailure.
_NO_ROLE: Final = "AuthorizationPermissionMismatch"


class FileInApp:
    """Satisfies shared.scoring.catalogue_source.ServiceFile: a path below the app's root."""

    def __init__(self, root: Path, path: str) -> None:
        self._root = root
        self.source = path

    async def read(self, *, known_version: str) -> ServiceText | None:
        """Return the text unless size and time are those known. Raises ServiceFileError."""
        return await asyncio.to_thread(self._read, known_version)

    def _read(self, known_version: str) -> ServiceText | None:
        path = (self._root / self.source).resolve()
        if not path.is_relative_to(self._root.resolve()):
            raise ServiceFileError([f"{self.source} is outside the app"])
        try:
            status = path.stat()
            version = f"{status.st_mtime_ns}-{status.st_size}"
            if version == known_version:
                return None
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            said = error.strerror or type(error).__name__
            raise ServiceFileError([f"{self.source} cannot be read: {said}"]) from error
        return ServiceText(text=_text(data, self.source), version=version)


class FileInBlob:
    """Satisfies shared.scoring.catalogue_source.ServiceFile: a blob, read again when it changed.

    Opened per invocation: belongs to its event loop. The account's connection string serves where
    the blob lies in that account, else its credential (a managed identity with ROLE).
    Source: Blob service REST API, Get Blob with If-None-Match.
    """

    def __init__(self, account: StorageAccount, url: str) -> None:
        self._account = account
        self.source = url
        self._calls = StorageCalls("the file of services", account)
        self._opened: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._opened:
            await each.close()

    async def read(self, *, known_version: str) -> ServiceText | None:
        """Return the text unless its ETag is the known one. Raises ServiceFileError."""

        async def send() -> ServiceText | None:
            return await self._download(known_version)

        try:
            async with self._calls.limit():
                return await self._calls.send(send, create=_nothing)
        except StorageUnavailableError as error:
            advice = f"; it needs the role {ROLE}" if _NO_ROLE in str(error) else ""
            raise ServiceFileError(
                [f"{self.source} cannot be read: {error}{advice}"], retryable=True
            ) from None

    async def _download(self, known_version: str) -> ServiceText | None:
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError, ResourceNotModifiedError

        changed: dict[str, Any] = {}
        if known_version:
            changed = {"etag": known_version, "match_condition": MatchConditions.IfModified}
        try:
            found = await self._blob().download_blob(**changed)
        except ResourceNotModifiedError:
            return None
        except ResourceModifiedError:
            # How the SDK calls 304 for a condition of its own.
            if not known_version:
                raise
            return None
        # The first answer is read already, and is no longer than this.
        if found.size > MAX_BYTES:
            raise _too_large(self.source)
        text = _text(await found.readall(), self.source)
        return ServiceText(text=text, version=str(found.properties.etag or ""))

    def _blob(self) -> BlobClient:
        from azure.storage.blob.aio import BlobClient

        if self._opened:
            blob: BlobClient = self._opened[0]
            return blob
        options = {**self._account.pipeline_options, "max_single_get_size": MAX_BYTES}
        own = self._own_account(options)
        if own is not None:
            container, _, name = (
                unquote(self.source.removeprefix(own.url)).lstrip("/").partition("/")
            )
            blob = own.get_blob_client(container, name)
        else:
            blob = BlobClient.from_blob_url(
                self.source, credential=self._account.credential, **options
            )
        self._opened = [blob, *([own] if own else [])]
        return blob

    def _own_account(self, options: dict[str, Any]) -> BlobServiceClient | None:
        """Open the account of the connection string if the blob lies in it."""
        from azure.storage.blob.aio import BlobServiceClient

        if not self._account.connection_string:
            return None
        own = BlobServiceClient.from_connection_string(self._account.connection_string, **options)
        return own if self.source.startswith(own.url.rstrip("/") + "/") else None


def in_blob(setting: str) -> bool:
    """Whether SCORING_SERVICES names a blob, and not a path in the app."""
    return bool(urlsplit(setting).scheme)


def _text(data: bytes, source: str) -> str:
    if len(data) > MAX_BYTES:
        raise _too_large(source)
    try:
        # Editors on Windows begin a file with a byte order mark.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ServiceFileError([f"{source} is not UTF-8"]) from None


def _too_large(source: str) -> ServiceFileError:
    return ServiceFileError([f"{source} is larger than {MAX_BYTES} bytes"])


async def _nothing() -> None:
    """Create nothing: a file that is missing is somebody's mistake."""
