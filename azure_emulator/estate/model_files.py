"""The files of a workspace's registered models, in the container `azureml` of its storage account.

Azure ML keeps what is registered from a local file below `LocalUpload`; the datastore
`workspaceartifactstore` of every workspace leads to that container.
"""

import base64
import uuid
from collections.abc import Mapping, Sequence

from azure_emulator.scoring_seed import AssetSeed

CONTAINER = "azureml"
DATASTORE = "workspaceartifactstore"
_PROVIDER = "Microsoft.MachineLearningServices"
_NAMESPACE = uuid.UUID("0c4e0b57-3f7c-4f6e-8d0a-0f8f6a9d2b71")


class ModelFiles:
    """What a workspace's storage account holds: blobs by their path in the container."""

    def __init__(self, workspace_id: str, assets: Sequence[AssetSeed]) -> None:
        self.account = f"st{uuid.uuid5(_NAMESPACE, workspace_id.lower()).hex[:18]}"
        self._workspace_id = workspace_id
        self._assets = {asset.name: asset for asset in assets}
        self.blobs: Mapping[str, bytes] = {
            f"{folder_of(asset.name)}/{path}": base64.b64decode(content)
            for asset in assets
            for path, content in asset.files.items()
        }

    def path_of(self, model: str) -> str:
        """Where a `name:version` is: its one file, or its folder."""
        asset = self._assets.get(model)
        paths = list(asset.files) if asset else []
        lone = f"/{paths[0]}" if len(paths) == 1 and "/" not in paths[0] else ""
        return folder_of(model) + lone

    def uri_of(self, model: str) -> str:
        """The `modelUri` of a `name:version`: as in ARM ids, but for the provider.

        Source: learn.microsoft.com/azure/machine-learning/how-to-access-data-interactive.
        """
        place = self._workspace_id.replace(f"/providers/{_PROVIDER}/", "/")
        return f"azureml:/{place}/datastores/{DATASTORE}/paths/{self.path_of(model)}"

    def asset_id(self, model: str) -> str:
        """How model management calls the files of a `name:version`."""
        return uuid.uuid5(_NAMESPACE, f"{self._workspace_id.lower()}/{model}").hex


def folder_of(model: str) -> str:
    """Where the files of a `name:version` are."""
    name, _, version = model.partition(":")
    return f"LocalUpload/{name}/{version}"
