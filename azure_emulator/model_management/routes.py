"""The routes of model management. The version is in the path; no api-version is asked for.

Source: azureml-core 1.61 (azureml/core/webservice, azureml/_model_management) and, for the actions,
learn.microsoft.com/azure/machine-learning/how-to-assign-roles.
"""

from azure_emulator.arm.routing import ArmRoute, route
from azure_emulator.model_management import models, service_changes, services

PREFIX = ("modelmanagement", "v1.0")
_ML = "Microsoft.MachineLearningServices"
_WORKSPACE = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    f"/providers/{_ML}/workspaces/{{workspace}}"
)
_SERVICE = f"{_WORKSPACE}|/services/{{service}}"
_READ = f"{_ML}/workspaces/services/read"
_READ_MODELS = f"{_ML}/workspaces/models/read"

ROUTES: list[ArmRoute] = [
    route("GET", f"{_WORKSPACE}|/services", services.list_services, action=_READ),
    route("POST", f"{_WORKSPACE}|/services/list", services.list_services, action=_READ),
    route("GET", _SERVICE, services.get_service, action=_READ),
    # Of ACI or AKS: which action is needed is known once the service is.
    route("PATCH", _SERVICE, service_changes.update_service, action=_READ, takes_body=True),
    route("DELETE", _SERVICE, service_changes.delete_service, action=_READ),
    route(
        "POST",
        f"{_SERVICE}/regenerateKeys",
        service_changes.regenerate_keys,
        action=_READ,
        takes_body=True,
    ),
    route(
        "POST",
        f"{_WORKSPACE}|/services/validate",
        service_changes.validate,
        action=_READ,
        takes_body=True,
    ),
    route(
        "GET",
        f"{_WORKSPACE}|/operations/{{operation}}",
        service_changes.get_operation,
        action=_READ,
    ),
    # Likewise: which action is needed for keys is known once the service is.
    route("POST", f"{_SERVICE}/listkeys", services.list_keys, action=_READ),
    route("POST", f"{_SERVICE}/token", services.get_token, action=f"{_ML}/workspaces/read"),
    route("GET", f"{_WORKSPACE}|/models", models.list_models, action=_READ_MODELS),
    route("GET", f"{_WORKSPACE}|/models/{{model}}", models.get_model, action=_READ_MODELS),
    route("GET", f"{_WORKSPACE}|/assets/{{asset}}", models.get_asset, action=_READ_MODELS),
    route("GET", f"{_SERVICE}/logs", services.get_logs, action=_READ),
]
