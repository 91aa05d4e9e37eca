"""Artifacts: signed URLs of files that Azure ML keeps, one by one or below a prefix.

Source: azureml-core 1.61, azureml/_restclient/operations/artifact_operations.py. An artifact is called
by origin, container and path, which together are the name of its blob.
"""

from typing import Any
from urllib.parse import quote

from azure_emulator.answers import Answer, json_answer
from azure_emulator.arm.call import Call
from azure_emulator.arm.routing import ArmRoute, route
from azure_emulator.estate.model_files import CONTAINER
from azure_emulator.model_management.errors import ModelManagementError
from azure_emulator.storage_paths import blob_url

PREFIX = ("artifact", "v2.0")
_ML = "Microsoft.MachineLearningServices"
_ARTIFACTS = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    f"/providers/{_ML}/workspaces/{{workspace}}|/artifacts"
)
# How deep a path may be here; a template has as many segments as a path.
_DEPTHS = range(1, 7)


def get_content_information(call: Call) -> Answer:
    """GET contentinfo: the signed URL of one artifact."""
    name = _named(call)
    if name not in call.workspace().models.blobs:
        raise ModelManagementError(404, "ArtifactNotFound", f"Artifact {name} was not found.")
    return json_answer(_information(call, name))


def list_by_prefix(call: Call) -> Answer:
    """GET prefix/contentinfo: the signed URLs of all artifacts below a prefix, on one page."""
    below = f"{_named(call)}/"
    found = [name for name in call.workspace().models.blobs if name.startswith(below)]
    return json_answer({"value": [_information(call, name) for name in found]})


def _named(call: Call) -> str:
    path = [call.names[name] for name in call.names if name.startswith("part")]
    return "/".join([call.names["origin"], call.names["container"], *path])


def _information(call: Call, name: str) -> dict[str, Any]:
    account = call.workspace().models.account
    origin, container, path = name.split("/", 2)
    url = blob_url(call.settings.base_url, account, f"{CONTAINER}/{quote(name)}")
    return {
        "contentUri": f"{url}?{call.estate.signatures.sign(account, CONTAINER)}",
        "origin": origin,
        "container": container,
        "path": path,
    }


def _path(depth: int) -> str:
    return "/".join(f"{{part{number}}}" for number in range(depth))


ROUTES: list[ArmRoute] = [
    route(
        "GET",
        f"{_ARTIFACTS}/{kind}/{{origin}}/{{container}}/{_path(depth)}",
        handler,
        action=f"{_ML}/workspaces/read",
    )
    for kind, handler in (
        ("contentinfo", get_content_information),
        ("prefix/contentinfo", list_by_prefix),
    )
    for depth in _DEPTHS
]
