"""Registered models and their assets, which lead to artifacts.

Source: azureml-core 1.61, azureml/_restclient (ml_models_operations, asset_operations) and
azureml/core/model.py: a lone file is an artifact by `id`, a folder one by `prefix`.
"""

from typing import Any

from azure_emulator.answers import Answer, json_answer
from azure_emulator.arm.call import Call
from azure_emulator.clock import recorded
from azure_emulator.model_management.services import ModelManagementError


def get_model(call: Call) -> Answer:
    """GET models/{name:version}."""
    workspace, model = call.workspace(), call.names["model"]
    if not workspace.models.knows(model):
        raise ModelManagementError(404, "ModelNotFound", f"Model {model} was not found.")
    name, _, version = model.partition(":")
    document = {
        "id": model,
        "name": name,
        "version": int(version) if version.isdecimal() else 1,
        "framework": "Custom",
        "frameworkVersion": None,
        "url": f"aml://asset/{workspace.models.asset_id(model)}",
        "mimeType": "application/json",
        "unpack": False,
        "description": None,
        "kvTags": {},
        "properties": {},
        "createdTime": recorded(workspace.created_at),
        "createdBy": None,
        "experimentName": None,
        "runId": None,
        "datasets": [],
    }
    return json_answer(document)


def get_asset(call: Call) -> Answer:
    """GET assets/{id}: where the artifacts are."""
    workspace, asset_id = call.workspace(), call.names["asset"]
    model = workspace.models.model_of(asset_id)
    if model is None:
        raise ModelManagementError(404, "AssetNotFound", f"Asset {asset_id} was not found.")
    path = workspace.models.path_of(model)
    artifact: dict[str, Any] = {"id": path} if path in workspace.models.blobs else {"prefix": path}
    return json_answer({"id": asset_id, "name": model.partition(":")[0], "artifacts": [artifact]})
