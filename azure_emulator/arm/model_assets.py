"""Registered models and environments, datastores, and the storage account behind them.

Sources: Microsoft.MachineLearningServices 2025-12-01 (ModelVersions_Get, EnvironmentVersions_Get,
Datastores_Get), Microsoft.Storage 2023-05-01 (StorageAccounts_GetProperties).
"""

from typing import Any

from azure_emulator.answers import Answer, AzureError, json_answer
from azure_emulator.arm.call import PROVIDER, Call, not_found
from azure_emulator.clock import recorded
from azure_emulator.estate.model_files import CONTAINER, DATASTORE
from azure_emulator.estate.registered import environments_of, models_of
from azure_emulator.scoring_seed import AssetSeed
from azure_emulator.storage_paths import blob_url


def get_model(call: Call) -> Answer:
    """GET models/{name}/versions/{version}: where its files are."""
    model = _named(call)
    if model not in models_of(call.workspace()):
        raise _missing(call, "models")
    return json_answer(version_document(call, "models", model))


def get_environment(call: Call) -> Answer:
    """GET environments/{name}/versions/{version}: its image."""
    if _named(call) not in environments_of(call.workspace()):
        raise _missing(call, "environments")
    return json_answer(version_document(call, "environments", _named(call)))


def version_document(call: Call, kind: str, asset: str) -> dict[str, Any]:
    """A version of a model or an environment, named `name:version`."""
    workspace, (name, _, version) = call.workspace(), asset.partition(":")
    known = (models_of if kind == "models" else environments_of)(workspace)[asset]
    special = (
        {
            "modelType": "custom_model",
            "modelUri": workspace.models.uri_of(asset),
            "jobName": None,
            "flavors": {},
        }
        if kind == "models"
        else _environment(call, known)
    )
    inner = {
        "description": None,
        "tags": known.tags,
        "properties": known.properties,
        "isArchived": False,
        "isAnonymous": False,
        **special,
    }
    where = f"{workspace.id}/{kind}/{name}/versions/{version}"
    return _document(call, f"{kind}/versions", inner, where=where)


def _environment(call: Call, asset: AssetSeed) -> dict[str, Any]:
    document: dict[str, Any] = {
        "environmentType": "UserCreated",
        "image": asset.image,
        "condaFile": asset.conda_file,
        "osType": "Linux",
    }
    if not (asset.image or asset.conda_file):
        # What is made of no image by name is built from a folder.
        context = call.workspace().models.uri_of(asset.name)
        document["build"] = {"contextUri": context, "dockerfilePath": "Dockerfile"}
    return document


def list_datastores(call: Call) -> Answer:
    """GET datastores: the one that there is."""
    return json_answer({"value": [_datastore(call)]})


def get_datastore(call: Call) -> Answer:
    """GET datastores/{name}: the one of the artifacts, which asks for an identity of its own."""
    workspace, name = call.workspace(), call.names["datastore"]
    if name.lower() != DATASTORE:
        raise not_found(
            f"workspaces/{workspace.seed.name}/datastores/{name}", group=call.names["group"]
        )
    return json_answer(_datastore(call))


def _datastore(call: Call) -> dict[str, Any]:
    workspace = call.workspace()
    inner: dict[str, Any] = {
        "description": None,
        "tags": {},
        "properties": {},
        "isDefault": False,
        "datastoreType": "AzureBlob",
        "credentials": {"credentialsType": "None"},
        "accountName": workspace.models.account,
        "containerName": CONTAINER,
        # No cloud's: nothing that is asked for by this suffix leaves the host.
        "endpoint": "emulator.invalid",
        "protocol": "https",
        "serviceDataAccessAuthIdentity": "None",
        "resourceGroup": workspace.seed.resource_group,
        "subscriptionId": call.subscription.seed.id,
    }
    return _document(call, "datastores", inner, where=f"{workspace.id}/datastores/{DATASTORE}")


def get_storage_account(call: Call) -> Answer:
    """GET a storage account: where its blobs are."""
    group, name = call.names["group"], call.names["account"]
    account = next(
        (
            workspace.models.account
            for (of, _), workspace in call.subscription.workspaces.items()
            if of == group.lower() and workspace.models.account == name.lower()
        ),
        None,
    )
    if account is None:
        raise not_found(f"storageAccounts/{name}", group=group, provider="Microsoft.Storage")
    document = {
        "id": call.path,
        "name": account,
        "type": "Microsoft.Storage/storageAccounts",
        "location": "westeurope",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "properties": {
            "provisioningState": "Succeeded",
            "primaryEndpoints": {"blob": blob_url(call.settings.base_url, account)},
            "isHnsEnabled": False,
            "allowSharedKeyAccess": False,
        },
    }
    return json_answer(document)


def _named(call: Call) -> str:
    return f"{call.names['name']}:{call.names['version']}"


def _missing(call: Call, kind: str) -> AzureError:
    name, version = call.names["name"], call.names["version"]
    return not_found(
        f"workspaces/{call.names['workspace']}/{kind}/{name}/versions/{version}",
        group=call.names["group"],
    )


def _document(call: Call, kind: str, inner: dict[str, Any], *, where: str) -> dict[str, Any]:
    at = recorded(call.workspace().created_at)
    return {
        "id": where,
        "name": where.rpartition("/")[2],
        "type": f"{PROVIDER}/workspaces/{kind}",
        "properties": inner,
        "systemData": {"createdAt": at, "createdBy": "platform@contoso.example"},
    }
