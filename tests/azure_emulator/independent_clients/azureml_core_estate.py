"""azureml-core: whatever a team that migrates asks about its services, models and environments.

Argument: the ARM id of a workspace with the services `on-aci` and `on-aks`.
"""

import json
import warnings
from typing import Any

from azureml.core import Environment, Model, Workspace
from azureml.core.authentication import TokenAuthentication
from azureml.core.webservice import Webservice
from azureml.exceptions import WebserviceException

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential


def main(workspace_id: str) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    _, _, subscription, _, group, _, _, _, name = workspace_id.split("/")
    credential = secret_credential()
    authentication = TokenAuthentication(
        get_token_for_audience=lambda audience: credential.get_token(f"{audience}/.default").token
    )
    workspace = Workspace(subscription, group, name, auth=authentication)
    return {
        "models": models(workspace),
        "environments": environments(workspace),
        "filtered": filtered(workspace),
        "service": described(Webservice(workspace, "on-aks")),
        "keys": new_keys(Webservice(workspace, "on-aci")),
        "deleted": deleted(workspace, "on-aci"),
    }


def models(workspace: Any) -> dict[str, Any]:
    listed = Model.list(workspace)
    return {
        "ids": [each.id for each in listed],
        "latest": [each.id for each in Model.list(workspace, name="weight", latest=True)],
        "tagged": [each.id for each in Model.list(workspace, tags=[["team", "growth"]])],
        "without_version": Model(workspace, "weight").id,
        "by_version": Model(workspace, "weight", version=4).id,
    }


def environments(workspace: Any) -> dict[str, Any]:
    listed = Environment.list(workspace)
    alone = Environment.get(workspace, "renv")
    return {
        "versions": {name: each.version for name, each in sorted(listed.items())},
        "image": alone.docker.base_image,
        "older": Environment.get(workspace, "renv", version="1").docker.base_image,
        "packages": list(listed["conda"].python.conda_dependencies.conda_packages),
    }


def filtered(workspace: Any) -> dict[str, list[str]]:
    questions: dict[str, dict[str, Any]] = {
        "kind": {"compute_type": "AKS"},
        "tag": {"tags": ["team"]},
        "tag and value": {"tags": [["team", "risk"]]},
        "property": {"properties": [["owner", "ada"]]},
        "model": {"model_name": "weight"},
        "model and version": {"model_id": "weight:3"},
        "image": {"image_name": "weight-image"},
    }
    return {
        question: [each.name for each in Webservice.list(workspace, **narrowing)]
        for question, narrowing in questions.items()
    }


def described(service: Any) -> dict[str, Any]:
    service.update_deployment_state()
    return {
        "models": [model.id for model in service.models],
        "environment": service.environment.name,
        "namespace": service.namespace,
        "status": service.deployment_status,
        "swagger": service.swagger_uri.rpartition("/")[2],
        "cpu": service.container_resource_requirements.cpu,
        "serialized": service.serialize()["name"],
    }


def new_keys(service: Any) -> dict[str, Any]:
    before = service.get_keys()
    service.regen_key("Primary")
    service.regen_key("Secondary", set_key="chosen")
    after = service.get_keys()
    return {
        "new": [old != new for old, new in zip(before, after, strict=True)],
        "chosen": after[1] == "chosen",
        "answer": service.run(json.dumps({"height": 138})),
    }


def deleted(workspace: Any, name: str) -> dict[str, Any]:
    service = Webservice(workspace, name)
    service.delete()
    try:
        Webservice(workspace, name)
    except WebserviceException as error:
        return {"state": service.state, "then": "WebserviceNotFound" in str(error.message)}
    return {"state": service.state, "then": False}


if __name__ == "__main__":
    stages.play(main)
