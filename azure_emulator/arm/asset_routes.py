"""The routes of registered models and environments, of datastores, and of what is behind them."""

from azure_emulator.arm import model_assets, model_lists
from azure_emulator.arm.routing import ArmRoute, route

_ML = "Microsoft.MachineLearningServices"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_WORKSPACE = f"{_GROUP}/providers/{_ML}/workspaces/{{workspace}}"

ROUTES: list[ArmRoute] = [
    *(
        route(
            "GET",
            f"{_WORKSPACE}/{kind}{below}",
            handler,
            action=f"{_ML}/workspaces/{kind}/read",
        )
        for kind, below, handler in (
            ("models", "|", model_lists.list_models),
            ("models", "/{name}", model_lists.get_model),
            ("models", "/{name}/versions|", model_lists.list_model_versions),
            ("environments", "|", model_lists.list_environments),
            ("environments", "/{name}", model_lists.get_environment),
            ("environments", "/{name}/versions|", model_lists.list_environment_versions),
        )
    ),
    route(
        "GET",
        f"{_WORKSPACE}/models/{{name}}/versions/{{version}}",
        model_assets.get_model,
        action=f"{_ML}/workspaces/models/read",
    ),
    route(
        "GET",
        f"{_WORKSPACE}/environments/{{name}}/versions/{{version}}",
        model_assets.get_environment,
        action=f"{_ML}/workspaces/environments/read",
    ),
    route(
        "GET",
        f"{_WORKSPACE}|/datastores",
        model_assets.list_datastores,
        action=f"{_ML}/workspaces/datastores/read",
    ),
    route(
        "GET",
        f"{_WORKSPACE}/datastores/{{datastore}}",
        model_assets.get_datastore,
        action=f"{_ML}/workspaces/datastores/read",
    ),
    route(
        "GET",
        f"{_GROUP}/providers/Microsoft.Storage/storageAccounts/{{account}}",
        model_assets.get_storage_account,
        action="Microsoft.Storage/storageAccounts/read",
    ),
]
