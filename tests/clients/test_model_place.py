"""Where models are, in every form of `modelUri` that is known."""

import pytest

from shared.clients.model_place import InContainer, InDatastore, place_of
from shared.errors import AzureRequestError

GROUP = "/subscriptions/s/resourceGroups/rg"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/mlw"
STORE = f"{WORKSPACE}/datastores"
ARTIFACTS = f"{STORE}/workspaceartifactstore"
OTHER = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/other/datastores/blobs"


@pytest.mark.parametrize(
    ("uri", "datastore", "path"),
    [
        (
            f"azureml:/{GROUP}/workspaces/mlw/datastores/a/paths/x/model.rds",
            f"{STORE}/a",
            "x/model.rds",
        ),
        (f"azureml:/{GROUP}/workspaces/other/datastores/blobs/paths/x/", OTHER, "x"),
        (f"azureml:/{WORKSPACE}/datastores/a/paths/x%20y/m", f"{STORE}/a", "x y/m"),
        ("azureml://datastores/a/paths/x", f"{STORE}/a", "x"),
        ("azureml://locations/we/workspaces/7f/datastores/a/paths/x", f"{STORE}/a", "x"),
        (
            "azureml://jobs/plum/outputs/artifacts/paths/model/",
            ARTIFACTS,
            "ExperimentRun/dcid.plum/model",
        ),
        ("azureml://jobs/plum/outputs/artifacts/model", ARTIFACTS, "ExperimentRun/dcid.plum/model"),
        ("runs:/plum/model", ARTIFACTS, "ExperimentRun/dcid.plum/model"),
    ],
)
def test_a_path_in_a_datastore_is_found(uri: str, datastore: str, path: str) -> None:
    assert place_of(uri, workspace=WORKSPACE) == InDatastore(datastore=datastore, path=path)


def test_a_url_of_a_blob_is_taken_apart_and_its_signature_dropped() -> None:
    uri = "https://acct.blob.core.windows.net/models/a%20b/m.rds?sv=1&sig=secret"

    place = place_of(uri, workspace=WORKSPACE)

    assert place == InContainer(
        account_url="https://acct.blob.core.windows.net", container="models", path="a b/m.rds"
    )


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "file:///etc/passwd?sig=secret",
        "azureml://jobs/plum/outputs/named/paths/model?sig=secret",
        "https://acct.blob.core.windows.net/?sig=secret",
        "https://u:secret@acct.blob.core.windows.net/c/m.rds",
    ],
)
def test_what_is_of_no_known_form_is_told_without_quoting_it(uri: str) -> None:
    with pytest.raises(AzureRequestError) as caught:
        place_of(uri, workspace=WORKSPACE)

    assert "secret" not in str(caught.value)
