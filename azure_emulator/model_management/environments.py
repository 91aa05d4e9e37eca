"""Environments, as azureml-core asks for them: alone, by version or the latest, and all of them.

Source: azureml-core 1.61, azureml/_restclient/environment_client.py, azureml/core/environment.py.
"""

from typing import Any

import yaml

from azure_emulator.answers import Answer, json_answer
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.routing import ArmRoute, route
from azure_emulator.estate.registered import environments_of, newest_first
from azure_emulator.model_management.errors import ModelManagementError
from azure_emulator.scoring_seed import AssetSeed

PREFIX = ("environment", "v1.0")
_ENVIRONMENTS = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    f"/providers/{PROVIDER}/workspaces/{{workspace}}|/environments"
)
_ACTION = f"{PROVIDER}/workspaces/environments/read"


def list_environments(call: Call) -> Answer:
    """GET environments: the latest version of each, on one page."""
    known = environments_of(call.workspace())
    # What comes later in a dictionary stays.
    latest = {name.partition(":")[0]: known[name] for name in sorted(known, key=_age)}
    return json_answer({"value": [_document(latest[name]) for name in sorted(latest)]})


def get_environment(call: Call) -> Answer:
    """GET environments/{name}, with or without /versions/{version}."""
    known, name = environments_of(call.workspace()), call.names["environment"]
    versions = [each for each in sorted(known, key=_age) if each.partition(":")[0] == name]
    version = call.names.get("version")
    found = known.get(f"{name}:{version}" if version else versions[-1] if versions else "")
    if found is None:
        message = f"Environment {name} was not found."
        raise ModelManagementError(404, "EnvironmentNotFound", message)
    return json_answer(_document(found))


def _document(asset: AssetSeed) -> dict[str, Any]:
    name, _, version = asset.name.partition(":")
    packages = yaml.safe_load(asset.conda_file) if asset.conda_file else None
    return {
        "name": name,
        "version": version,
        "assetId": None,
        "environmentVariables": {},
        "docker": {
            "baseImage": asset.image,
            "baseDockerfile": None,
            "platform": {"os": "Linux", "architecture": "amd64"},
        },
        "python": {
            "interpreterPath": "python",
            "userManagedDependencies": packages is None,
            "condaDependencies": packages,
        },
        "r": None,
        "spark": None,
        "inferencingStackVersion": None,
    }


def _age(asset: str) -> tuple[int, str]:
    return newest_first(asset.partition(":")[2])


ROUTES: list[ArmRoute] = [
    route("GET", path, handler, action=_ACTION)
    for path, handler in (
        (_ENVIRONMENTS, list_environments),
        (f"{_ENVIRONMENTS}/{{environment}}", get_environment),
        (f"{_ENVIRONMENTS}/{{environment}}/versions/{{version}}", get_environment),
    )
]
