"""Lists of registered models and environments, by name and by version.

Source: Microsoft.MachineLearningServices 2025-12-01, ModelContainers_List and _Get, ModelVersions_List
and the like of environments. The newest version comes first.
"""

import json
from collections.abc import Iterable
from typing import Any

from azure_emulator.answers import Answer, json_answer
from azure_emulator.arm.call import PROVIDER, Call, not_found
from azure_emulator.arm.model_assets import version_document
from azure_emulator.arm.paging import page
from azure_emulator.estate.registered import environments_of, models_of, newest_first

Versions = dict[str, list[str]]


def list_models(call: Call) -> Answer:
    return _containers(call, "models", _by_name(models_of(call.workspace())))


def list_environments(call: Call) -> Answer:
    return _containers(call, "environments", _by_name(environments_of(call.workspace())))


def get_model(call: Call) -> Answer:
    return _one(call, "models", _by_name(models_of(call.workspace())))


def get_environment(call: Call) -> Answer:
    return _one(call, "environments", _by_name(environments_of(call.workspace())))


def list_model_versions(call: Call) -> Answer:
    return _versions(call, "models", _by_name(models_of(call.workspace())))


def list_environment_versions(call: Call) -> Answer:
    return _versions(call, "environments", _by_name(environments_of(call.workspace())))


def _by_name(assets: Iterable[str]) -> Versions:
    found: Versions = {}
    for asset in assets:
        name, _, version = asset.partition(":")
        found.setdefault(name, []).append(version)
    return {name: sorted(found[name], key=newest_first, reverse=True) for name in sorted(found)}


def _containers(call: Call, kind: str, known: Versions) -> Answer:
    """One document for each name: what its latest version is."""

    def encode(name: str) -> bytes:
        return json.dumps(_container(call, kind, name, known[name][0])).encode()

    return page(call, list(known), encode=encode, parameter="$skip")


def _one(call: Call, kind: str, known: Versions) -> Answer:
    name, versions = _asked(call, kind, known)
    return json_answer(_container(call, kind, name, versions[0]))


def _container(call: Call, kind: str, name: str, latest: str) -> dict[str, Any]:
    following = str(int(latest) + 1) if latest.isdecimal() else "1"
    inner: dict[str, Any] = {
        "description": None,
        "tags": {},
        "properties": {},
        "isArchived": False,
        "latestVersion": latest,
        "nextVersion": following,
    }
    return {
        "id": f"{call.workspace().id}/{kind}/{name}",
        "name": name,
        "type": f"{PROVIDER}/workspaces/{kind}",
        "properties": inner,
    }


def _versions(call: Call, kind: str, known: Versions) -> Answer:
    name, versions = _asked(call, kind, known)
    top = call.query.get("$top", "")
    found = versions[: int(top)] if top.isdecimal() else versions

    def encode(version: str) -> bytes:
        return json.dumps(version_document(call, kind, f"{name}:{version}")).encode()

    return page(call, found, encode=encode, parameter="$skip")


def _asked(call: Call, kind: str, known: Versions) -> tuple[str, list[str]]:
    """The name that is asked for, and its versions. Raises AzureError 404."""
    name = call.names["name"]
    if name not in known:
        missing = f"workspaces/{call.names['workspace']}/{kind}/{name}"
        raise not_found(missing, group=call.names["group"])
    return name, known[name]
