"""The secure values of a container group: what a PUT may say and no answer shows.

Source: Microsoft.ContainerInstance 2025-09-01, properties that only requests hold. References to a
vault (secureValueReference, passwordReference and their like) are no secrets: they are shown.
"""

import copy
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

Place = tuple[str, dict[str, Any], str]


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy without the secure values."""
    bare = copy.deepcopy(dict(document))
    for _, holder, name in _places(bare):
        del holder[name]
    return bare


def fingerprints(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what tells secure values apart without telling them: path -> start of a SHA-256."""
    return {
        path: hashlib.sha256(str(holder[name]).encode()).hexdigest()[:12]
        for path, holder, name in _places(dict(document))
        if holder[name] is not None
    }


def _places(document: dict[str, Any]) -> list[Place]:
    properties = document["properties"]
    return [
        *_of_environments(properties),
        *_of_registries(properties),
        *_of_volumes(properties),
        *_of_diagnostics(properties),
    ]


def _of_environments(properties: dict[str, Any]) -> Iterator[Place]:
    for kind in ("containers", "initContainers"):
        for container in properties.get(kind) or []:
            for variable in container.get("properties", {}).get("environmentVariables") or []:
                path = f"{kind}/{container['name']}/environmentVariables/{variable['name']}"
                if "secureValue" in variable:
                    yield path, variable, "secureValue"


def _of_registries(properties: dict[str, Any]) -> Iterator[Place]:
    for login in properties.get("imageRegistryCredentials") or []:
        if "password" in login:
            yield f"imageRegistryCredentials/{login.get('server')}/password", login, "password"


def _of_volumes(properties: dict[str, Any]) -> Iterator[Place]:
    for volume in properties.get("volumes") or []:
        path, share = f"volumes/{volume.get('name')}", volume.get("azureFile") or {}
        if "storageAccountKey" in share:
            yield f"{path}/azureFile/storageAccountKey", share, "storageAccountKey"
        files = volume.get("secret") or {}
        for name in list(files):
            yield f"{path}/secret/{name}", files, name


def _of_diagnostics(properties: dict[str, Any]) -> Iterator[Place]:
    analytics = (properties.get("diagnostics") or {}).get("logAnalytics") or {}
    if "workspaceKey" in analytics:
        yield "diagnostics/logAnalytics/workspaceKey", analytics, "workspaceKey"
