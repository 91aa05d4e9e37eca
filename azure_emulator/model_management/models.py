"""Registered models and their assets, which lead to artifacts.

Source: azureml-core 1.61, azureml/_restclient (ml_models_operations, asset_operations) and
azureml/core/model.py: a lone file is an artifact by `id`, a folder one by `prefix`. The list is the
newest version first, of which the SDK takes the first where it is asked for none.
"""

import json
from typing import Any

from azure_emulator.answers import Answer, json_answer
from azure_emulator.arm.call import Call
from azure_emulator.arm.paging import page
from azure_emulator.clock import recorded
from azure_emulator.estate.estate import Workspace
from azure_emulator.estate.registered import models_of, newest_first
from azure_emulator.model_management.errors import ModelManagementError
from azure_emulator.model_management.filters import has_all
from azure_emulator.scoring_seed import AssetSeed

_FRAMEWORK = "Custom"


def list_models(call: Call) -> Answer:
    """GET models: narrowed by `name`, `tags`, `properties`, `framework`, `latestVersionOnly`."""
    workspace = call.workspace()
    known = sorted(models_of(workspace).values(), key=_age, reverse=True)
    if call.query.get("latestversiononly", "").lower() == "true":
        known = list({_parts(each)[0]: each for each in reversed(known)}.values())
    found = [each for each in known if _wanted(call, each)]
    return page(
        call,
        found,
        encode=lambda each: json.dumps(model_document(workspace, each)).encode(),
        parameter="$skipToken",
    )


def get_model(call: Call) -> Answer:
    """GET models/{name:version}."""
    workspace, model = call.workspace(), call.names["model"]
    found = models_of(workspace).get(model)
    if found is None:
        raise ModelManagementError(404, "ModelNotFound", f"Model {model} was not found.")
    return json_answer(model_document(workspace, found))


def get_asset(call: Call) -> Answer:
    """GET assets/{id}: where the artifacts are."""
    workspace, asset_id = call.workspace(), call.names["asset"]
    known = (name for name in models_of(workspace) if workspace.models.asset_id(name) == asset_id)
    model = next(known, None)
    if model is None:
        raise ModelManagementError(404, "AssetNotFound", f"Asset {asset_id} was not found.")
    path = workspace.models.path_of(model)
    artifact: dict[str, Any] = {"id": path} if path in workspace.models.blobs else {"prefix": path}
    return json_answer({"id": asset_id, "name": model.partition(":")[0], "artifacts": [artifact]})


def model_document(workspace: Workspace, model: AssetSeed) -> dict[str, Any]:
    """A model as azureml-core reads it, alone, in a list or in a service."""
    name, version = _parts(model)
    return {
        "id": model.name,
        "name": name,
        "version": int(version) if version.isdecimal() else 1,
        "framework": _FRAMEWORK,
        "frameworkVersion": None,
        "url": f"aml://asset/{workspace.models.asset_id(model.name)}",
        "mimeType": "application/json",
        "unpack": False,
        "description": None,
        "kvTags": model.tags,
        "properties": model.properties,
        "createdTime": recorded(workspace.created_at),
        "createdBy": None,
        "experimentName": None,
        "runId": None,
        "datasets": [],
    }


def _wanted(call: Call, model: AssetSeed) -> bool:
    query, name = call.query, _parts(model)[0]
    return (
        query.get("name", name) == name
        and query.get("framework", _FRAMEWORK) == _FRAMEWORK
        # No model was registered by a run or with a data set.
        and not (query.get("runid") or query.get("datasetid"))
        and has_all(model.tags, query.get("tags", ""))
        and has_all(model.properties, query.get("properties", ""))
    )


def _parts(model: AssetSeed) -> tuple[str, str]:
    name, _, version = model.name.partition(":")
    return name, version


def _age(model: AssetSeed) -> tuple[int, str]:
    return newest_first(_parts(model)[1])
