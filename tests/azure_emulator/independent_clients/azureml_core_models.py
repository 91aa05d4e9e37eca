"""azureml-core: get a model version and download its files, by signed URLs of its artifacts.

Argument: the ARM id of a workspace, and `name:version` behind a `#`.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

from azureml.core import Model, Workspace
from azureml.core.authentication import TokenAuthentication

from tests.azure_emulator.independent_clients import stages
from tests.azure_emulator.independent_clients.sign_in import secret_credential


def main(argument: str) -> dict[str, Any]:
    # The SDK warns that get_token is deprecated, and so is all of the SDK.
    warnings.simplefilter("ignore")
    workspace_id, _, wanted = argument.partition("#")
    _, _, subscription, _, group, _, _, _, name = workspace_id.split("/")
    credential = secret_credential()
    authentication = TokenAuthentication(
        get_token_for_audience=lambda audience: credential.get_token(f"{audience}/.default").token
    )
    workspace = Workspace(subscription, group, name, auth=authentication)
    model = Model(workspace, id=wanted)
    with tempfile.TemporaryDirectory() as folder:
        model.download(target_dir=folder)
        files = {
            str(path.relative_to(folder)): path.read_bytes().hex()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }
    return {"name": model.name, "version": model.version, "files": files}


if __name__ == "__main__":
    stages.play(main)
