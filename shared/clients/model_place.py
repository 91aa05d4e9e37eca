"""Where Azure ML says that a model's files are: its `modelUri`, taken apart. Pure.

Source: learn.microsoft.com/azure/machine-learning/how-to-manage-models (paths of models); azure-ai-ml,
`_job_operations.py`, for where a job's artifacts are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from shared.errors import AzureRequestError

# What Azure ML itself wrote, uploads and artifacts of jobs, lies in this datastore of a workspace.
ARTIFACTS: Final = "workspaceartifactstore"
_IN_WORKSPACE: Final = re.compile(
    r"azureml:/(/subscriptions/[^/]+/resourcegroups/[^/]+)(?:/providers/[^/]+)?/workspaces/([^/]+)"
    r"/datastores/([^/]+)/paths/(.+)",
    re.IGNORECASE,
)
_IN_DATASTORE: Final = re.compile(r"azureml://(?:.*/)?datastores/([^/]+)/paths/(.+)", re.IGNORECASE)
_OF_JOB: Final = re.compile(
    r"azureml://jobs/([^/]+)/outputs/artifacts/(?:paths/)?(.+)", re.IGNORECASE
)
_OF_RUN: Final = re.compile(r"runs:/([^/]+)/(.+)")
_ML: Final = "providers/Microsoft.MachineLearningServices/workspaces"


@dataclass(frozen=True, kw_only=True)
class InDatastore:
    """A path in a datastore, which is named by its ARM id."""

    datastore: str
    path: str


@dataclass(frozen=True, kw_only=True)
class InContainer:
    """A path in a container of the storage account at `account_url`, an https URL without a query."""

    account_url: str
    container: str
    path: str


def place_of(uri: str, *, workspace: str) -> InDatastore | InContainer:
    """Read a `modelUri`; `workspace` is the ARM id of the one that has the model.

    Raises AzureRequestError for what is none of the forms known here. It is not quoted: a URL of
    storage may hold a signature.
    """
    if found := _IN_WORKSPACE.fullmatch(uri):
        home = f"{found[1]}/{_ML}/{found[2]}"
        return _in_datastore(home, found[3], found[4])
    if found := _OF_JOB.fullmatch(uri) or _OF_RUN.fullmatch(uri):
        return _in_datastore(workspace, ARTIFACTS, f"ExperimentRun/dcid.{found[1]}/{found[2]}")
    if found := _IN_DATASTORE.fullmatch(uri):
        return _in_datastore(workspace, found[1], found[2])
    if uri.startswith("https://"):
        return _in_container(uri)
    scheme = uri.partition(":")[0][:20]
    raise AzureRequestError(f"its modelUri ({scheme}:) is of no form that is known", status=None)


def _in_datastore(workspace: str, name: str, path: str) -> InDatastore:
    return InDatastore(datastore=f"{workspace}/datastores/{name}", path=_clean(path))


def _in_container(url: str) -> InContainer:
    parts = urlsplit(url)
    container, _, path = parts.path.lstrip("/").partition("/")
    if "@" in parts.netloc or not (container and path):
        raise AzureRequestError("its modelUri names no blob", status=None)
    return InContainer(
        account_url=f"https://{parts.netloc}", container=unquote(container), path=_clean(path)
    )


def _clean(path: str) -> str:
    return unquote(path).strip("/")
