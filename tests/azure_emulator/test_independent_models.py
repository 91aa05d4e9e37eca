"""Unmodified SDKs at registered models: azure-ai-ml reads blobs, azureml-core signed artifacts."""

from pathlib import Path

import pytest

from tests.azure_emulator.conftest import WORKSPACE, estate
from tests.azure_emulator.test_independent_scoring import one_run
from tests.support.emulator import EmulatorProcess
from tests.support.rds_files import in_base64, saved

RDS = saved()
CLIENTS = pytest.mark.parametrize("client", ["azure_ai_ml_models", "azureml_core_models"])


def contents(found: dict[str, str]) -> dict[str, bytes]:
    """Files by their own names: each SDK has folders of its own around them."""
    return {path.rpartition("/")[2]: bytes.fromhex(content) for path, content in found.items()}


@CLIENTS
def test_a_models_one_file_is_downloaded_as_it_was_registered(
    emulator: EmulatorProcess, tmp_path: Path, client: str
) -> None:
    asset = {"name": "weight-lm:5", "files": {"model.rds": in_base64(RDS)}}
    emulator.seed(estate(assets=[asset]))

    found = one_run(client, emulator, f"{WORKSPACE}#weight-lm:5", home=tmp_path)

    assert (found["name"], int(found["version"])) == ("weight-lm", 5)
    assert contents(found["files"]) == {"model.rds": RDS}


@CLIENTS
def test_a_models_folder_is_downloaded_with_all_that_is_in_it(
    emulator: EmulatorProcess, tmp_path: Path, client: str
) -> None:
    files = {"model/a.rds": in_base64(RDS), "model/score.R": in_base64(b"predict()")}
    emulator.seed(estate(assets=[{"name": "weight-lm:5", "files": files}]))

    found = one_run(client, emulator, f"{WORKSPACE}#weight-lm:5", home=tmp_path)

    assert contents(found["files"]) == {"a.rds": RDS, "score.R": b"predict()"}
