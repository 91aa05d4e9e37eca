"""Which R the image of an Azure ML service has: its environment names the image, the registry has it.

Environments of SDK v1 are environment versions of Resource Manager, too. What Azure ML builds keeps the
variables of the image that it is built on. Source: Microsoft.MachineLearningServices 2025-12-01,
EnvironmentVersions_Get.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import quote

from shared.clients.arm import Arm
from shared.clients.image_config import conda_r_version, r_version_of
from shared.clients.lenient_json import as_object, text
from shared.clients.missing_right import told_as_right
from shared.clients.model_files import workspace_of
from shared.errors import AzureRequestError
from shared.scoring.redeploy.mover import Snapshot
from shared.scoring.service import Service

SECONDS: Final = 15.0
_READ: Final = "Microsoft.MachineLearningServices/workspaces/environments/read"


class Configs(Protocol):
    """Registries, as far as they tell what an image says of itself; RegistryClient provides it."""

    async def config_of(self, image: str) -> Mapping[str, Any]: ...


class ImageVersionsClient:
    """Provides `shared.scoring.redeploy.model_looks.ImageVersions`, for kinds aml-online and aml-v1."""

    def __init__(self, arm: Arm, *, configs: Configs, now: Callable[[], datetime]) -> None:
        self._arm = arm
        self._configs = configs
        self._now = now

    async def r_version(self, service: Service, *, snapshot: Snapshot) -> str:
        """GET the environment that runs, then its image's config."""
        details = snapshot.details
        if details.get("environment_id"):
            raise AzureRequestError("its environment is in a registry of Azure ML", status=None)
        name, _, version = str(details.get("environment") or "").partition(":")
        if not (name and version):
            raise AzureRequestError("Azure tells no environment of it", status=None)
        path = f"/environments/{quote(name, safe='')}/versions/{quote(version, safe='')}"
        found = await self._get(f"{workspace_of(service)}{path}")
        in_conda = conda_r_version(text(found, "condaFile"))
        if in_conda is not None:
            return in_conda
        image = text(found, "image")
        if not image:
            raise AzureRequestError("its environment is built from no image by name", status=None)
        return r_version_of(await self._configs.config_of(image))

    async def _get(self, path: str) -> Mapping[str, Any]:
        deadline = self._now() + timedelta(seconds=SECONDS)
        try:
            answer = await self._arm.get(path, deadline=deadline)
        except AzureRequestError as error:
            raise told_as_right(error, action=_READ, on=path) from None
        return as_object(answer.body.get("properties"))
