"""Look into a named model before anything is changed: which R wrote it, and which is to read it.

What cannot be looked at keeps nobody from redeploying, since golden requests prove the model all the
same; it is told with its reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from shared.errors import AzureRequestError, CredentialError
from shared.scoring.r_version import RVersion
from shared.scoring.redeploy.model_files import ModelFile, ModelLook
from shared.scoring.redeploy.mover import Snapshot
from shared.scoring.redeploy.rds import read_header
from shared.scoring.service import Service

# Both looks together leave a step of 50 s time for the rest.
LOOK_SECONDS: Final = 18.0
# Python has no zstd before 3.14.
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
Looked = TypeVar("Looked")


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """The first bytes of a file, 4 KiB at most; `name` is its path within its model."""

    name: str
    content: bytes = field(repr=False)


class ModelFiles(Protocol):
    """Registered models, as far as the gate wants to know them."""

    async def beginnings(
        self, service: Service, model: str, *, snapshot: Snapshot
    ) -> Sequence[Beginning] | None:
        """Return how the files that R reads begin, of `<name>:<version>`; None: no such model.

        Raises AzureRequestError, CredentialError.
        """


class ImageVersions(Protocol):
    """The images that services run, as far as they tell which R they have."""

    async def r_version(self, service: Service, *, snapshot: Snapshot) -> str:
        """Return what the image says, such as `4.3.1`; empty where it says nothing.

        Raises AzureRequestError, CredentialError.
        """


@dataclass(frozen=True, kw_only=True)
class ModelLooks:
    """Looks into models."""

    files: ModelFiles
    images: ImageVersions

    async def look(self, service: Service, model: str, *, snapshot: Snapshot) -> ModelLook:
        """Return what is seen of `<name>:<version>` and of the R that is to read it."""
        found, unread = await _tried(self.files.beginnings(service, model, snapshot=snapshot))
        if unread:
            return ModelLook(unread=unread)
        if found is None:
            return ModelLook(missing=f"model: {model} is not registered")
        if not found:
            return ModelLook()
        files = tuple(_read(each) for each in found)
        version, r_unread = await self._r_version(service, snapshot)
        return ModelLook(files=files, r_version=version, r_unread=r_unread)

    async def _r_version(self, service: Service, snapshot: Snapshot) -> tuple[RVersion | None, str]:
        if service.r_version:
            return RVersion.parse(service.r_version), ""
        said, unread = await _tried(self.images.r_version(service, snapshot=snapshot))
        try:
            return (RVersion.parse(said), "") if said else (None, unread)
        except ValueError:
            return None, f"it says {said}"


async def _tried(look: Awaitable[Looked]) -> tuple[Looked | None, str]:
    """Return what a look found, or why it found nothing."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await look, ""
    except TimeoutError:
        return None, f"no answer within {LOOK_SECONDS:.0f} s"
    except (AzureRequestError, CredentialError) as error:
        return None, str(error)


def _read(beginning: Beginning) -> ModelFile:
    if beginning.content.startswith(_ZSTD):
        unread = "it is compressed by zstd, which is not read here"
        return ModelFile(name=beginning.name, unread=unread)
    try:
        return ModelFile(name=beginning.name, header=read_header(beginning.content))
    except ValueError as error:
        return ModelFile(name=beginning.name, problem=str(error))
